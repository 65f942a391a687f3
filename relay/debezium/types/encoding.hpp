// What the makers of encodings share: a column's type as they see it, schemas in few words, and
// what an encoder needs so that a value that fails leaves nothing behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "debezium/column_encoding.hpp"

namespace holdfast::relay::debezium {

/// A type with its modifier, domains resolved.
struct TypeUse {
    const TypeDescription& type;
    std::int32_t modifier = -1;
    bool by_domain = false;  ///< the column's own type is a domain
    const TypeDescriptions& types;
    const TypeOptions& options;
};

// Schemas.
[[nodiscard]] ConnectSchema scalar_schema(std::string_view type);
[[nodiscard]] ConnectSchema semantic_schema(std::string_view type, std::string_view name,
                                            std::int32_t version = 1);
[[nodiscard]] ConnectSchema struct_schema(std::string_view name, std::string_view doc,
                                          std::vector<ConnectField> fields);
[[nodiscard]] ConnectSchema array_schema(ConnectSchema items);
[[nodiscard]] ConnectSchema map_schema(ConnectSchema keys, ConnectSchema values);
[[nodiscard]] ConnectSchema optional_schema(ConnectSchema schema);

/// unavailable.value.placeholder as a JSON string.  Bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string unavailable_string(const TypeOptions& options);

/// Throws ConversionError: "not <what> as PostgreSQL prints it".
[[noreturn]] void fail_conversion(std::string_view what);

/// Takes back what was appended to a text since, unless it is to be kept.
class Rollback {
 public:
    explicit Rollback(std::string& text) : text_(text), size_(text.size()) {}
    ~Rollback() {
        if (!kept_) {
            text_.resize(size_);
        }
    }
    Rollback(const Rollback&) = delete;
    Rollback& operator=(const Rollback&) = delete;

    void keep() noexcept { kept_ = true; }

 private:
    std::string& text_;
    std::size_t size_;
    bool kept_ = false;
};

}  // namespace holdfast::relay::debezium
