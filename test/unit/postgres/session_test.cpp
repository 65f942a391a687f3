#include "postgres/session.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/errors.hpp"
#include "postgres/array_literal.hpp"
#include "postgres/scratch_server.hpp"

namespace holdfast::relay::postgres {
namespace {

using PostgresSession = testing::DatabaseTest;

TEST_F(PostgresSession, PassesParametersAndReadsRows) {
    const Result row = session_->exec(
        "SELECT $1::text AS a, $2::bigint + 1 AS b, $3::text IS NULL AS c, NULL::text AS d",
        {"it's; DROP", "41", nullptr});
    EXPECT_EQ(row.rows(), 1);
    EXPECT_EQ(row.text(0, row.column("a")), "it's; DROP");
    EXPECT_EQ(row.int64(0, row.column("b")), 42);
    EXPECT_TRUE(row.boolean(0, row.column("c")));
    EXPECT_FALSE(row.nullable(0, row.column("d")).has_value());
    EXPECT_THROW(static_cast<void>(row.column("e")), std::out_of_range);
    EXPECT_THROW(static_cast<void>(row.text(1, 0)), std::out_of_range);
    EXPECT_THROW(static_cast<void>(row.int64(0, 0)), std::runtime_error);
}

TEST_F(PostgresSession, KeepsSqlstateDetailAndHintOfAnError) {
    try {
        session_->exec(
            "DO $$BEGIN RAISE 'no' USING ERRCODE = 'HF020', DETAIL = 'd', HINT = 'h'; "
            "END$$");
        FAIL() << "no error";
    } catch (const SqlError& error) {
        EXPECT_EQ(error.sqlstate(), "HF020");
        EXPECT_EQ(error.message(), "no");
        EXPECT_EQ(error.detail(), "d");
        EXPECT_EQ(error.hint(), "h");
    }
    EXPECT_TRUE(session_->usable());
    EXPECT_EQ(session_->exec("SELECT 1").int64(0, 0), 1);
}

TEST_F(PostgresSession, PreparesAStatementOnce) {
    const std::vector<Parameter> parameters{"2"};
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(session_->exec_prepared("twice", "SELECT $1::int * 2", parameters).int64(0, 0),
                  4);
    }
    EXPECT_EQ(session_->exec("SELECT count(*) FROM pg_prepared_statements").int64(0, 0), 1);
}

TEST_F(PostgresSession, LostConnectionIsRetryable) {
    const std::string pid(session_->exec("SELECT pg_backend_pid()").text(0, 0));
    Session other(options());
    other.exec("SELECT pg_terminate_backend($1::int)", {pid.c_str()});
    EXPECT_THROW(
        {
            for (int i = 0; i < 10; ++i) {
                session_->exec("SELECT pg_sleep(0.1)");
            }
        },
        RetryableError);
    EXPECT_THROW(session_->exec("SELECT 1"), RetryableError);
    EXPECT_FALSE(session_->usable());
}

TEST_F(PostgresSession, SetsNameEncodingAndOptions) {
    ConnectOptions with_settings = options();
    with_settings.settings = "-c lock_timeout=123ms";
    Session session(with_settings);
    EXPECT_EQ(session.exec("SHOW application_name").text(0, 0), "test");
    EXPECT_EQ(session.exec("SHOW client_encoding").text(0, 0), "UTF8");
    EXPECT_EQ(session.exec("SHOW lock_timeout").text(0, 0), "123ms");
}

TEST_F(PostgresSession, WaitsOnlySoLongForALock) {
    EXPECT_EQ(session_->exec("SHOW lock_timeout").text(0, 0), "5s");
}

TEST_F(PostgresSession, QuotesIdentifiers) {
    EXPECT_EQ(session_->quote_identifier("a\"b"), "\"a\"\"b\"");
}

TEST_F(PostgresSession, RefusedLoginNeedsAPerson) {
    ConnectOptions wrong = options();
    wrong.dsn = "host=" + server_->directory() + " user=nobody_here dbname=postgres";
    try {
        Session session(wrong);
        FAIL() << "no error";
    } catch (const FatalError& error) {
        EXPECT_EQ(error.code(), ExitCode::kPermissionDenied);
    }
}

TEST_F(PostgresSession, MissingDatabaseIsAConfigurationError) {
    ConnectOptions wrong = options();
    wrong.dsn = "host=" + server_->directory() + " user=postgres dbname=not_here";
    try {
        Session session(wrong);
        FAIL() << "no error";
    } catch (const FatalError& error) {
        EXPECT_EQ(error.code(), ExitCode::kConfig);
    }
}

TEST_F(PostgresSession, ArraysArriveAsTheyWere) {
    ArrayLiteral texts;
    const std::vector<std::string> values{"plain",       "",          "NULL",   "a\"b",
                                          "back\\slash", "{brace},;", " space", "\n\t",
                                          "\\\"\\\\\"",  "é😀"};
    for (const std::string& value : values) {
        texts.append(value);
    }
    texts.append_null();
    const Result rows = session_->exec("SELECT unnest($1::text[])", {texts.c_str()});
    ASSERT_EQ(rows.rows(), static_cast<int>(values.size()) + 1);
    for (std::size_t i = 0; i < values.size(); ++i) {
        EXPECT_EQ(rows.text(static_cast<int>(i), 0), values[i]);
        EXPECT_FALSE(rows.is_null(static_cast<int>(i), 0));
    }
    EXPECT_TRUE(rows.is_null(static_cast<int>(values.size()), 0));
}

TEST(PostgresConnect, RefusesADsnThatIsNone) {
    try {
        const ConnectionHandle none = connect({.dsn = "host=x password='canary",
                                               .password = {},
                                               .passfile = {},
                                               .application_name = {},
                                               .settings = {}},
                                              ConnectionKind::kOrdinary);
        FAIL() << "no error";
    } catch (const FatalError& error) {
        EXPECT_EQ(error.code(), ExitCode::kConfig);
        EXPECT_EQ(std::string(error.what()).find("canary"), std::string::npos);
    }
}

TEST(PostgresConnect, NobodyListeningIsRetryable) {
    EXPECT_THROW(const ConnectionHandle none = connect({.dsn = "host=/nonexistent password=canary",
                                                        .password = {},
                                                        .passfile = {},
                                                        .application_name = {},
                                                        .settings = {}},
                                                       ConnectionKind::kOrdinary),
                 RetryableError);
}

TEST(ArrayLiteral, IsReusable) {
    ArrayLiteral array;
    EXPECT_STREQ(array.c_str(), "{}");
    array.append(std::int64_t{-5});
    EXPECT_STREQ(array.c_str(), "{-5}");
    array.append(std::int64_t{6});
    array.append_null();
    EXPECT_STREQ(array.c_str(), "{-5,6,NULL}");
    array.clear();
    array.append("a\"\\b");
    EXPECT_STREQ(array.c_str(), R"({"a\"\\b"})");
}

TEST(Sqlstate, TransientClassesAreKnown) {
    for (const char* state : {"08006", "40001", "40P01", "53300", "55P03", "57P01", "58030"}) {
        EXPECT_TRUE(is_transient(state)) << state;
    }
    for (const char* state : {"22P02", "23505", "42883", "HF008", "P0001", "XX000", ""}) {
        EXPECT_FALSE(is_transient(state)) << state;
    }
}

}  // namespace
}  // namespace holdfast::relay::postgres
