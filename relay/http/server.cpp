#include "http/server.hpp"

#include <httplib.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

#include "base/errors.hpp"

namespace holdfast::relay::http {
namespace {

constexpr std::size_t kWorkerThreads = 4;
constexpr std::size_t kBodyCap = 1024;  // nothing here reads a body
constexpr std::chrono::seconds kTimeout{2};

/// httplib's own default also sets SO_REUSEPORT, with which a second relay would share the port
/// and answer half of the scrapes.
void set_reuse_address(socket_t socket) {
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

void answer_health(httplib::Response& response, const Health& health) {
    response.status = health.ready ? 200 : 503;
    response.set_content(to_json(health), "application/json");
}

}  // namespace

Address parse_address(std::string_view text) {
    const std::string shown(text);
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) {
        throw Error("\"" + shown + "\" is not host:port");
    }
    std::string_view host = text.substr(0, colon);
    if (host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        throw Error("\"" + shown + "\" needs brackets around its IPv6 address: [::1]:9464");
    }
    const std::string_view digits = text.substr(colon + 1);
    int port = 0;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (host.empty() || fault != std::errc{} || end != digits.data() + digits.size() || port < 0 ||
        port > 65535) {
        throw Error("\"" + shown + "\" is not host:port with a port from 0 to 65535");
    }
    return {std::string(host), port};
}

struct Server::Implementation {
    httplib::Server server;
    Pages pages;
    int port = 0;
    std::thread acceptor;
};

Server::Server(const Address& address, Pages pages)
    : implementation_(std::make_unique<Implementation>()) {
    Implementation& self = *implementation_;
    self.pages = std::move(pages);
    httplib::Server& server = self.server;
    server.new_task_queue = [] { return new httplib::ThreadPool(kWorkerThreads); };
    server.set_socket_options(set_reuse_address);
    server.set_payload_max_length(kBodyCap);
    // One request per connection: an idle keep-alive connection would hold a worker.
    server.set_keep_alive_max_count(1);
    server.set_read_timeout(kTimeout);
    server.set_write_timeout(kTimeout);
    server.set_pre_routing_handler(
        [](const httplib::Request& request, httplib::Response& response) {
            if (request.method == "GET" || request.method == "HEAD") {
                return httplib::Server::HandlerResponse::Unhandled;
            }
            response.status = 405;
            response.set_header("Allow", "GET, HEAD");
            response.set_content("only GET is served here\n", "text/plain");
            return httplib::Server::HandlerResponse::Handled;
        });
    server.Get("/metrics", [&self](const httplib::Request&, httplib::Response& response) {
        response.set_content(self.pages.metrics(), self.pages.metrics_content_type);
    });
    server.Get("/health/live", [](const httplib::Request&, httplib::Response& response) {
        response.set_content("{\"status\":\"live\"}\n", "application/json");
    });
    server.Get("/health/ready", [&self](const httplib::Request&, httplib::Response& response) {
        answer_health(response, self.pages.health());
    });
    server.set_error_handler([](const httplib::Request&, httplib::Response& response) {
        if (response.status == 404) {
            response.set_content("/metrics, /health/live and /health/ready are served here\n",
                                 "text/plain");
        }
    });

    errno = 0;
    if (address.port == 0) {
        self.port = server.bind_to_any_port(address.host);
    } else {
        self.port = server.bind_to_port(address.host, address.port) ? address.port : -1;
    }
    if (self.port < 0) {
        const int cause = errno;
        const std::string where = address.host + ":" + std::to_string(address.port);
        throw FatalError(ExitCode::kConfig,
                         "cannot listen on " + where + ": " +
                             (cause == 0 ? std::string("unknown or foreign address")
                                         : std::string(std::strerror(cause))),
                         "Set [http] listen to a free address of this host.");
    }
    self.acceptor = std::thread([&server] { server.listen_after_bind(); });
    // stop() is heard only once the loop runs.
    while (!server.is_running()) {
        std::this_thread::yield();
    }
}

Server::~Server() {
    implementation_->server.stop();
    implementation_->acceptor.join();
}

int Server::port() const {
    return implementation_->port;
}

}  // namespace holdfast::relay::http
