#include "postgres/notify_calls.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/errors.hpp"
#include "postgres/scratch_server.hpp"

namespace holdfast::relay::postgres {
namespace {

using std::chrono::milliseconds;

// As for the inbox: stand-ins of the extension's functions that show what has arrived.
class PostgresNotify : public testing::DatabaseTest {
 protected:
    void SetUp() override {
        DatabaseTest::SetUp();
        if (server_ == nullptr) {
            return;
        }
        sql("CREATE SCHEMA holdfast");
        sql("CREATE TABLE holdfast.arrived (text text)");
        sql("CREATE FUNCTION holdfast.notify_admit(text, text, text, int, bigint, bigint, bigint, "
            "text, text, text, jsonb, OUT event_id text, OUT outcome text) LANGUAGE sql AS "
            "$$ SELECT concat_ws(' ', $1, $2, $3, $4, $5, $6, $7, coalesce($8, 'null'), "
            "coalesce($9, 'null'), $10, $11), 'NEW' $$");
        sql("CREATE FUNCTION holdfast.notify_record(text, text, text, int, bigint, bigint, bigint, "
            "text, text, text, jsonb, text, text) RETURNS text LANGUAGE sql AS "
            "$$ SELECT concat_ws(' ', $7, coalesce($12, 'null'), coalesce($13, 'null')) $$");
        sql("CREATE FUNCTION holdfast.notify_take(text, text, lease interval, OUT id bigint, "
            "OUT attempt int, OUT \"partition\" int, OUT kafka_offset bigint, OUT event_id text, "
            "OUT key text, OUT value text, OUT encoding text, OUT event_type text, "
            "OUT traceparent text) RETURNS SETOF record LANGUAGE sql AS "
            "$$ SELECT 5, 2, 0, 0, $1 || ' ' || $3, 'k', NULL::text, 'utf8', 'T', NULL::text "
            "WHERE $2 = 'topic' $$");
        sql("CREATE FUNCTION holdfast.notify_settle(bigint, int, text, interval, text, text) "
            "RETURNS text LANGUAGE sql AS "
            "$$ INSERT INTO holdfast.arrived VALUES (concat_ws(' ', $1, $2, $3, $4, "
            "coalesce($5, 'null'), coalesce($6, 'null'))) RETURNING text $$");
    }
    void raise(const std::string& sqlstate) {
        sql("CREATE OR REPLACE FUNCTION holdfast.notify_record(text, text, text, int, bigint, "
            "bigint, bigint, text, text, text, jsonb, text, text) RETURNS text LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE 'refused' USING ERRCODE = '" +
            sqlstate + "'; END $$");
    }
    static NotifyMessage message() {
        return {.consumer = "group",
                .handler = "POST http://e",
                .topic = "topic",
                .partition = 3,
                .owner_epoch = 9,
                .first_offset = 7,
                .offset = 8,
                .key = std::nullopt,
                .value = R"({"a":"\\"})",
                .encoding = "utf8",
                .headers = R"({"id": "x\"y"})"};
    }
};

TEST_F(PostgresNotify, SendsAllOfAMessage) {
    NotifyCalls calls(options(), "me");
    EXPECT_NO_THROW(calls.verify_notify());
    const NotifyAdmission admission = calls.admit(message());
    EXPECT_EQ(admission.event_id,
              R"(group POST http://e topic 3 9 7 8 null {"a":"\\"} utf8 {"id": "x\"y"})");
    EXPECT_EQ(admission.outcome, "NEW");
    EXPECT_EQ(calls.record(message(), nullptr, nullptr), "8 null null");
    EXPECT_EQ(calls.record(message(), "HF026", "HTTP 400"), "8 HF026 HTTP 400");
}

TEST_F(PostgresNotify, TakesAndSettlesDeadLetters) {
    NotifyCalls calls(options(), "me");
    EXPECT_FALSE(calls.take("group", "other", milliseconds(1)).has_value());
    const std::optional<NotifyQueued> queued = calls.take("group", "topic", milliseconds(61'500));
    ASSERT_TRUE(queued.has_value());
    EXPECT_EQ(queued->id, 5);
    EXPECT_EQ(queued->attempt, 2);
    EXPECT_EQ(queued->event_id, "group 00:01:01.5");
    EXPECT_FALSE(queued->value.has_value());
    EXPECT_EQ(queued->event_type, "T");
    EXPECT_EQ(queued->traceparent, "");
    calls.settle(5, 2, "QUEUED", milliseconds(1'500), nullptr, "HTTP 503");
    Session session(options());
    EXPECT_EQ(session.exec("SELECT text FROM holdfast.arrived").text(0, 0),
              "5 2 QUEUED 00:00:01.5 null HTTP 503");
}

TEST_F(PostgresNotify, ErrorsAreThoseOfTheInbox) {
    NotifyCalls calls(options(), "me");
    raise("HF020");
    EXPECT_THROW(calls.record(message(), nullptr, nullptr), FencedError);
    raise("40001");
    EXPECT_THROW(calls.record(message(), nullptr, nullptr), RetryableError);
    raise("42501");
    EXPECT_THROW(calls.record(message(), nullptr, nullptr), FatalError);
}

TEST_F(PostgresNotify, AnExtensionWithoutTheFunctionsIsRefused) {
    sql("DROP FUNCTION holdfast.notify_settle");
    NotifyCalls calls(options(), "me");
    try {
        calls.verify_notify();
        FAIL() << "no error";
    } catch (const FatalError& error) {
        EXPECT_EQ(error.code(), ExitCode::kConfig);
    }
}

}  // namespace
}  // namespace holdfast::relay::postgres
