#include "http/client.hpp"

#include <httplib.h>
#include <netdb.h>
#include <sys/socket.h>

#include <cstdint>
#include <string_view>

#include "base/errors.hpp"

namespace holdfast::relay::http {
namespace {

/// What is read of a body, so that the connection can be used again; more of it closes it.
constexpr std::size_t kBodyCap = 64 * 1024;

std::string describe(httplib::Error error) {
    switch (error) {
        case httplib::Error::Connection:
            return "cannot connect";
        case httplib::Error::ConnectionTimeout:
            return "cannot connect in time";
        case httplib::Error::Read:
            return "no answer, or not in time";
        case httplib::Error::Write:
            return "the request could not be sent";
        case httplib::Error::SSLConnection:
            return "no TLS connection";
        case httplib::Error::SSLLoadingCerts:
            return "the certificates of ca_file cannot be loaded";
        case httplib::Error::SSLServerVerification:
            return "the certificate is not valid for this host, or not from a trusted authority";
        default:
            return "the request failed (" + httplib::to_string(error) + ")";
    }
}

}  // namespace

struct Client::Implementation {
    explicit Implementation(const ClientOptions& options)
        : url(options.url), timeout(options.timeout) {
        if (url.scheme == "https") {
            client = std::make_unique<httplib::SSLClient>(url.host, url.port);
        } else {
            client = std::make_unique<httplib::ClientImpl>(url.host, url.port);
        }
    }

    Url url;
    std::chrono::milliseconds timeout;
    std::unique_ptr<httplib::ClientImpl> client;
};

Client::Client(const ClientOptions& options)
    : implementation_(std::make_unique<Implementation>(options)) {
    httplib::ClientImpl& client = *implementation_->client;
    client.set_connection_timeout(options.timeout);
    client.set_read_timeout(options.timeout);
    client.set_write_timeout(options.timeout);
    client.set_keep_alive(true);
    client.set_tcp_nodelay(true);
    client.set_follow_location(false);
    client.set_decompress(false);
    client.set_url_encode(false);  // it is encoded, and parse_url() has seen to it
    client.enable_server_certificate_verification(true);
    if (!options.ca_file.empty()) {
        client.set_ca_cert_path(options.ca_file);
    }
}

Client::~Client() = default;

Answer Client::post(const Headers& headers, const std::string& body) {
    Implementation& self = *implementation_;
    httplib::Request request;
    request.method = "POST";
    request.path = self.url.target;
    request.headers.emplace("User-Agent", "holdfast-relay");
    request.headers.emplace("Content-Type", "application/json");
    for (const auto& [name, value] : headers) {
        request.headers.emplace(name, value);
    }
    request.body = body;

    // The answer is known with its head, whatever becomes of the body.
    std::optional<Answer> answer;
    request.response_handler = [&answer](const httplib::Response& response) {
        answer = Answer{response.status, std::nullopt};
        if (response.has_header("Retry-After")) {
            answer->retry_after = response.get_header_value("Retry-After");
        }
        return true;
    };
    std::size_t received = 0;
    const auto deadline = std::chrono::steady_clock::now() + self.timeout;
    request.content_receiver = [&received, deadline](const char*, std::size_t length, std::uint64_t,
                                                     std::uint64_t) {
        received += length;
        return received <= kBodyCap && std::chrono::steady_clock::now() < deadline;
    };
    const httplib::Result result = self.client->send(request);
    if (answer) {
        return *answer;
    }
    if (!result) {
        throw RetryableError(describe(result.error()) + ": " + self.url.origin());
    }
    return {result->status, std::nullopt};  // without a body: 204
}

bool resolves(const Url& url) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int fault = ::getaddrinfo(url.host.c_str(), nullptr, &hints, &found);
    if (fault == 0) {
        ::freeaddrinfo(found);
    }
    return fault == 0;
}

}  // namespace holdfast::relay::http
