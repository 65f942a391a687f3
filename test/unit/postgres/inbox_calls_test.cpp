#include "postgres/inbox_calls.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/errors.hpp"
#include "postgres/scratch_server.hpp"

namespace holdfast::relay::postgres {
namespace {

// The extension has its own tests; here its two functions are stand-ins with the same signatures
// that show what has arrived.
class PostgresInbox : public testing::DatabaseTest {
 protected:
    void SetUp() override {
        DatabaseTest::SetUp();
        if (server_ == nullptr) {
            return;
        }
        sql("CREATE SCHEMA holdfast");
        sql("CREATE FUNCTION holdfast.inbox_claim(consumer text, topic text, \"partition\" int, "
            "initial_offset bigint, owner text, OUT next_offset bigint, OUT owner_epoch bigint) "
            "LANGUAGE sql AS 'SELECT $4 + 5, 9::bigint'");
        sql("CREATE FUNCTION holdfast.on_event(text, jsonb, jsonb) RETURNS void "
            "LANGUAGE sql AS ''");
        define_apply(
            "SELECT o, 'APPLIED'::text, NULL::text, coalesce(k, 'null') || '=' || "
            "coalesce(v, 'null') || ' ' || e || ' ' || h || ' ' || $1 || ' ' || $2 || ' ' || $3 "
            "|| ' ' || $4 || ' ' || $5 || ' ' || $6 || ' ' || $7 "
            "FROM unnest($8, $9, $10, $11, $12) AS u(o, k, v, e, h)");
    }
    void define_apply(const std::string& body, const std::string& language = "sql") {
        sql("CREATE OR REPLACE FUNCTION holdfast.inbox_apply(consumer text, handler regprocedure, "
            "topic text, \"partition\" int, owner_epoch bigint, first_offset bigint, "
            "next_offset bigint, offsets bigint[], keys text[], \"values\" text[], "
            "encodings text[], headers jsonb[]) "
            "RETURNS TABLE (kafka_offset bigint, outcome text, sqlstate text, message text) "
            "LANGUAGE " +
            language + " AS $body$" + body + "$body$");
    }
    void raise(const std::string& sqlstate) {
        define_apply("#variable_conflict use_column\nBEGIN RAISE 'refused' USING ERRCODE = '" +
                         sqlstate + "'; END",
                     "plpgsql");
    }
    std::vector<InboxOutcome> apply(InboxCalls& calls) {
        arguments_.clear();
        arguments_.append(7, "key", "{\"a\": \"\\\\\"}", "utf8", R"({"id": "x\"y"})");
        arguments_.append(8, std::nullopt, std::nullopt, "base64", "{}");
        return calls.apply({.consumer = consumer_,
                            .call = call_,
                            .topic = topic_,
                            .partition = 3,
                            .owner_epoch = 9,
                            .first_offset = 7,
                            .next_offset = 9},
                           arguments_);
    }

    const std::string consumer_ = "group";
    const std::string call_ = "holdfast.on_event";
    const std::string topic_ = "topic";
    InboxArguments arguments_;
};

TEST_F(PostgresInbox, ClaimsAndAppliesWithAllArguments) {
    InboxCalls calls(options(), "me");
    const InboxClaim claim = calls.claim(consumer_, topic_, 3, 2);
    EXPECT_EQ(claim.next_offset, 7);
    EXPECT_EQ(claim.owner_epoch, 9);
    const auto outcomes = apply(calls);
    ASSERT_EQ(outcomes.size(), 2U);
    EXPECT_EQ(outcomes[0].offset, 7);
    EXPECT_EQ(outcomes[0].outcome, "APPLIED");
    EXPECT_EQ(outcomes[0].message,
              R"(key={"a": "\\"} utf8 {"id": "x\"y"} group holdfast.on_event(text,jsonb,jsonb))"
              " topic 3 9 7 9");
    EXPECT_TRUE(outcomes[1].message.starts_with("null=null base64 {} "));
}

TEST_F(PostgresInbox, VerifiesTheHandler) {
    InboxCalls calls(options(), "me");
    EXPECT_NO_THROW(calls.verify("holdfast.on_event"));
    EXPECT_NO_THROW(calls.verify("holdfast.on_event(text,jsonb,jsonb)"));
    for (const char* wrong : {"holdfast.nothing", "no_schema.f", "pg_catalog.now", "a b c"}) {
        try {
            calls.verify(wrong);
            FAIL() << wrong;
        } catch (const FatalError& error) {
            EXPECT_EQ(error.code(), ExitCode::kConfig) << wrong;
        }
    }
}

TEST_F(PostgresInbox, MapsErrorsToWhatTheCallerDoes) {
    InboxCalls calls(options(), "me");
    raise("HF020");
    EXPECT_THROW(apply(calls), FencedError);
    for (const char* state : {"40001", "40P01", "53200", "55P03", "57014", "58030"}) {
        raise(state);
        EXPECT_THROW(apply(calls), RetryableError) << state;
    }
    raise("42501");
    try {
        apply(calls);
        FAIL() << "no error";
    } catch (const FatalError& error) {
        EXPECT_EQ(error.code(), ExitCode::kPermissionDenied);
    }
    raise("42883");
    try {
        apply(calls);
        FAIL() << "no error";
    } catch (const FatalError& error) {
        EXPECT_EQ(error.code(), ExitCode::kConfig);
    }
    raise("XX000");
    EXPECT_THROW(apply(calls), SqlError);
}

TEST_F(PostgresInbox, ConnectsAgainAfterALostConnection) {
    InboxCalls calls(options(), "me");
    apply(calls);
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()");
    EXPECT_THROW(apply(calls), RetryableError);
    EXPECT_EQ(apply(calls).size(), 2U);
}

TEST_F(PostgresInbox, WaitsOnlySoLongForALock) {
    InboxCalls calls(options(), "me");
    define_apply(
        "BEGIN RETURN QUERY SELECT 1::bigint, current_setting('lock_timeout'), ''::text, "
        "''::text; END",
        "plpgsql");
    EXPECT_EQ(apply(calls)[0].outcome, "5s");
}

}  // namespace
}  // namespace holdfast::relay::postgres
