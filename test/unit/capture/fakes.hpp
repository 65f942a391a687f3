// The two ends of the pipeline in memory.  The source plays scripted messages; the sink keeps what
// it gets until the test says what became of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/event_fd.hpp"
#include "capture/change_source.hpp"
#include "capture/record_sink.hpp"
#include "support/pgoutput_frames.hpp"

namespace holdfast::relay::capture {

class FakeSource final : public ChangeSource {
 public:
    struct Status {
        Lsn received;
        Lsn confirmed;
        bool operator==(const Status&) const = default;
    };

    // ---- What the test scripts

    void frame(std::string payload, std::uint64_t lsn = 0) {
        push({SourceMessage::Kind::kWalData, lsn, false, std::move(payload)});
    }
    enum class Reply { kNotWanted, kWanted };
    void keepalive(std::uint64_t lsn, Reply reply = Reply::kNotWanted) {
        push({SourceMessage::Kind::kKeepalive, lsn, reply == Reply::kWanted, {}});
    }
    /// The connection breaks after what was scripted so far.
    void break_connection() { push({SourceMessage::Kind::kNothing, 0, false, {}}); }

    std::chrono::milliseconds limit{0};
    std::int64_t server_time_us = 0;  ///< when all of it is sent
    std::vector<Status> statuses;
    [[nodiscard]] std::size_t unread() const { return script_.size(); }

    // ---- ChangeSource

    SourceMessage next() override {
        current_.payload.assign(current_.payload.size(), '!');  // views of the last are dead
        if (script_.empty()) {
            return {};
        }
        if (script_.front().kind == SourceMessage::Kind::kNothing) {
            throw RetryableError("the connection is lost");
        }
        current_ = std::move(script_.front());
        script_.pop_front();
        if (script_.empty()) {
            readable_.drain();
        }
        SourceMessage message;
        message.kind = current_.kind;
        message.wal_start = Lsn{current_.lsn};
        message.wal_end = Lsn{current_.lsn};
        message.server_time_us = server_time_us;
        message.reply_requested = current_.reply;
        message.payload = current_.payload;
        return message;
    }
    void send_status(Lsn received, Lsn confirmed) override {
        statuses.push_back({received, confirmed});
    }
    [[nodiscard]] int fd() const override { return readable_.fd(); }
    [[nodiscard]] bool wants_write() const override { return false; }
    void flush() override {}
    [[nodiscard]] std::chrono::milliseconds silence_limit() const override { return limit; }

 private:
    struct Scripted {
        SourceMessage::Kind kind = SourceMessage::Kind::kNothing;
        std::uint64_t lsn = 0;
        bool reply = false;
        std::string payload;
    };
    void push(Scripted scripted) {
        script_.push_back(std::move(scripted));
        readable_.signal();
    }

    std::deque<Scripted> script_;
    Scripted current_;
    EventFd readable_;
};

class FakeSink final : public RecordSink {
 public:
    struct Sent {
        std::string topic;
        std::int32_t partition = 0;
        std::string key;
        std::string value;
        std::string id;
        std::uint64_t ticket = 0;
        std::string headers{};  ///< "name=value" of each
    };

    // ---- What the test sees and decides

    std::vector<Sent> sent;            ///< everything that was accepted
    std::size_t capacity = 1'000'000;  ///< records that fit
    std::optional<std::int32_t> partitions = 1;
    std::size_t largest_value = 1'000'000;
    std::optional<std::int64_t> topic_limit;  ///< max.message.bytes of every topic
    bool acknowledge_at_once = false;
    std::size_t sent_now = 0;  ///< so many of `sent` do not linger any more

    /// The next poll() reports that the n-th accepted record is delivered.
    void acknowledge(std::size_t n) {
        report({sent.at(n).ticket, sent[n].partition, next_offset_++, true, ExitCode::kOk, {}});
    }
    void acknowledge_all() {
        for (; acknowledged_ < sent.size(); ++acknowledged_) {
            acknowledge(acknowledged_);
        }
    }
    void fail(std::size_t n, ExitCode code, std::string_view reason) {
        report({sent.at(n).ticket, -1, -1, false, code, reason});
    }
    /// Topic and id of each accepted record, from the n-th on.
    [[nodiscard]] std::string ids(std::size_t from = 0) const {
        std::string text;
        for (std::size_t n = from; n < sent.size(); ++n) {
            text += (text.empty() ? "" : " ") + sent[n].id;
        }
        return text;
    }

    // ---- RecordSink

    TopicId topic(std::string_view name) override {
        topics_.emplace_back(name);
        return TopicId{static_cast<std::uint32_t>(topics_.size() - 1)};
    }
    std::optional<std::int32_t> partition_count(TopicId /*topic*/) override { return partitions; }
    std::optional<std::int64_t> max_message_bytes(TopicId /*topic*/) override {
        return topic_limit;
    }
    SendResult send(TopicId topic, std::int32_t partition, const debezium::Record& record,
                    std::uint64_t ticket) override {
        if (record.value && record.value->size() > largest_value) {
            throw FatalError(ExitCode::kMessageTooLarge, "larger than message.max.bytes");
        }
        if (outstanding_ >= capacity) {
            return SendResult::kFull;
        }
        ++outstanding_;
        sent.push_back({topics_.at(static_cast<std::size_t>(topic)),
                        partition,
                        std::string(record.key.value_or("(null)")),
                        std::string(record.value.value_or("(null)")),
                        std::string(record.event_id),
                        ticket,
                        {}});
        for (const debezium::Header& header : record.headers) {
            sent.back().headers += (sent.back().headers.empty() ? "" : " ") +
                                   std::string(header.name) + "=" +
                                   std::string(header.value.value_or("(null)"));
        }
        if (acknowledge_at_once) {
            acknowledge_all();
        }
        return SendResult::kAccepted;
    }
    void send_now() override { sent_now = sent.size(); }
    void poll(DeliveryHandler& handler) override {
        readable_.drain();
        for (const Delivery& delivery : std::exchange(reports_, {})) {
            --outstanding_;
            handler.on_delivery(delivery);
        }
    }
    [[nodiscard]] int fd() const override { return readable_.fd(); }
    void wake() const override { readable_.signal(); }

 private:
    void report(const Delivery& delivery) {
        reports_.push_back(delivery);
        readable_.signal();
    }

    std::deque<std::string> topics_;
    std::vector<Delivery> reports_;
    std::size_t outstanding_ = 0;
    std::size_t acknowledged_ = 0;
    std::int64_t next_offset_ = 0;
    EventFd readable_;
};

}  // namespace holdfast::relay::capture
