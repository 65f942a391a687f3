#include "http/client.hpp"

#include <gtest/gtest.h>
#include <httplib.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "base/errors.hpp"

namespace holdfast::relay::http {
namespace {

using std::chrono::milliseconds;

/// A server in this process, on a port of its own.
class Site {
 public:
    explicit Site(std::unique_ptr<httplib::Server> server) : server_(std::move(server)) {
        std::signal(SIGPIPE, SIG_IGN);
        server_->Post("/hook", [this](const httplib::Request& request, httplib::Response& answer) {
            requests.push_back(request);
            answer.status = status;
            if (!retry_after.empty()) {
                answer.set_header("Retry-After", retry_after);
            }
            if (status != 204) {
                answer.set_content(std::string(body_size, 'x'), "text/plain");
            }
        });
        server_->Post("/slow", [](const httplib::Request&, httplib::Response&) {
            std::this_thread::sleep_for(milliseconds(400));
        });
        port_ = server_->bind_to_any_port("127.0.0.1");
        thread_ = std::thread([this] { server_->listen_after_bind(); });
        while (!server_->is_running()) {
            std::this_thread::yield();
        }
    }
    Site() : Site(std::make_unique<httplib::Server>()) {}
    ~Site() {
        server_->stop();
        thread_.join();
    }
    Site(const Site&) = delete;
    Site& operator=(const Site&) = delete;

    [[nodiscard]] ClientOptions options(const std::string& path = "/hook",
                                        const std::string& scheme = "http",
                                        const std::string& host = "127.0.0.1") const {
        return {.url = parse_url(scheme + "://" + host + ":" + std::to_string(port_) + path),
                .timeout = milliseconds(2'000),
                .ca_file = {}};
    }
    [[nodiscard]] int port() const { return port_; }

    std::vector<httplib::Request> requests;
    int status = 200;
    std::string retry_after;
    std::size_t body_size = 10;

 private:
    std::unique_ptr<httplib::Server> server_;
    int port_ = 0;
    std::thread thread_;
};

std::string failure_of(Client& client) {
    try {
        client.post({}, "{}");
    } catch (const RetryableError& error) {
        return error.what();
    }
    return "";
}

TEST(HttpClient, SendsTheBodyUntouchedWithItsHeaders) {
    Site site;
    Client client(site.options("/hook?token=a%20b"));
    const std::string body("{\"a\": \"\xC3\xB6\"}\0\xFF", 14);
    EXPECT_EQ(
        client.post({{"Holdfast-Event-Id", "e-1"}, {"Authorization", "Bearer s"}}, body).status,
        200);
    ASSERT_EQ(site.requests.size(), 1U);
    const httplib::Request& request = site.requests[0];
    EXPECT_EQ(request.body, body);
    EXPECT_EQ(request.target, "/hook?token=a%20b");
    EXPECT_EQ(request.get_header_value("Content-Type"), "application/json");
    EXPECT_EQ(request.get_header_value("Holdfast-Event-Id"), "e-1");
    EXPECT_EQ(request.get_header_value("Authorization"), "Bearer s");
    EXPECT_EQ(request.get_header_value("User-Agent"), "holdfast-relay");
    EXPECT_EQ(request.get_header_value("Host"), "127.0.0.1:" + std::to_string(site.port()));
}

TEST(HttpClient, TellsStatusAndRetryAfter) {
    Site site;
    Client client(site.options());
    for (const int status : {200, 202, 204, 400, 404, 500}) {
        site.status = status;
        EXPECT_EQ(client.post({}, "{}").status, status);
    }
    site.status = 429;
    site.retry_after = "17";
    const Answer answer = client.post({}, "{}");
    EXPECT_EQ(answer.status, 429);
    EXPECT_EQ(answer.retry_after, "17");
}

TEST(HttpClient, FollowsNoRedirect) {
    Site site;
    site.status = 307;
    Client client(site.options());
    EXPECT_EQ(client.post({}, "{}").status, 307);
    EXPECT_EQ(site.requests.size(), 1U);
}

TEST(HttpClient, AnAnswerCountsHoweverLargeItsBodyIs) {
    Site site;
    site.body_size = 10 << 20;
    Client client(site.options());
    EXPECT_EQ(client.post({}, "{}").status, 200);
    site.body_size = 1;
    EXPECT_EQ(client.post({}, "{}").status, 200) << "and the client can be used again";
}

TEST(HttpClient, ThereIsAnEndToWaiting) {
    Site site;
    ClientOptions options = site.options("/slow?token=hidden");
    options.timeout = milliseconds(100);
    Client client(options);
    const auto started = std::chrono::steady_clock::now();
    const std::string failure = failure_of(client);
    EXPECT_LT(std::chrono::steady_clock::now() - started, milliseconds(390));
    EXPECT_NE(failure.find("no answer, or not in time"), std::string::npos) << failure;
    EXPECT_EQ(failure.find("hidden"), std::string::npos) << failure;
}

TEST(HttpClient, NobodyThereIsRetryable) {
    ClientOptions options;
    {
        const Site site;
        options = site.options("/hidden");
    }
    Client client(options);
    const std::string failure = failure_of(client);
    EXPECT_TRUE(failure.starts_with("cannot connect")) << failure;
    EXPECT_NE(failure.find("http://127.0.0.1:"), std::string::npos) << failure;
    EXPECT_EQ(failure.find("hidden"), std::string::npos) << failure;
}

TEST(HttpClient, ComesBackAfterTheServerHasGone) {
    auto site = std::make_unique<Site>();
    Client client(site->options());
    EXPECT_EQ(client.post({}, "{}").status, 200);
    site.reset();
    EXPECT_NE(failure_of(client), "");
}

/// A site with a certificate that it has signed itself, for localhost only.
class HttpsClient : public ::testing::Test {
 protected:
    void SetUp() override {
        std::string pattern = std::filesystem::temp_directory_path() / "holdfast-tls-XXXXXX";
        directory_ = mkdtemp(pattern.data());
        certificate_ = directory_ / "certificate.pem";
        const std::filesystem::path key = directory_ / "key.pem";
        const std::string command =
            "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
            "-addext subjectAltName=DNS:localhost -keyout " +
            key.string() + " -out " + certificate_.string() + " 2>/dev/null";
        ASSERT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT(concurrency-mt-unsafe)
        site_ = std::make_unique<Site>(
            std::make_unique<httplib::SSLServer>(certificate_.c_str(), key.c_str()));
    }
    void TearDown() override {
        site_.reset();
        std::filesystem::remove_all(directory_);
    }

