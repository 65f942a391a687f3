#include "postgres/replication_stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/byte_reader.hpp"
#include "base/errors.hpp"
#include "base/poll.hpp"
#include "postgres/catalog.hpp"
#include "postgres/scratch_server.hpp"
#include "support/manual_clock.hpp"

namespace holdfast::relay::postgres {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

TEST(StreamFraming, DecodesWalData) {
    const std::string row = "w\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3payload"s;
    const StreamMessage message = decode_stream_message(row);
    EXPECT_EQ(message.kind, StreamMessage::Kind::kWalData);
    EXPECT_EQ(message.wal_start, Lsn{1});
    EXPECT_EQ(message.wal_end, Lsn{2});
    EXPECT_EQ(message.server_time_us, 3);
    EXPECT_EQ(message.payload, "payload");
    EXPECT_EQ(message.payload.data(), row.data() + 25);
}

TEST(StreamFraming, DecodesKeepalives) {
    const StreamMessage message = decode_stream_message("k\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\3\1"s);
    EXPECT_EQ(message.kind, StreamMessage::Kind::kKeepalive);
    EXPECT_EQ(message.wal_end.value, 0x100000002U);
    EXPECT_TRUE(message.reply_requested);
}

TEST(StreamFraming, RefusesTruncatedAndUnknownRows) {
    const std::string row = "w\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3"s;
    EXPECT_NO_THROW(static_cast<void>(decode_stream_message(row)));
    for (std::size_t size = 0; size < row.size(); ++size) {
        EXPECT_THROW(static_cast<void>(decode_stream_message(row.substr(0, size))), ProtocolError)
            << size;
    }
    EXPECT_THROW(static_cast<void>(decode_stream_message("k\0\0\0\1"s)), ProtocolError);
    EXPECT_THROW(static_cast<void>(decode_stream_message("x12345678"s)), ProtocolError);
}

TEST(StreamFraming, EncodesStatus) {
    const auto bytes =
        encode_status(Lsn{0x0102030405060708}, Lsn{2}, Lsn{3}, -1, Reply::kRequested);
    EXPECT_EQ(
        std::string(bytes.data(), bytes.size()),
        "r\1\2\3\4\5\6\7\x08\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1"s);
    EXPECT_EQ(encode_status({}, {}, {}, 0, Reply::kNotNeeded).back(), 0);
}

class PostgresStream : public testing::DatabaseTest {
 protected:
    void SetUp() override {
        DatabaseTest::SetUp();
        if (server_ == nullptr) {
            return;
        }
        slot_ = database_ + "_slot";
        sql("CREATE SCHEMA holdfast");
        sql("CREATE TABLE holdfast.outbox (id int PRIMARY KEY, payload text)");
        sql("CREATE PUBLICATION holdfast FOR TABLE holdfast.outbox "
            "WITH (publish = 'insert', publish_via_partition_root = true)");
    }
    void TearDown() override {
        if (server_ == nullptr) {
            return;
        }
        // Sessions of the stream end on their own; a slot would stay.
        for (int i = 0; i < 50; ++i) {
            try {
                sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                    "WHERE database = current_database()");
                return;
            } catch (const SqlError&) {
                sql("SELECT pg_sleep(0.1)");
            }
        }
    }
    [[nodiscard]] StreamOptions stream_options() const {
        return {.slot = slot_, .publication = "holdfast", .start = {}, .silence = {}};
    }
    /// Calls next() until `enough`, waiting on the descriptor.
    static void pump(ReplicationStream& stream,
                     const std::function<bool(const StreamMessage&)>& enough) {
        const auto until = steady_clock::now() + seconds(10);
        while (steady_clock::now() < until) {
            const StreamMessage message = stream.next();
            if (message.kind != StreamMessage::Kind::kNothing) {
                if (enough(message)) {
                    return;
                }
                continue;
            }
            std::array<pollfd, 1> wait{pollfd{stream.fd(), POLLIN, 0}};
            wait_for(wait, milliseconds(200));
        }
        FAIL() << "nothing more comes";
    }
    /// Tags of pgoutput messages up to the first commit.
    static std::string tags_until_commit(ReplicationStream& stream) {
        std::string tags;
        pump(stream, [&](const StreamMessage& message) {
            if (message.kind == StreamMessage::Kind::kWalData) {
                tags += message.payload.front();
            }
            return tags.ends_with('C');
        });
        return tags;
    }
    ExitCode code_of(const std::function<void()>& action) {
        try {
            action();
        } catch (const FatalError& error) {
            EXPECT_FALSE(error.hint().empty());
            return error.code();
        }
        return ExitCode::kOk;
    }

