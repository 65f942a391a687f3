// http::Client as notify::Endpoints: one thread per binding, so that a slow endpoint holds up
// nobody else.  Secrets and URLs are known here only, and no message or log holds them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/event_fd.hpp"
#include "http/client.hpp"
#include "notify/endpoints.hpp"

namespace holdfast::relay::adapters {

/// Where the messages of one binding go.
struct HttpEndpoint {
    http::ClientOptions client;
    std::string secret;         ///< "" = none
    std::string secret_header;  ///< the header that the secret is sent in
};

class HttpEndpoints final : public notify::Endpoints {
 public:
    /// Connects at the first request.
    explicit HttpEndpoints(std::vector<HttpEndpoint> endpoints);
    /// Waits for requests that are under way, each as long as its timeouts.
    ~HttpEndpoints() override;
    HttpEndpoints(const HttpEndpoints&) = delete;
    HttpEndpoints& operator=(const HttpEndpoints&) = delete;

    void post(std::size_t binding, std::uint64_t ticket, notify::Request request) override;
    std::optional<notify::Response> take() override;
    [[nodiscard]] int fd() const override { return answered_.fd(); }

 private:
    struct Lane;
    void serve(Lane& lane, const std::stop_token& stop);
    [[nodiscard]] notify::Response send(Lane& lane, std::uint64_t ticket,
                                        const notify::Request& request) const;

    EventFd answered_;
    std::mutex mutex_;
    std::deque<notify::Response> responses_;
    std::vector<std::unique_ptr<Lane>> lanes_;  // last: threads end before what they use
};

/// A text as a header's value: what is neither a visible ASCII character nor a space between such
/// is percent-encoded, so that nothing in a message can begin a header of its own.
[[nodiscard]] std::string header_value(const std::string& text);

}  // namespace holdfast::relay::adapters
