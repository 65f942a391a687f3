#include "capture/translator.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "pgoutput/decoder.hpp"
#include "support/pgoutput_frames.hpp"

namespace holdfast::relay::capture {
namespace {

constexpr std::uint32_t kTable = 16'400;
constexpr std::uint32_t kOutbox = 16'500;
constexpr std::uint32_t kMood = 16'481;

/// A catalogue whose enum `mood` has the labels that a test gives it.
class FakeCatalog final : public TableCatalog {
 public:
    debezium::TableDescription describe(const pgoutput::Relation& relation) override {
        ++questions;
        debezium::TableDescription table{.schema = std::string(relation.schema),
                                         .name = std::string(relation.name),
                                         .columns = {},
                                         .key_columns = {"id"},
                                         .types = {}};
        for (const pgoutput::Column& column : relation.columns) {
            table.columns.push_back({.name = std::string(column.name), .type = column.type});
        }
        table.types[25] = {.id = {25}, .schema = "pg_catalog", .name = "text", .category = 'S'};
        table.types[kMood] = {.id = {kMood},
                              .schema = "shop",
                              .name = "mood",
                              .kind = 'e',
                              .category = 'E',
                              .labels = labels};
        return table;
    }

    std::vector<std::string> labels{"sad", "happy"};
    int questions = 0;
};

/// shop.t(id text, m mood) beside the outbox shop.outbox.
class TranslatorTest : public testing::Test {
 protected:
    TranslatorTest() {
        options.connector.emplace();
        options.connector->topic_prefix = "app";
        options.connector->extended_headers_enabled = false;
        options.outboxes.emplace_back().table = "shop.outbox";
    }

    /// The values of the records that the frame becomes.
    std::vector<std::string> take(const std::string& frame) {
        if (!translator) {
            translator.emplace(std::move(options), &catalog);
            translator->attach(Lsn{});
        }
        std::vector<std::string> values;
        for (const debezium::Record& record :
             translator->translate(decoder.decode(frame), {.lsn = {110}, .now_us = 1}, {})) {
            values.emplace_back(record.value.value_or("(null)"));
        }
        return values;
    }
    void describe_tables() {
        take(test::relation_frame(kTable, "shop", "t", {{"id", 25, true}, {"m", kMood}}));
        take(test::relation_frame(kOutbox, "shop", "outbox",
                                  {{"id", 25, true},
                                   {"aggregatetype"},
                                   {"aggregateid"},
                                   {"type"},
                                   {"payload"},
                                   {"headers"}}));
    }
    /// What `allowed` is in the event of a new row with that mood.
    std::string allowed(const std::string& mood) {
        const std::string value = take(test::insert_frame(kTable, {"1", mood})).at(0);
        const std::size_t start = value.find("\"allowed\":\"") + 11;
        return value.substr(start, value.find('"', start) - start);
    }

    FakeCatalog catalog;
    TranslatorOptions options;
    std::optional<Translator> translator;
    pgoutput::Decoder decoder;
};

TEST_F(TranslatorTest, ARowWithANewLabelHasItsTableDescribedAgain) {
    describe_tables();
    EXPECT_EQ(allowed("sad"), "sad,happy");
    catalog.labels = {"sad", "ok", "happy"};
    EXPECT_EQ(allowed("sad"), "sad,happy");  // who knows when it was added
    EXPECT_EQ(catalog.questions, 2);
    EXPECT_EQ(allowed("ok"), "sad,ok,happy");
    EXPECT_EQ(allowed("sad"), "sad,ok,happy");
    EXPECT_EQ(catalog.questions, 3);
    catalog.labels.emplace_back("fine");
    const std::string updated = take(test::update_frame(kTable, {"1", "fine"})).at(0);
    EXPECT_NE(updated.find("\"allowed\":\"sad,ok,happy,fine\""), std::string::npos);
}

TEST_F(TranslatorTest, ALabelThatTheCatalogueNoLongerHasIsAskedForOnce) {
    describe_tables();
    EXPECT_EQ(allowed("angry"), "sad,happy");
    EXPECT_EQ(allowed("angry"), "sad,happy");
    EXPECT_EQ(catalog.questions, 3);
}

TEST_F(TranslatorTest, ReleasesBefore37DoNotFollowEnums) {
    options.connector->compat_version = debezium::CompatVersion::k36;
    describe_tables();
    catalog.labels.emplace_back("ok");
    EXPECT_EQ(allowed("ok"), "sad,happy");
    EXPECT_EQ(catalog.questions, 2);
}

TEST_F(TranslatorTest, ATransactionCountsTheRowsOfAnOutboxAndItsMessages) {
    options.connector->provide_transaction_metadata = true;
    options.connector->value_converter.schemas_enable = false;
    options.connector->skipped_operations = "none";
    options.outboxes.front().table_op_invalid_behavior = "error";
    describe_tables();
    take(test::begin_frame(200));
    const test::Row row{"a", "orders", "k", "T", "{}", std::nullopt};
    EXPECT_EQ(take(test::insert_frame(kOutbox, row)), std::vector<std::string>{"{}"});
    EXPECT_EQ(take(test::update_frame(kOutbox, row)), std::vector<std::string>{});
    EXPECT_EQ(take(test::delete_frame(kOutbox, {"a", std::nullopt, std::nullopt, std::nullopt,
                                                std::nullopt, std::nullopt})),
              std::vector<std::string>{});
    EXPECT_EQ(take(test::truncate_frame({kOutbox})), std::vector<std::string>{});
    EXPECT_EQ(
        take(test::message_frame(
            true, 150, "outbox",
            R"({"id":"m","aggregatetype":"orders","aggregateid":"k","type":"T","payload":1})")),
        std::vector<std::string>{"1"});
    const std::string changed = take(test::insert_frame(kTable, {"1", "sad"})).at(0);
    EXPECT_NE(changed.find("\"total_order\":6,\"data_collection_order\":1"), std::string::npos);
    const std::string end = take(test::commit_frame(200, 210)).at(0);
    EXPECT_NE(end.find("\"event_count\":6,"), std::string::npos);
    EXPECT_NE(end.find(R"({"data_collection":"shop.outbox","event_count":4})"), std::string::npos);
    EXPECT_NE(end.find(R"({"data_collection":"LOGICAL_DECODING_MESSAGE","event_count":1})"),
              std::string::npos);
}

TEST_F(TranslatorTest, OfTheLastChangeThatWasSentBeforeWhatIsBehindItsFirstRecordIsSentAgain) {
    options.resume_after =
        ResumePosition{.lsn_commit = Lsn{100}, .lsn = Lsn{110}, .xid = Xid{7}, .events = 2};
    describe_tables();
    EXPECT_EQ(translator->plan_start(Lsn{100}), Lsn{100});
    take(test::begin_frame(190, 0, 7));
    EXPECT_TRUE(take(test::delete_frame(kTable, {"1", std::nullopt})).empty());
    const std::vector<std::string> rest =
        take(test::update_frame(kTable, {"2", std::nullopt}, {"3", "sad"}));
    ASSERT_EQ(rest.size(), 2U);
    EXPECT_EQ(rest[0], "(null)");
    EXPECT_NE(rest[1].find("\"op\":\"c\""), std::string::npos) << rest[1];
    EXPECT_EQ(take(test::delete_frame(kTable, {"3", std::nullopt})).size(), 2U);
}

}  // namespace
}  // namespace holdfast::relay::capture