    std::string slot_;
    SystemClock clock_;
};

TEST_F(PostgresStream, StreamsInsertsAndLogicalMessages) {
    EXPECT_NE(create_slot(*session_, slot_, "holdfast", "pgoutput"), Lsn{});
    ReplicationStream stream(options(), clock_);
    const SystemIdentity identity = stream.identify_system();
    EXPECT_EQ(identity.database, database_);
    EXPECT_FALSE(identity.system_identifier.empty());
    EXPECT_GT(identity.timeline, 0U);
    stream.start(stream_options());
    EXPECT_EQ(stream.wal_sender_timeout(), milliseconds(4'000));
    sql("INSERT INTO holdfast.outbox VALUES (1, 'one')");
    EXPECT_EQ(tags_until_commit(stream), "BRIC");
    sql("SELECT pg_logical_emit_message(true, 'outbox', 'x')");
    EXPECT_EQ(tags_until_commit(stream), "BMC");
}

TEST_F(PostgresStream, ConfirmsWhatTheStatusSays) {
    create_slot(*session_, slot_, "holdfast", "pgoutput");
    ReplicationStream stream(options(), clock_);
    stream.start(stream_options());
    sql("INSERT INTO holdfast.outbox VALUES (1, 'one')");
    tags_until_commit(stream);
    const Lsn end = *Lsn::parse(sql("SELECT pg_current_wal_flush_lsn()").text(0, 0));
    stream.send_status(end, end, end);
    stream.stop(seconds(5));
    EXPECT_EQ(read_slot(*session_, slot_)->confirmed_flush, end);
}

/// The extension's output plugin beside the server's, on slots that begin at the same place.
class PluginStream : public PostgresStream {
 protected:
    struct Seen {
        Lsn start;
        std::string payload;
        bool operator==(const Seen&) const = default;
    };

    void SetUp() override {
        PostgresStream::SetUp();
        if (server_ == nullptr) {
            return;
        }
        // Older minor releases have no such setting, and allow any plugin.
        sql("DO $$ BEGIN IF current_setting('output_plugin_libraries', true) IS NOT NULL THEN "
            "EXECUTE format('ALTER DATABASE %I SET output_plugin_libraries = pgoutput, holdfast', "
            "current_database()); END IF; END $$");
        session_.emplace(options());
        create_slot(*session_, slot_, "holdfast", "holdfast");
        sql("SELECT pg_copy_logical_replication_slot('" + slot_ + "', '" + slot_ +
            "_single', false, 'pgoutput')");
    }
    [[nodiscard]] StreamOptions batched_options() const {
        StreamOptions options = stream_options();
        options.batches = true;
        return options;
    }
    [[nodiscard]] StreamOptions single_options() const {
        StreamOptions options = stream_options();
        options.slot += "_single";
        return options;
    }
    /// What a stream says up to the `count`th commit.
    static std::vector<Seen> until_commits(ReplicationStream& stream, int count) {
        std::vector<Seen> seen;
        pump(stream, [&](const StreamMessage& message) {
            if (message.kind == StreamMessage::Kind::kWalData) {
                seen.push_back({message.wal_start, std::string(message.payload)});
                count -= message.payload.front() == 'C' ? 1 : 0;
            }
            return count == 0;
        });
        return seen;
    }
};

TEST_F(PluginStream, BatchesHoldWhatPgoutputSends) {
    sql("INSERT INTO holdfast.outbox VALUES (0, 'first')");
    sql("DO $$ BEGIN FOR n IN 1..3000 LOOP "
        "INSERT INTO holdfast.outbox VALUES (n, repeat('x', n % 500)); COMMIT; END LOOP; END $$");
    sql("INSERT INTO holdfast.outbox SELECT n, repeat('y', 100) FROM generate_series(4000, 5000) "
        "n");
    sql("INSERT INTO holdfast.outbox VALUES (6000, repeat('long', 100000))");
    sql("SELECT pg_logical_emit_message(true, 'outbox', 'x')");
    ReplicationStream batched(options(), clock_);
    batched.start(batched_options());
    ReplicationStream single(options(), clock_);
    single.start(single_options());
    constexpr int kCommits = 1 + 3000 + 1 + 1 + 1;
    const std::vector<Seen> expected = until_commits(single, kCommits);
    EXPECT_EQ(expected.size(), 3U * (1 + 3000 + 1 + 1) + 1 + 1001 + 2);
    EXPECT_TRUE(until_commits(batched, kCommits) == expected);
}

TEST_F(PluginStream, NothingWaitsForABatchToFill) {
    ReplicationStream stream(options(), clock_);
    stream.start(batched_options());
    sql("INSERT INTO holdfast.outbox VALUES (1, 'one')");
    EXPECT_EQ(tags_until_commit(stream), "BRIC");
    sql("INSERT INTO holdfast.outbox VALUES (2, 'two')");
    EXPECT_EQ(tags_until_commit(stream), "BIC");
}

TEST_F(PluginStream, AMarkLetsWhatIsNotPublishedBeConfirmed) {
    sql("CREATE TABLE other (id int)");
    ReplicationStream stream(options(), clock_);
    stream.start(batched_options());
    sql("INSERT INTO other SELECT generate_series(1, 1000)");
    const Lsn end = *Lsn::parse(sql("SELECT pg_current_wal_insert_lsn()").text(0, 0));
    Lsn last;
    pump(stream, [&](const StreamMessage& message) {
        EXPECT_EQ(message.kind, StreamMessage::Kind::kKeepalive);
        last = message.wal_end;
        return last >= end;
    });
    stream.send_status(last, last, last);
    stream.stop(seconds(5));
    EXPECT_GE(read_slot(*session_, slot_)->confirmed_flush, end);
}

// The server answers at once, also while it gathers, and says how far it has decoded.
TEST_F(PluginStream, NoKeepaliveIsAheadOfWhatHasCome) {
    constexpr int kTransactions = 40'000;
    sql("DO $$ BEGIN FOR n IN 1.." + std::to_string(kTransactions) +
        " LOOP INSERT INTO holdfast.outbox VALUES (n, repeat('x', 200)); COMMIT; END LOOP; END $$");
    test::ManualClock clock;
    ReplicationStream stream(options(), clock);
    stream.start(batched_options());
    Lsn sent_before;
    int keepalives = 0;
    int commits = 0;
    int messages = 0;
    pump(stream, [&](const StreamMessage& message) {
        if (message.kind == StreamMessage::Kind::kKeepalive) {
            ++keepalives;
            sent_before = std::max(sent_before, message.wal_end);
            return false;
        }
        if (message.payload.front() == 'C') {
            ++commits;
            EXPECT_GT(Lsn{ByteReader(message.payload.substr(10)).u64()}, sent_before);
        }
        // More than libpq holds, so that something is heard in between.
        if (++messages % 4000 == 0) {
            clock.advance(seconds(5));
            stream.send_status({}, {}, {});
        }
        return commits == kTransactions;
    });
    EXPECT_GT(keepalives, 10);
}

TEST_F(PluginStream, PluginThatTheRoleMayNotUseNeedsAPerson) {
    if (sql("SELECT current_setting('output_plugin_libraries', true) IS NULL").boolean(0, 0)) {
        GTEST_SKIP() << "this minor release allows any plugin";
    }
    sql("ALTER DATABASE " + database_ + " RESET output_plugin_libraries");
    ReplicationStream stream(options(), clock_);
    EXPECT_EQ(code_of([&] { stream.start(batched_options()); }), ExitCode::kPermissionDenied);
}

TEST_F(PluginStream, PluginThatIsNotInstalledIsNotTakenForLostWal) {
    sql("ALTER DATABASE " + database_ + " SET dynamic_library_path = '/not/there'");
    ReplicationStream stream(options(), clock_);
    EXPECT_EQ(code_of([&] { stream.start(batched_options()); }), ExitCode::kConfig);
}

TEST_F(PostgresStream, SecondReaderOfASlotHasToWait) {
    create_slot(*session_, slot_, "holdfast", "pgoutput");
    ReplicationStream one(options(), clock_);
    one.start(stream_options());
    ReplicationStream two(options(), clock_);
    EXPECT_THROW(two.start(stream_options()), SlotInUseError);
}

TEST_F(PostgresStream, MissingSlotNeedsAPerson) {
    ReplicationStream stream(options(), clock_);
    EXPECT_EQ(code_of([&] { stream.start(stream_options()); }), ExitCode::kSlotMissing);
}

TEST_F(PostgresStream, MissingPublicationNeedsAPerson) {
    create_slot(*session_, slot_, "holdfast", "pgoutput");
    sql("DROP PUBLICATION holdfast");
    ReplicationStream stream(options(), clock_);
    stream.start(stream_options());
    sql("INSERT INTO holdfast.outbox VALUES (1, 'one')");
    EXPECT_EQ(code_of([&] { tags_until_commit(stream); }), ExitCode::kPublicationMissing);
}

TEST_F(PostgresStream, TerminatedWalsenderIsRetryable) {
    create_slot(*session_, slot_, "holdfast", "pgoutput");
    ReplicationStream stream(options(), clock_);
    stream.start(stream_options());
    sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '" +
        slot_ + "'");
    EXPECT_THROW(pump(stream, [](const StreamMessage&) { return false; }), RetryableError);
}

TEST_F(PostgresStream, SilentServerIsAskedAndThenGivenUp) {
    create_slot(*session_, slot_, "holdfast", "pgoutput");
    test::ManualClock clock;
    ReplicationStream stream(options(), clock);
    stream.start(stream_options());
    pump(stream, [](const StreamMessage&) { return true; });
    // Past the limit the status asks for an answer, and the answer counts as a sign of life.
    clock.advance(seconds(5));
    stream.send_status({}, {}, {});
    pump(stream, [](const StreamMessage& message) {
        return message.kind == StreamMessage::Kind::kKeepalive;
    });
    EXPECT_NO_THROW(static_cast<void>(stream.next()));
    clock.advance(seconds(9));
    EXPECT_THROW(
        {
            // A keepalive may still be on its way.
            static_cast<void>(stream.next());
            clock.advance(seconds(9));
            static_cast<void>(stream.next());
        },
        RetryableError);
}

TEST_F(PostgresStream, SlotIsNotMadeWithoutPublication) {
    EXPECT_EQ(code_of([&] { create_slot(*session_, slot_, "not_there", "pgoutput"); }),
              ExitCode::kPublicationMissing);
    EXPECT_FALSE(read_slot(*session_, slot_).has_value());
}

class PostgresCatalog : public PostgresStream {
 protected:
    [[nodiscard]] StreamRequirements required() const {
        return {.slot = slot_,
                .publication = "holdfast",
                .outboxes = {{.table = "holdfast.outbox", .columns = {"id", "payload"}}},
                .system_identifier = {}};
    }
    /// The codes of what inspect() finds; the extension is never installed here.
    std::vector<ExitCode> codes(const StreamRequirements& requirements) {
        std::vector<ExitCode> found;
        for (const Finding& finding : inspect(*session_, requirements)) {
            if (finding.message.find("the extension holdfast is not installed") ==
                std::string::npos) {
                found.push_back(finding.code);
                EXPECT_FALSE(finding.hint.empty()) << finding.message;
            }
        }
        return found;
    }
    using Codes = std::vector<ExitCode>;
};

TEST_F(PostgresCatalog, FindsNothingWhenAllIsWell) {
    create_slot(*session_, slot_, "holdfast", "pgoutput");
    EXPECT_EQ(codes(required()), Codes{});
    const auto slot = read_slot(*session_, slot_);
    ASSERT_TRUE(slot.has_value());
    EXPECT_EQ(slot->plugin, "pgoutput");
    EXPECT_EQ(slot->database, database_);
    EXPECT_EQ(slot->wal_status, "reserved");
    EXPECT_FALSE(slot->temporary);
    EXPECT_FALSE(slot->active_pid.has_value());
}

TEST_F(PostgresCatalog, FindsAMissingSlot) {
    EXPECT_EQ(codes(required()), Codes{ExitCode::kSlotMissing});
}

TEST_F(PostgresCatalog, FindsASlotOfAnotherDatabase) {
    Session other(server_->options());
    other.exec("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", {slot_.c_str()});
    EXPECT_EQ(codes(required()), Codes{ExitCode::kConfig});
    other.exec("SELECT pg_drop_replication_slot($1)", {slot_.c_str()});
}

TEST_F(PostgresCatalog, FindsWhatIsWrongWithThePublication) {
    create_slot(*session_, slot_, "holdfast", "pgoutput");
    sql("ALTER PUBLICATION holdfast SET TABLE holdfast.outbox WHERE (id > 0)");
    EXPECT_EQ(codes(required()), Codes{ExitCode::kPublicationChanged});
    sql("ALTER PUBLICATION holdfast SET TABLE holdfast.outbox (id)");
    EXPECT_EQ(codes(required()), Codes{ExitCode::kPublicationChanged});
    sql("ALTER PUBLICATION holdfast DROP TABLE holdfast.outbox");
    EXPECT_EQ(codes(required()), Codes{ExitCode::kPublicationChanged});
    sql("ALTER PUBLICATION holdfast ADD TABLE holdfast.outbox");
    sql("ALTER PUBLICATION holdfast SET (publish = 'update')");
    EXPECT_EQ(codes(required()), Codes{ExitCode::kPublicationChanged});
    sql("DROP PUBLICATION holdfast");
    EXPECT_EQ(codes(required()), Codes{ExitCode::kPublicationMissing});
}

TEST_F(PostgresCatalog, FindsAMissingColumnOrTable) {
    create_slot(*session_, slot_, "holdfast", "pgoutput");
    StreamRequirements wanted = required();
    wanted.outboxes[0].columns.emplace_back("aggregatetype");
    EXPECT_EQ(codes(wanted), Codes{ExitCode::kOutboxShapeChanged});
    const auto columns = read_columns(*session_, "holdfast.outbox");
    ASSERT_EQ(columns.size(), 2U);
    EXPECT_EQ(columns[0].type, "integer");
    EXPECT_TRUE(read_columns(*session_, "holdfast.nothing").empty());
}

TEST_F(PostgresCatalog, FindsAnotherCluster) {
    create_slot(*session_, slot_, "holdfast", "pgoutput");
    StreamRequirements wanted = required();
    wanted.system_identifier = "1";
    EXPECT_EQ(codes(wanted), Codes{ExitCode::kWrongCluster});
    wanted.system_identifier = read_server(*session_).system_identifier;
    EXPECT_EQ(codes(wanted), Codes{});
}

TEST_F(PostgresCatalog, FindsARoleWithoutReplication) {
    create_slot(*session_, slot_, "holdfast", "pgoutput");
    sql("DROP ROLE IF EXISTS plain_role");
    sql("CREATE ROLE plain_role LOGIN");
    sql("SET ROLE plain_role");
    EXPECT_EQ(codes(required()), Codes{ExitCode::kPermissionDenied});
    EXPECT_EQ(read_role(*session_).name, "plain_role");
    sql("RESET ROLE");
}

TEST_F(PostgresCatalog, RequireThrowsTheFirstFinding) {
    sql("DROP PUBLICATION holdfast");
    EXPECT_THROW(require_streamable(*session_, required()), FatalError);
}

}  // namespace
}  // namespace holdfast::relay::postgres
