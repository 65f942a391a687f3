// What notification needs from HTTP: requests that run beside the pipeline.  main's adapter fits
// http::Client to it; tests use a fake.  URLs and secrets are the adapter's alone.
//
// Thread rule: the pipeline's thread calls everything; nothing waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::relay::notify {

/// One delivery.  The texts come from the message and may hold any byte.
struct Request {
    std::string event_id;
    std::string topic;
    std::string event_type;   ///< "" = not known
    std::string traceparent;  ///< "" = none
    std::string body;         ///< the value of the message, untouched
};

/// What became of it.
struct Response {
    std::uint64_t ticket = 0;
    int status = 0;     ///< 0 = no answer
    std::string cause;  ///< why there was none
    std::optional<std::string> retry_after;
};

class Endpoints {
 public:
    virtual ~Endpoints() = default;

    /// Sends to the endpoint of a binding, after what was given for it before.
    virtual void post(std::size_t binding, std::uint64_t ticket, Request request) = 0;

    /// The next response; nullopt = none now.
    virtual std::optional<Response> take() = 0;

    /// Readable while take() has something; -1 in fakes that need no waiting.
    [[nodiscard]] virtual int fd() const = 0;
};

}  // namespace holdfast::relay::notify
