#include "http/server.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "base/errors.hpp"

namespace holdfast::relay::http {
namespace {

/// Sends `request` as it is and reads until the server closes.
std::string send_raw(int port, const std::string& request) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string answer;
    if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
        std::size_t sent = 0;
        while (sent < request.size()) {
            const ssize_t n =
                ::send(socket, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
            if (n <= 0) {
                break;
            }
            sent += static_cast<std::size_t>(n);
        }
        char buffer[4096];
        for (ssize_t n = 0; (n = ::read(socket, buffer, sizeof buffer)) > 0;) {
            answer.append(buffer, static_cast<std::size_t>(n));
        }
    }
    ::close(socket);
    return answer;
}

std::string get(int port, const std::string& path) {
    return send_raw(port, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

Pages pages(bool ready) {
    return {.metrics = [] { return std::string("a_total 1\n"); },
            .metrics_content_type = "text/plain; version=0.0.4",
            .health =
                [ready] {
                    Health health;
                    health.ready = ready;
                    if (!ready) {
                        health.reasons.push_back({"kafka_disconnected", "no broker is reachable"});
                    }
                    return health;
                }};
}

TEST(HttpServer, ServesMetricsAndHealth) {
    const Server server({"127.0.0.1", 0}, pages(true));
    EXPECT_TRUE(get(server.port(), "/metrics").starts_with("HTTP/1.1 200"));
    EXPECT_TRUE(get(server.port(), "/metrics").ends_with("a_total 1\n"));
    EXPECT_NE(get(server.port(), "/metrics").find("text/plain; version=0.0.4"), std::string::npos);
    EXPECT_TRUE(get(server.port(), "/health/live").starts_with("HTTP/1.1 200"));
    EXPECT_TRUE(get(server.port(), "/health/ready").starts_with("HTTP/1.1 200"));
}

TEST(HttpServer, NotReadyIs503AndSaysWhy) {
    const Server server({"127.0.0.1", 0}, pages(false));
    const std::string answer = get(server.port(), "/health/ready");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 503"));
    EXPECT_NE(answer.find("kafka_disconnected"), std::string::npos);
    EXPECT_TRUE(get(server.port(), "/health/live").starts_with("HTTP/1.1 200"));
}

TEST(HttpServer, RefusesEverythingButGet) {
    const Server server({"127.0.0.1", 0}, pages(true));
    for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
        const std::string answer =
            send_raw(server.port(), std::string(method) +
                                        " /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                        "Content-Length: 0\r\n\r\n");
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 405")) << method << ": " << answer;
    }
    EXPECT_TRUE(get(server.port(), "/").starts_with("HTTP/1.1 404"));
    EXPECT_TRUE(get(server.port(), "/../etc/passwd").starts_with("HTTP/1.1 404"));
}

TEST(HttpServer, SurvivesHostileRequests) {
    const Server server({"127.0.0.1", 0}, pages(true));
    send_raw(server.port(), std::string(100'000, 'A') + "\r\n\r\n");
    send_raw(server.port(),
             "GET /metrics HTTP/1.1\r\nX: " + std::string(100'000, 'b') + "\r\n\r\n");
    send_raw(server.port(), std::string("\0\1\2\r\n\r\n", 7));
    EXPECT_TRUE(get(server.port(), "/health/live").starts_with("HTTP/1.1 200"));
}

TEST(HttpServer, ATakenPortIsAClearError) {
    const Server first({"127.0.0.1", 0}, pages(true));
    try {
        const Server second({"127.0.0.1", first.port()}, pages(true));
        FAIL() << "two servers share a port";
    } catch (const FatalError& error) {
        const std::string message = error.what();
        EXPECT_NE(message.find("127.0.0.1:" + std::to_string(first.port())), std::string::npos);
        EXPECT_NE(message.find("Address already in use"), std::string::npos) << message;
    }
}

TEST(HttpServer, StopsAtOnceWhenDestroyed) {
    for (int i = 0; i < 20; ++i) {
        const Server server({"127.0.0.1", 0}, pages(true));
    }
}

TEST(HttpAddress, ParsesHostsAndPorts) {
    EXPECT_EQ(parse_address("127.0.0.1:9464").host, "127.0.0.1");
    EXPECT_EQ(parse_address("127.0.0.1:9464").port, 9464);
    EXPECT_EQ(parse_address("[::1]:80").host, "::1");
    EXPECT_EQ(parse_address("localhost:0").port, 0);
}

TEST(HttpAddress, RefusesWhatIsNotAnAddress) {
    for (const char* text : {"", "127.0.0.1", ":9464", "127.0.0.1:", "127.0.0.1:http", "h:65536",
                             "h:-1", "h:80x", "::1:80", "[]:80"}) {
        EXPECT_THROW((void)parse_address(text), Error) << text;
    }
}

}  // namespace
}  // namespace holdfast::relay::http
