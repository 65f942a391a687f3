#include "config/redact.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

namespace holdfast::relay::config {
namespace {

constexpr std::string_view kHidden = "***";

/// Part of a dsn that is a secret: position and length.
using Span = std::pair<std::size_t, std::size_t>;

bool is_space(char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0;
}

bool is_secret_keyword(std::string_view keyword) {
    return keyword == "password" || keyword == "sslpassword";
}

bool is_uri(std::string_view dsn) {
    return dsn.starts_with("postgresql://") || dsn.starts_with("postgres://");
}

// postgresql://user:password@host/db?password=...&sslpassword=...
std::vector<Span> secrets_of_uri(std::string_view dsn) {
    std::vector<Span> found;
    const std::size_t authority = dsn.find("://") + 3;
    const std::size_t authority_end = std::min(dsn.find_first_of("/?", authority), dsn.size());
    // An unescaped '/' or '?' in the password would end the authority too early: then everything
    // up to the last '@' counts as user information.
    const std::size_t at = dsn.rfind('@');
    if (at != std::string_view::npos && at >= authority) {
        const std::size_t colon = dsn.find(':', authority);
        if (colon != std::string_view::npos && colon < at &&
            (at < authority_end || dsn.find('?') > at)) {
            found.emplace_back(colon + 1, at - colon - 1);
        }
    }
    for (std::size_t start = dsn.find('?'); start != std::string_view::npos;
         start = dsn.find('&', start + 1)) {
        const std::size_t equals = dsn.find('=', start);
        const std::size_t end = std::min(dsn.find('&', start + 1), dsn.size());
        if (equals != std::string_view::npos && equals < end &&
            is_secret_keyword(dsn.substr(start + 1, equals - start - 1))) {
            found.emplace_back(equals + 1, end - equals - 1);
        }
    }
    return found;
}

// host=... password='it''s' : keyword, '=', value, where a value may be quoted and \ escapes.
std::vector<Span> secrets_of_keywords(std::string_view dsn) {
    std::vector<Span> found;
    std::size_t at = 0;
    const auto skip_spaces = [&] {
        while (at < dsn.size() && is_space(dsn[at])) {
            ++at;
        }
    };
    while (true) {
        skip_spaces();
        const std::size_t keyword = at;
        while (at < dsn.size() && dsn[at] != '=' && !is_space(dsn[at])) {
            ++at;
        }
        const std::string_view name = dsn.substr(keyword, at - keyword);
        skip_spaces();
        if (at >= dsn.size() || dsn[at] != '=') {
            return found;
        }
        ++at;
        skip_spaces();
        const std::size_t value = at;
        const bool quoted = at < dsn.size() && dsn[at] == '\'';
        at += quoted ? 1 : 0;
        while (at < dsn.size() && (quoted ? dsn[at] != '\'' : !is_space(dsn[at]))) {
            at += dsn[at] == '\\' ? 2 : 1;
        }
        at = std::min(at + (quoted ? 1 : 0), dsn.size());
        if (is_secret_keyword(name) && at > value) {
            found.emplace_back(value, at - value);
        }
    }
}

std::vector<Span> secrets(std::string_view dsn) {
    return is_uri(dsn) ? secrets_of_uri(dsn) : secrets_of_keywords(dsn);
}

}  // namespace

std::string redact_dsn(std::string_view dsn) {
    std::string result;
    std::size_t copied = 0;
    for (const auto& [start, length] : secrets(dsn)) {
        if (start < copied) {
            continue;
        }
        result += dsn.substr(copied, start - copied);
        result += kHidden;
        copied = start + length;
    }
    return result += dsn.substr(copied);
}

bool dsn_has_password(std::string_view dsn) {
    return !secrets(dsn).empty();
}

bool is_secret_kafka_property(std::string_view name) {
    constexpr std::array<std::string_view, 5> kParts = {"password", "secret", "key.pem",
                                                        "oauthbearer.config", "passphrase"};
    return std::any_of(kParts.begin(), kParts.end(), [&](std::string_view part) {
        return name.find(part) != std::string_view::npos;
    });
}

}  // namespace holdfast::relay::config
