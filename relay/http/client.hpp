// Sends a JSON body to one HTTP endpoint and tells what it answered.  Connections are kept between
// requests; certificates of https are verified; redirects are not followed, because that would send
// the secret elsewhere.
//
// Thread rule: one thread at a time.  SIGPIPE must be ignored in the process.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/url.hpp"

namespace holdfast::relay::http {

struct ClientOptions {
    Url url;
    /// Bound on each step: to connect, to send, to be answered.
    std::chrono::milliseconds timeout{5'000};
    /// PEM file with the authorities to trust in place of the system's; "" = the system's.
    std::string ca_file;
};

/// The head of a response; its body is read and dropped.
struct Answer {
    int status = 0;
    std::optional<std::string> retry_after;
};

class Client {
 public:
    using Headers = std::vector<std::pair<std::string, std::string>>;

    /// Does not connect yet.
    explicit Client(const ClientOptions& options);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// Throws RetryableError that names the cause when there is no answer: nobody knows then
    /// whether the request has arrived.
    Answer post(const Headers& headers, const std::string& body);

 private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

/// Whether the host of `url` has an address now; waits for the resolver.
[[nodiscard]] bool resolves(const Url& url);

}  // namespace holdfast::relay::http
