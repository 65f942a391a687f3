// An http or https URL, taken apart.  A path or query may itself be a secret (chat tools give out
// such addresses): show origin() and nothing else.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::relay {

struct Url {
    std::string scheme;  ///< "http" or "https"
    std::string host;    ///< a name, IPv4, or IPv6 without brackets
    int port = 0;
    std::string target;  ///< path and query, at least "/"

    /// "https://host" or "https://host:port": without path, query and the scheme's own port.
    [[nodiscard]] std::string origin() const;
};

/// Throws Error that names the fault, without the text.  A user or password in the URL is a fault,
/// and so is a fragment, which no server gets to see.
[[nodiscard]] Url parse_url(std::string_view text);

}  // namespace holdfast::relay
