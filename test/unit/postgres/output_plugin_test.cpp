#include "postgres/output_plugin.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/errors.hpp"
#include "postgres/catalog.hpp"
#include "postgres/scratch_server.hpp"

namespace holdfast::relay::postgres {
namespace {

class OutputPlugin : public testing::DatabaseTest {
 protected:
    void SetUp() override {
        DatabaseTest::SetUp();
        if (server_ != nullptr) {
            sql("CREATE PUBLICATION everything FOR ALL TABLES");
        }
    }
    void TearDown() override {
        if (server_ != nullptr) {
            sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                "WHERE database = current_database()");
        }
    }
    /// The list for sessions of this database; false where the minor release allows any plugin.
    bool allow(const std::string& plugins) {
        if (sql("SELECT current_setting('output_plugin_libraries', true) IS NULL").boolean(0, 0)) {
            return false;
        }
        sql("ALTER DATABASE " + database_ + " SET output_plugin_libraries = " + plugins);
        session_.emplace(options());
        return true;
    }
    /// The plugin of a slot that is made so.
    std::string made(const std::string& wanted) {
        const std::string slot = database_ + "_slot";
        make_with_plugin(
            *session_, slot, wanted,
            [&](const std::string& plugin) { create_slot(*session_, slot, "everything", plugin); },
            [&](const SqlError& error) { refusals_.push_back(error.message()); });
        return read_slot(*session_, slot)->plugin;
    }

    /// How the making of one ends.
    ExitCode code_of(const std::string& wanted) {
        try {
            made(wanted);
        } catch (const FatalError& error) {
            EXPECT_FALSE(error.hint().empty());
            return error.code();
        }
        return ExitCode::kOk;
    }

    std::vector<std::string> refusals_;
};

TEST_F(OutputPlugin, ASlotOfADatabaseWithoutTheExtensionGetsTheServers) {
    allow("pgoutput, holdfast");
    EXPECT_EQ(made("auto"), "pgoutput");
    EXPECT_TRUE(refusals_.empty());
}

TEST_F(OutputPlugin, ASlotGetsTheExtensionsWhereItIsAllowed) {
    sql("CREATE EXTENSION holdfast");
    allow("pgoutput, holdfast");
    EXPECT_EQ(made("auto"), "holdfast");
    EXPECT_TRUE(refusals_.empty());
}

TEST_F(OutputPlugin, ARefusedOneIsReplacedAndSaid) {
    sql("CREATE EXTENSION holdfast");
    if (!allow("pgoutput, test_decoding")) {
        GTEST_SKIP() << "this minor release allows any plugin";
    }
    EXPECT_EQ(made("auto"), "pgoutput");
    ASSERT_EQ(refusals_.size(), 1U);
    EXPECT_NE(refusals_.front().find("\"holdfast\""), std::string::npos);
}

TEST_F(OutputPlugin, OneThatIsNamedIsNeverReplaced) {
    sql("CREATE EXTENSION holdfast");
    EXPECT_EQ(made("pgoutput"), "pgoutput");
    sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
        "WHERE database = current_database()");
    if (allow("pgoutput")) {
        EXPECT_EQ(code_of("holdfast"), ExitCode::kPermissionDenied);
    }
}

TEST_F(OutputPlugin, OneThatIsNotInstalledIsSaidToBe) {
    sql("CREATE EXTENSION holdfast");
    sql("ALTER DATABASE " + database_ + " SET dynamic_library_path = '/not/there'");
    if (!allow("pgoutput, holdfast")) {
        session_.emplace(options());
    }
    EXPECT_EQ(code_of("holdfast"), ExitCode::kConfig);
    EXPECT_EQ(code_of("auto"), ExitCode::kConfig);
}

TEST_F(OutputPlugin, AnotherFailureGoesThrough) {
    sql("CREATE EXTENSION holdfast");
    allow("pgoutput, holdfast");
    made("auto");
    EXPECT_THROW(made("auto"), SqlError) << "the slot is there already";
    EXPECT_TRUE(refusals_.empty());
}

TEST(OutputPlugins, AreTheServersAndTheExtensions) {
    EXPECT_TRUE(is_readable_plugin("pgoutput"));
    EXPECT_TRUE(is_readable_plugin("holdfast"));
    EXPECT_FALSE(is_readable_plugin("wal2json"));
    EXPECT_FALSE(is_readable_plugin(""));
}

}  // namespace
}  // namespace holdfast::relay::postgres
