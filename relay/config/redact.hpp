// Removes secrets from text that is going to be shown.  What is unsure is hidden.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::relay::config {

/// A dsn (keywords or URI) with each password replaced by "***".
[[nodiscard]] std::string redact_dsn(std::string_view dsn);

/// Whether a dsn (keywords or URI) carries a password.
[[nodiscard]] bool dsn_has_password(std::string_view dsn);

/// Whether the value of a librdkafka property must not be shown: passwords, secrets, private keys.
[[nodiscard]] bool is_secret_kafka_property(std::string_view name);

}  // namespace holdfast::relay::config
