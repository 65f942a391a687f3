#include "capture/large_records.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/log.hpp"
#include "capture/fakes.hpp"

namespace holdfast::relay::capture {
namespace {

using debezium::Header;
using debezium::Record;

constexpr const char* kId = "0a0b0c0d-0000-0000-0000-000000000001";

/// Keeps what it gets when the test says so.
class FakeStore final : public LargeRecordStore {
 public:
    void keep(std::shared_ptr<const LargeRecord> record) override {
        records.push_back(std::move(record));
        durable = false;
    }
    std::optional<Kept> kept() override {
        if (failure) {
            throw FatalError(ExitCode::kPermissionDenied, "may not be kept");
        }
        return durable ? std::optional<Kept>({kId, "abc"}) : std::nullopt;
    }
    std::vector<std::shared_ptr<const LargeRecord>> records;
    bool durable = false;
    bool failure = false;
};

class Handler final : public DeliveryHandler {
 public:
    void on_delivery(const Delivery& delivery) override {
        text += (text.empty() ? "" : " ") + std::to_string(delivery.ticket) +
                (delivery.delivered ? "@" : "!") + std::to_string(delivery.offset);
    }
    std::string text;
};

class LargeRecords : public testing::Test {
 protected:
    LargeRecords() {
        log::set_level(log::Level::kError);
        inner.topic_limit = 1000;
    }
    ~LargeRecords() override { log::set_level(log::Level::kInfo); }

    void start(const std::vector<TooLargeRule>& rules, bool compressed = false) {
        sink.emplace(inner, &store, TooLargeOptions{rules, compressed}, metrics);
        topic = sink->topic("orders");
    }
    static Record record(const std::string& value) {
        static const std::vector<Header> headers = {{"id", "e"}};
        Record made;
        made.key = "k";
        made.value = value;
        made.headers = headers;
        made.event_id = "e";
        return made;
    }
    SendResult send(const std::string& value, std::uint64_t ticket = 1) {
        return sink->send(topic, 0, record(value), ticket);
    }
    std::string failure(const std::string& value) {
        try {
            return send(value) == SendResult::kFull ? "full" : "accepted";
        } catch (const FatalError& error) {
            return std::string(exit_code_name(error.code())) + ": " + error.what();
        }
    }

