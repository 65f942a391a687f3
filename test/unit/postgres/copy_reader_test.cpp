#include "postgres/copy_reader.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "base/poll.hpp"
#include "postgres/exported_snapshot.hpp"
#include "postgres/scratch_server.hpp"
#include "postgres/sql_error.hpp"

namespace holdfast::relay::postgres {
namespace {

class CopyReaderTest : public testing::DatabaseTest {
 protected:
    /// "row row row." as text; the dot is where `last` was told.
    static std::string read_all(CopyReader& reader, const std::string& query) {
        using Kind = CopyReader::Next::Kind;
        reader.start(query);
        std::string text;
        while (true) {
            const CopyReader::Next next = reader.next();
            if (next.kind == Kind::kNothing) {
                std::array<pollfd, 1> wait{{{reader.fd(), POLLIN, 0}}};
                wait_for(wait, std::chrono::seconds(10));
                continue;
            }
            if (next.kind == Kind::kEnd) {
                return text + "(empty)";
            }
            std::string row(next.row.begin(), next.row.end());
            row.pop_back();
            text += (text.empty() ? "" : " ") + row;
            if (next.last) {
                return text + ".";
            }
        }
    }
};

TEST_F(CopyReaderTest, TellsWithTheLastRowThatItIsTheLast) {
    CopyReader reader(*session_);
    EXPECT_EQ(read_all(reader, "SELECT g FROM generate_series(1, 3) g"), "1 2 3.");
    EXPECT_EQ(read_all(reader, "SELECT 7"), "7.");
}

TEST_F(CopyReaderTest, AnEmptyResultIsAnEndWithoutARow) {
    CopyReader reader(*session_);
    EXPECT_EQ(read_all(reader, "SELECT 1 WHERE false"), "(empty)");
    EXPECT_EQ(read_all(reader, "SELECT 1"), "1.");
}

TEST_F(CopyReaderTest, AFailedQueryIsAnErrorAndTheSessionCanBeUsedAgain) {
    CopyReader reader(*session_);
    EXPECT_THROW(read_all(reader, "SELECT nothing"), SqlError);
    EXPECT_THROW(read_all(reader, "SELECT 1 / (3 - g) FROM generate_series(1, 5) g"), SqlError);
    EXPECT_EQ(read_all(reader, "SELECT 1"), "1.");
    EXPECT_EQ(session_->exec("SELECT 2").text(0, 0), "2");
}

TEST_F(CopyReaderTest, ReadersOfASnapshotSeeWhatItSees) {
    sql("CREATE TABLE item (id int)");
    sql("INSERT INTO item VALUES (1)");
    std::optional<ExportedSnapshot> snapshot = ExportedSnapshot::of_now(options());
    sql("INSERT INTO item VALUES (2)");
    Session first = snapshot->reader(options());
    Session second = snapshot->reader(options());
    snapshot.reset();
    sql("INSERT INTO item VALUES (3)");
    EXPECT_EQ(first.exec("SELECT count(*) FROM public.item").int64(0, 0), 1);
    EXPECT_EQ(second.exec("SELECT count(*) FROM public.item").int64(0, 0), 1);
    EXPECT_THROW(first.exec("INSERT INTO item VALUES (4)"), SqlError);
}

TEST_F(CopyReaderTest, AReaderOfASnapshotIsNotCutShort) {
    const ExportedSnapshot snapshot = ExportedSnapshot::of_now(options());
    ConnectOptions limited = options();
    limited.settings = "-c lock_timeout=1s -c statement_timeout=1s";
    Session reader = snapshot.reader(limited);
    EXPECT_EQ(reader.exec("SHOW lock_timeout").text(0, 0), "0");
    EXPECT_EQ(reader.exec("SHOW statement_timeout").text(0, 0), "0");
}

TEST_F(CopyReaderTest, ASnapshotWithItsSlotHasWhatTheSlotWillNotSend) {
    sql("CREATE TABLE item (id int)");
    sql("INSERT INTO item VALUES (1)");
    const ExportedSnapshot snapshot =
        ExportedSnapshot::with_slot(options(), "copy_reader_test", "pgoutput");
    sql("INSERT INTO item VALUES (2)");
    Session reader = snapshot.reader(options());
    EXPECT_EQ(reader.exec("SELECT count(*) FROM public.item").int64(0, 0), 1);
    const Result slot = session_->exec(
        "SELECT confirmed_flush_lsn, plugin, temporary FROM pg_replication_slots "
        "WHERE slot_name = 'copy_reader_test'");
    EXPECT_EQ(slot.text(0, 0), snapshot.lsn().to_string());
    EXPECT_EQ(slot.text(0, 1), "pgoutput");
    EXPECT_FALSE(slot.boolean(0, 2));
    EXPECT_THROW(
        static_cast<void>(ExportedSnapshot::with_slot(options(), "copy_reader_test", "pgoutput")),
        SqlError);
    session_->exec("SELECT pg_drop_replication_slot('copy_reader_test')");
}

TEST_F(CopyReaderTest, RowLevelSecurityThatWouldHideRowsIsAnError) {
    sql("CREATE ROLE seer_of_some LOGIN");
    sql("CREATE TABLE item (id int)");
    sql("ALTER TABLE item ENABLE ROW LEVEL SECURITY");
    sql("GRANT SELECT ON item TO seer_of_some");
    ConnectOptions as_seer = options();
    as_seer.dsn.replace(as_seer.dsn.find("user=postgres"), 13, "user=seer_of_some");
    const ExportedSnapshot snapshot = ExportedSnapshot::of_now(options());
    Session reader = snapshot.reader(as_seer);
    EXPECT_THROW(reader.exec("SELECT * FROM public.item"), SqlError);
    sql("DROP OWNED BY seer_of_some");
    sql("DROP ROLE seer_of_some");
}

}  // namespace
}  // namespace holdfast::relay::postgres
