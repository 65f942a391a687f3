#include "adapters/http_endpoints.hpp"

#include <gtest/gtest.h>
#include <httplib.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "base/log.hpp"
#include "base/poll.hpp"

namespace holdfast::relay::adapters {
namespace {

using std::chrono::milliseconds;

class Endpoints : public ::testing::Test {
 protected:
    void SetUp() override {
        std::signal(SIGPIPE, SIG_IGN);
        server_.Post(R"(/(.*))",
                     [this](const httplib::Request& request, httplib::Response& answer) {
                         if (request.path == "/slow") {
                             released_.wait();
                         }
                         const std::lock_guard lock(mutex_);
                         requests_.push_back(request);
                         answer.status = request.path == "/busy" ? 503 : 200;
                         answer.set_header("Retry-After", "9");
                     });
        port_ = server_.bind_to_any_port("127.0.0.1");
        thread_ = std::thread([this] { server_.listen_after_bind(); });
        while (!server_.is_running()) {
            std::this_thread::yield();
        }
    }
    void TearDown() override {
        release();
        server_.stop();
        thread_.join();
    }
    void release() {
        if (!std::exchange(open_, true)) {
            gate_.set_value();
        }
    }
    HttpEndpoint at(const std::string& path, const std::string& secret = "") const {
        return {.client = {.url = parse_url("http://127.0.0.1:" + std::to_string(port_) + path),
                           .timeout = milliseconds(5'000),
                           .ca_file = {}},
                .secret = secret,
                .secret_header = "X-Secret"};
    }
    static notify::Request request(const std::string& id) {
        return {.event_id = id,
                .topic = "payment-event",
                .event_type = "",
                .traceparent = "",
                .body = "{}"};
    }
    static notify::Response wait_response(HttpEndpoints& endpoints) {
        while (true) {
            if (auto response = endpoints.take()) {
                return *response;
            }
            pollfd descriptor{endpoints.fd(), POLLIN, 0};
            wait_for({&descriptor, 1}, std::chrono::seconds(5));
        }
    }

    std::vector<httplib::Request> requests_;

 private:
    httplib::Server server_;
    std::mutex mutex_;
    int port_ = 0;
    std::thread thread_;
    std::promise<void> gate_;
    std::shared_future<void> released_ = gate_.get_future().share();
    bool open_ = false;
};

TEST_F(Endpoints, SendTheEventInHeadersAndBody) {
    HttpEndpoints endpoints({at("/hook", "Bearer 0f8f")});
    endpoints.post(0, 7,
                   {.event_id = "e-1",
                    .topic = "payment-event",
                    .event_type = "PaymentEvent",
                    .traceparent = "00-a-b-01",
                    .body = "{\"a\":1}"});
    const notify::Response response = wait_response(endpoints);
    EXPECT_EQ(response.ticket, 7U);
    EXPECT_EQ(response.status, 200);
    ASSERT_EQ(requests_.size(), 1U);
    EXPECT_EQ(requests_[0].get_header_value("Holdfast-Event-Id"), "e-1");
    EXPECT_EQ(requests_[0].get_header_value("Holdfast-Topic"), "payment-event");
    EXPECT_EQ(requests_[0].get_header_value("Holdfast-Event-Type"), "PaymentEvent");
    EXPECT_EQ(requests_[0].get_header_value("traceparent"), "00-a-b-01");
    EXPECT_EQ(requests_[0].get_header_value("X-Secret"), "Bearer 0f8f");
    EXPECT_EQ(requests_[0].get_header_value("Content-Type"), "application/json");
    EXPECT_EQ(requests_[0].body, "{\"a\":1}");
}

TEST_F(Endpoints, LeaveOutWhatIsNotThere) {
    HttpEndpoints endpoints({at("/hook")});
    endpoints.post(0, 1, request("e-1"));
    wait_response(endpoints);
    ASSERT_EQ(requests_.size(), 1U);
    for (const char* name : {"Holdfast-Event-Type", "traceparent", "X-Secret", "Authorization"}) {
        EXPECT_FALSE(requests_[0].has_header(name)) << name;
    }
}

TEST_F(Endpoints, NothingInAMessageBeginsAHeader) {
    HttpEndpoints endpoints({at("/hook")});
    endpoints.post(0, 1, request("e\r\nX-Secret: forged\r\n\r\n"));
    wait_response(endpoints);
    ASSERT_EQ(requests_.size(), 1U);
    EXPECT_FALSE(requests_[0].has_header("X-Secret"));
    EXPECT_EQ(header_value("a b%\xC3\xB6\n "), "a b%25%C3%B6%0A%20");
    EXPECT_EQ(header_value("018f4f0e-7a3b-7c00-8000-000000000000"),
              "018f4f0e-7a3b-7c00-8000-000000000000");
}

TEST_F(Endpoints, KeepTheOrderOfABinding) {
    HttpEndpoints endpoints({at("/hook")});
    for (std::uint64_t i = 1; i <= 20; ++i) {
        endpoints.post(0, i, request("e"));
    }
    for (std::uint64_t i = 1; i <= 20; ++i) {
        EXPECT_EQ(wait_response(endpoints).ticket, i);
    }
}

TEST_F(Endpoints, SlowOneHoldsUpItsBindingOnly) {
    HttpEndpoints endpoints({at("/slow"), at("/hook")});
    endpoints.post(0, 1, request("slow"));
    endpoints.post(1, 2, request("quick"));
    EXPECT_EQ(wait_response(endpoints).ticket, 2U);
    EXPECT_FALSE(endpoints.take().has_value());
    release();
    EXPECT_EQ(wait_response(endpoints).ticket, 1U);
}

TEST_F(Endpoints, ReportWhatWentWrongWithoutTheSecret) {
    HttpEndpoint nowhere = at("/path-is-hidden", "secret-is-hidden");
    nowhere.client.url.port = 1;
    HttpEndpoints endpoints({nowhere, at("/busy", "secret-is-hidden")});
    endpoints.post(0, 1, request("e"));
    const notify::Response failed = wait_response(endpoints);
    EXPECT_EQ(failed.status, 0);
    EXPECT_TRUE(failed.cause.starts_with("cannot connect")) << failed.cause;
    EXPECT_EQ(failed.cause.find("hidden"), std::string::npos) << failed.cause;
    endpoints.post(1, 2, request("e"));
    const notify::Response busy = wait_response(endpoints);
    EXPECT_EQ(busy.status, 503);
    EXPECT_EQ(busy.retry_after, "9");
    EXPECT_EQ(busy.cause, "");
}

}  // namespace
}  // namespace holdfast::relay::adapters