    FakeSink inner;
    FakeStore store;
    Handler handler;
    metrics::CaptureMetrics metrics;
    std::optional<LargeRecordSink> sink;
    TopicId topic{};
    const std::string large = std::string(2000, 'x');
};

std::int64_t bytes(std::optional<std::string_view> key, std::optional<std::string_view> value,
                   std::span<const Header> headers = {}) {
    Record record;
    record.key = key;
    record.value = value;
    record.headers = headers;
    return batch_bytes(record);
}

// The batch has 61 bytes, the record its length, 3 bytes of attributes and deltas, key and value
// with a length each, and the number of its headers.
TEST(BatchBytes, AreThoseOfARecordBatchWithThisRecordAlone) {
    const std::vector<Header> headers = {{"id", "e"}};
    EXPECT_EQ(bytes("k", "{}"), 61 + 1 + 3 + 2 + 3 + 1);
    EXPECT_EQ(bytes("k", "{}", headers), 61 + 1 + 3 + 2 + 3 + 1 + 3 + 2);
    EXPECT_EQ(bytes(std::nullopt, std::nullopt), 61 + 1 + 3 + 1 + 1 + 1);
    EXPECT_EQ(bytes(std::nullopt, std::string(57, 'x')), 61 + 1 + 3 + 1 + 1 + 57 + 1);
    EXPECT_EQ(bytes(std::nullopt, std::string(63, 'x')), 61 + 2 + 3 + 1 + 1 + 63 + 1);
    EXPECT_EQ(bytes(std::nullopt, std::string(64, 'x')), 61 + 2 + 3 + 1 + 2 + 64 + 1);
    EXPECT_EQ(bytes(std::nullopt, std::string(10'000, 'x')), 61 + 3 + 3 + 1 + 3 + 10'000 + 1);
}

TEST_F(LargeRecords, WhatFitsExactlyIsSent) {
    start({{"orders", TooLargePolicy::kDeadLetter}});
    const std::string value(1000 - static_cast<std::size_t>(batch_bytes(record(large))) + 2000,
                            'x');
    ASSERT_EQ(batch_bytes(record(value)), 1000);
    EXPECT_EQ(send(value), SendResult::kAccepted);
    EXPECT_TRUE(store.records.empty());
    EXPECT_EQ(send(value + "x", 2), SendResult::kFull);
    EXPECT_EQ(store.records.size(), 1U);
}

TEST_F(LargeRecords, HaltsWithoutARuleAndNotBeforeTheRestIsDelivered) {
    start({{"payments", TooLargePolicy::kDeadLetter}});
    EXPECT_EQ(send("{}"), SendResult::kAccepted);
    EXPECT_EQ(failure(large), "full");
    inner.acknowledge_all();
    sink->poll(handler);
    EXPECT_EQ(failure(large),
              "message_too_large: the topic takes 1000 bytes (max.message.bytes), it needs 2076");
    EXPECT_EQ(inner.sent.size(), 1U);
}

TEST_F(LargeRecords, HaltLeavesItToTheBrokerWhatCompressionMakesOfIt) {
    start({}, true);
    EXPECT_EQ(send(large), SendResult::kAccepted);
}

TEST_F(LargeRecords, AnUnknownLimitIsNone) {
    inner.topic_limit.reset();
    start({{".*", TooLargePolicy::kClaimCheck}});
    EXPECT_EQ(send(large), SendResult::kAccepted);
    EXPECT_EQ(inner.sent[0].value, large);
}

TEST_F(LargeRecords, TheFirstRuleThatMatchesTheWholeNameCounts) {
    start({{"order", TooLargePolicy::kClaimCheck},
           {"(order|payment)s", TooLargePolicy::kDeadLetter},
           {".*", TooLargePolicy::kHalt}});
    EXPECT_EQ(send(large), SendResult::kFull);
    EXPECT_EQ(store.records.at(0)->policy, TooLargePolicy::kDeadLetter);
    EXPECT_THROW(start({{"(", TooLargePolicy::kHalt}}), FatalError);
}

TEST_F(LargeRecords, AClaimCheckIsSentWhenTheRecordIsDurable) {
    start({{"orders", TooLargePolicy::kClaimCheck}});
    EXPECT_EQ(send(large), SendResult::kFull);
    EXPECT_EQ(send(large), SendResult::kFull);
    ASSERT_EQ(store.records.size(), 1U) << "it is asked for once";
    EXPECT_EQ(store.records[0]->value, large);
    EXPECT_EQ(store.records[0]->key, "k");
    EXPECT_EQ(store.records[0]->size_bytes, 2076);
    EXPECT_TRUE(inner.sent.empty());
    store.durable = true;
    EXPECT_EQ(send(large, 7), SendResult::kAccepted);
    ASSERT_EQ(inner.sent.size(), 1U);
    EXPECT_EQ(inner.sent[0].key, "k");
    EXPECT_EQ(inner.sent[0].ticket, 7U);
    EXPECT_EQ(inner.sent[0].headers, std::string("id=e holdfast.claim-check=") + kId);
    EXPECT_EQ(inner.sent[0].value, std::string(R"({"claimCheck":{"id":")") + kId +
                                       R"(","topic":"orders","sizeBytes":2076,"sha256":"abc"}})");
    EXPECT_EQ(metrics.claim_checks.value(), 1U);
    inner.acknowledge_all();
    sink->poll(handler);
    EXPECT_EQ(handler.text, "7@0");
}

TEST_F(LargeRecords, AClaimCheckThatDoesNotFitInTheQueueIsOfferedAgain) {
    start({{"orders", TooLargePolicy::kClaimCheck}});
    send(large);
    store.durable = true;
    inner.capacity = 0;
    EXPECT_EQ(send(large), SendResult::kFull);
    inner.capacity = 1;
    EXPECT_EQ(send(large), SendResult::kAccepted);
    EXPECT_EQ(store.records.size(), 1U);
}

TEST_F(LargeRecords, KeyAndHeadersThatAreTooLargeHalt) {
    start({{"orders", TooLargePolicy::kClaimCheck}});
    const std::string small = "{}";
    Record wide = record(small);
    wide.key = large;
    EXPECT_EQ(sink->send(topic, 0, wide, 1), SendResult::kFull);
    store.durable = true;
    EXPECT_THROW(sink->send(topic, 0, wide, 1), FatalError);
}

TEST_F(LargeRecords, ADeadLetterCountsAsDeliveredWhenItIsDurable) {
    start({{"orders", TooLargePolicy::kDeadLetter}});
    EXPECT_EQ(send(large, 3), SendResult::kFull);
    sink->poll(handler);
    EXPECT_EQ(handler.text, "");
    store.durable = true;
    EXPECT_EQ(send(large, 3), SendResult::kAccepted);
    EXPECT_EQ(send("{}", 4), SendResult::kAccepted);
    inner.acknowledge_all();
    sink->poll(handler);
    EXPECT_EQ(handler.text, "4@0 3@-1");
    EXPECT_EQ(inner.sent.size(), 1U);
    EXPECT_EQ(metrics.large_dead_letters.value(), 1U);
}

TEST_F(LargeRecords, ARecordThatTheClientRefusesIsTooLargeAsWell) {
    inner.largest_value = 10;
    start({{"orders", TooLargePolicy::kDeadLetter}});
    EXPECT_EQ(send(std::string(11, 'x')), SendResult::kFull);
    EXPECT_EQ(store.records.at(0)->reason, "larger than message.max.bytes");
}

TEST_F(LargeRecords, AnotherRecordThanTheOneThatIsKeptIsKeptItself) {
    start({{"orders", TooLargePolicy::kClaimCheck}});
    send(large);
    store.durable = true;
    EXPECT_EQ(send(large + "y"), SendResult::kFull) << "the stream began again elsewhere";
    EXPECT_EQ(store.records.size(), 2U);
}

TEST_F(LargeRecords, WhatCannotBeKeptHalts) {
    start({{"orders", TooLargePolicy::kClaimCheck}});
    store.failure = true;
    EXPECT_EQ(failure(large), "permission_denied: may not be kept");
}

}  // namespace
}  // namespace holdfast::relay::capture
