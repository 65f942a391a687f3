// The table of configuration keys: section, name, type, unit, default, range and help.  It drives
// loading, the environment overrides, `check --list-keys` and docs/configuration.md, so that none
// of them can differ from the code.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.hpp"

namespace holdfast::relay::config {

enum class Sensitivity { kPublic, kMayHoldSecret };

/// The value is kept as text under its name: Config::connector.
struct Kept {};

/// Where the value goes.  Keys of [[inbox]], [[notify]] and [[too_large]] write to the last
/// element.
using Target =
    std::variant<std::string& (*)(Config&), std::int64_t& (*)(Config&), bool& (*)(Config&), Kept>;

struct Key {
    std::string_view section{};        ///< "postgres"; "inbox" for [[inbox]]
    std::string_view name{};           ///< as in the file, dots included; * = an argument
    std::string_view type{};           ///< "string", "integer", "boolean", "path"
    std::string_view unit{};           ///< "ms", "bytes", ...; "" = none
    std::string_view default_value{};  ///< as text; "" = empty
    bool required = false;
    std::int64_t min = 0;  ///< integers only
    std::int64_t max = 0;
    std::vector<std::string_view> choices{};  ///< strings only; empty = any
    Sensitivity sensitivity = Sensitivity::kPublic;
    std::string_view help{};  ///< one sentence
    Target target{};
};

/// All keys in the order of the documentation.  [kafka] is not among them: it takes any librdkafka
/// property except those of refused_kafka_properties().
[[nodiscard]] std::span<const Key> keys();

/// Whether `name` is the key's, or fits its name when that has arguments.
[[nodiscard]] bool fits(const Key& key, std::string_view name);

/// nullptr when there is none.
[[nodiscard]] const Key* find_key(std::string_view section, std::string_view name);

/// Whether the section is a list, in double brackets.
[[nodiscard]] bool is_list(std::string_view section);

/// "[kafka]", "[[inbox]]"
[[nodiscard]] std::string bracketed(std::string_view section);
/// "[postgres] slot"
[[nodiscard]] std::string full_name(std::string_view section, std::string_view name);

/// A [kafka] property that belongs to the relay, with the reason that a user gets.
struct RefusedProperty {
    std::string_view name;
    std::string_view accepted;  ///< the one value that may be written all the same; "" = none
    std::string_view reason;
};
[[nodiscard]] std::span<const RefusedProperty> refused_kafka_properties();

/// "HOLDFAST_POSTGRES_DSN" for ("postgres", "dsn"); dots and dashes become underscores.
[[nodiscard]] std::string environment_name(std::string_view section, std::string_view name);

/// All of the above as Markdown tables, one per section: the text of docs/configuration.md
/// between its "keys" markers.
[[nodiscard]] std::string describe_keys();

}  // namespace holdfast::relay::config
