#include "base/url.hpp"

#include <algorithm>
#include <charconv>

#include "base/errors.hpp"

namespace holdfast::relay {
namespace {

constexpr int kHttpPort = 80;
constexpr int kHttpsPort = 443;

int default_port(std::string_view scheme) {
    return scheme == "https" ? kHttpsPort : kHttpPort;
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

bool is_address_character(char c) {
    return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == '.' ||
           c == ':';
}

int parse_port(std::string_view digits) {
    int port = 0;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (fault != std::errc{} || end != digits.data() + digits.size() || port < 1 || port > 65'535) {
        throw Error("the port of the URL is not a number from 1 to 65535");
    }
    return port;
}

}  // namespace

std::string Url::origin() const {
    const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return scheme + "://" + shown +
           (port == default_port(scheme) ? std::string() : ":" + std::to_string(port));
}

Url parse_url(std::string_view text) {
    if (std::ranges::any_of(text, [](char c) { return c <= ' ' || c > '~'; })) {
        throw Error("the URL has a character that needs percent encoding");
    }
    Url url;
    if (text.starts_with("https://")) {
        url.scheme = "https";
    } else if (text.starts_with("http://")) {
        url.scheme = "http";
    } else {
        throw Error("the URL does not begin with http:// or https://");
    }
    std::string_view rest = text.substr(url.scheme.size() + 3);
    if (rest.find('#') != std::string_view::npos) {
        throw Error("the URL has a fragment (#), which no server gets to see");
    }
    const std::size_t slash = std::min(rest.find_first_of("/?"), rest.size());
    std::string_view authority = rest.substr(0, slash);
    url.target = rest.substr(slash);
    if (!url.target.starts_with('/')) {
        url.target.insert(0, "/");
    }
    if (authority.find('@') != std::string_view::npos) {
        throw Error("the URL holds a user or a password, which is written as `secret`");
    }
    const bool bracketed = authority.starts_with('[');
    const std::size_t host_end =
        bracketed ? authority.find(']') : std::min(authority.find(':'), authority.size());
    if (host_end == std::string_view::npos) {
        throw Error("the URL lacks the closing bracket of its IPv6 address");
    }
    url.host = bracketed ? authority.substr(1, host_end - 1) : authority.substr(0, host_end);
    authority.remove_prefix(host_end + (bracketed ? 1 : 0));
    if (url.host.empty() ||
        !std::ranges::all_of(url.host, bracketed ? is_address_character : is_host_character)) {
        throw Error("the URL has no valid host");
    }
    if (authority.empty()) {
        url.port = default_port(url.scheme);
    } else if (authority.starts_with(':')) {
        url.port = parse_port(authority.substr(1));
    } else {
        throw Error("the URL has something other than a port behind its host");
    }
    return url;
}

}  // namespace holdfast::relay
