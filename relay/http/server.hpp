// A read-only HTTP endpoint on loopback: /metrics, /health/live, /health/ready.  GET and HEAD only,
// small caps and timeouts, no directory, no administration.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/health.hpp"

namespace holdfast::relay::http {

/// Where to listen.
struct Address {
    std::string host;  ///< IPv4, IPv6 without brackets, or a name
    int port = 0;      ///< 0 lets the kernel choose
};

/// Parses "host:port" or "[ipv6]:port".  Throws Error that names the fault.
[[nodiscard]] Address parse_address(std::string_view text);

/// What the pages show.  Called from the server's threads; must be thread-safe and quick.
struct Pages {
    std::function<std::string()> metrics;
    std::string metrics_content_type;
    std::function<Health()> health;
};

/// Listens from construction to destruction on threads of its own.
class Server {
 public:
    /// Binds and starts.  Throws FatalError(configuration) when the address cannot be bound.
    Server(const Address& address, Pages pages);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// The port that is bound: the kernel's choice if Address::port was 0.
    [[nodiscard]] int port() const;

 private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace holdfast::relay::http
