#include "adapters/http_endpoints.hpp"

#include <exception>
#include <utility>

namespace holdfast::relay::adapters {

struct HttpEndpoints::Lane {
    explicit Lane(HttpEndpoint where) : endpoint(std::move(where)), client(endpoint.client) {}

    struct Entry {
        std::uint64_t ticket = 0;
        notify::Request request;
    };

    HttpEndpoint endpoint;
    http::Client client;
    std::mutex mutex;
    std::condition_variable_any waiting;
    std::deque<Entry> entries;
    std::jthread thread;
};

HttpEndpoints::HttpEndpoints(std::vector<HttpEndpoint> endpoints) {
    for (HttpEndpoint& endpoint : endpoints) {
        lanes_.push_back(std::make_unique<Lane>(std::move(endpoint)));
        Lane& lane = *lanes_.back();
        lane.thread =
            std::jthread([this, &lane](const std::stop_token& stop) { serve(lane, stop); });
    }
}

HttpEndpoints::~HttpEndpoints() = default;

void HttpEndpoints::post(std::size_t binding, std::uint64_t ticket, notify::Request request) {
    Lane& lane = *lanes_.at(binding);
    {
        const std::lock_guard lock(lane.mutex);
        lane.entries.push_back({ticket, std::move(request)});
    }
    lane.waiting.notify_one();
}

std::optional<notify::Response> HttpEndpoints::take() {
    const std::lock_guard lock(mutex_);
    if (responses_.empty()) {
        answered_.drain();
        return std::nullopt;
    }
    notify::Response response = std::move(responses_.front());
    responses_.pop_front();
    return response;
}

void HttpEndpoints::serve(Lane& lane, const std::stop_token& stop) {
    while (true) {
        Lane::Entry entry;
        {
            std::unique_lock lock(lane.mutex);
            lane.waiting.wait(lock, stop, [&lane] { return !lane.entries.empty(); });
            if (stop.stop_requested()) {
                return;
            }
            entry = std::move(lane.entries.front());
            lane.entries.pop_front();
        }
        notify::Response response = send(lane, entry.ticket, entry.request);
        {
            const std::lock_guard lock(mutex_);
            responses_.push_back(std::move(response));
        }
        answered_.signal();
    }
}

notify::Response HttpEndpoints::send(Lane& lane, std::uint64_t ticket,
                                     const notify::Request& request) const {
    http::Client::Headers headers{{"Holdfast-Event-Id", header_value(request.event_id)},
                                  {"Holdfast-Topic", header_value(request.topic)}};
    const auto add = [&headers](const char* name, const std::string& value) {
        if (!value.empty()) {
            headers.emplace_back(name, header_value(value));
        }
    };
    add("Holdfast-Event-Type", request.event_type);
    add("traceparent", request.traceparent);
    if (!lane.endpoint.secret.empty()) {
        headers.emplace_back(lane.endpoint.secret_header, lane.endpoint.secret);
    }
    notify::Response response;
    response.ticket = ticket;
    try {
        http::Answer answer = lane.client.post(headers, request.body);
        response.status = answer.status;
        response.retry_after = std::move(answer.retry_after);
    } catch (const std::exception& error) {
        response.cause = error.what();
    }
    return response;
}

std::string header_value(const std::string& text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string value;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool inner_space = byte == ' ' && i > 0 && i + 1 < text.size();
        if ((byte > ' ' && byte <= '~' && byte != '%') || inner_space) {
            value += text[i];
        } else {
            value += '%';
            value += kHex[byte >> 4U];
            value += kHex[byte & 0xFU];
        }
    }
    return value;
}

}  // namespace holdfast::relay::adapters