    std::filesystem::path directory_;
    std::filesystem::path certificate_;
    std::unique_ptr<Site> site_;
};

TEST_F(HttpsClient, TakesACertificateOfAGivenAuthority) {
    ClientOptions options = site_->options("/hook", "https", "localhost");
    options.ca_file = certificate_;
    Client client(options);
    EXPECT_EQ(failure_of(client), "");
    EXPECT_EQ(site_->requests.size(), 1U);
}

TEST_F(HttpsClient, RefusesACertificateOfAnUnknownAuthority) {
    Client client(site_->options("/hook", "https", "localhost"));
    EXPECT_TRUE(failure_of(client).starts_with("the certificate is not valid"))
        << failure_of(client);
    EXPECT_TRUE(site_->requests.empty());
}

TEST_F(HttpsClient, RefusesACertificateOfAnotherHost) {
    ClientOptions options = site_->options("/hook", "https", "127.0.0.1");
    options.ca_file = certificate_;
    Client client(options);
    EXPECT_TRUE(failure_of(client).starts_with("the certificate is not valid"))
        << failure_of(client);
    EXPECT_TRUE(site_->requests.empty());
}

TEST_F(HttpsClient, SaysWhenAuthoritiesCannotBeRead) {
    ClientOptions options = site_->options("/hook", "https", "localhost");
    options.ca_file = directory_ / "nothing.pem";
    Client client(options);
    EXPECT_TRUE(failure_of(client).starts_with("the certificates of ca_file cannot be loaded"))
        << failure_of(client);
}

TEST(HttpClient, KnowsWhetherAHostHasAnAddress) {
    EXPECT_TRUE(resolves(parse_url("http://127.0.0.1/")));
    EXPECT_TRUE(resolves(parse_url("http://[::1]/")));
    EXPECT_FALSE(resolves(parse_url("http://nothing.invalid/")));
}

}  // namespace
}  // namespace holdfast::relay::http
