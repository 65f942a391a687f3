#include "config/loader.hpp"
#include "config/config.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "config/keys.hpp"

namespace holdfast::relay::config {
namespace {

constexpr const char* kBrokers = "[kafka]\n\"bootstrap.servers\" = \"127.0.0.1:9092\"\n";

std::vector<std::string> problems_of(const std::string& text, const Environment& environment = {},
                                     Privacy privacy = Privacy::kOwnerOnly) {
    std::vector<std::string> texts;
    try {
        static_cast<void>(parse(text, "holdfast.toml", privacy, environment));
    } catch (const ConfigError& error) {
        EXPECT_EQ(error.code(), ExitCode::kConfig);
        for (const Problem& problem : error.problems()) {
            texts.push_back(problem.to_string());
        }
    }
    return texts;
}

Config good(const std::string& text, const Environment& environment = {}) {
    return parse(text, "holdfast.toml", Privacy::kOwnerOnly, environment);
}

/// The only problem of `text`.
std::string problem_of(const std::string& text, const Environment& environment = {},
                       Privacy privacy = Privacy::kOwnerOnly) {
    const auto texts = problems_of(text, environment, privacy);
    EXPECT_EQ(texts.size(), 1U);
    return texts.empty() ? "" : texts[0];
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

class ScratchDirectory {
 public:
    ScratchDirectory() {
        std::string pattern = std::filesystem::temp_directory_path() / "holdfast-config-XXXXXX";
        path_ = mkdtemp(pattern.data());
    }
    ~ScratchDirectory() { std::filesystem::remove_all(path_); }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;

    std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
        const std::string path = path_ + "/" + name;
        std::ofstream(path) << text;
        ::chmod(path.c_str(), mode);
        return path;
    }
    [[nodiscard]] const std::string& path() const { return path_; }

 private:
    std::string path_;
};

TEST(Config, HasDefaultsForEverythingButTheBrokers) {
    const Config config = good(kBrokers);
    EXPECT_EQ(config.postgres.slot, "holdfast");
    EXPECT_EQ(config.postgres.publication, "holdfast");
    EXPECT_EQ(config.capture.delivery, "at-least-once");
    EXPECT_EQ(config.capture.status_interval_ms, 1000);
    EXPECT_FALSE(config.capture.record_offsets);
    EXPECT_EQ(config.outboxes.at(0).table, "holdfast.outbox");
    EXPECT_EQ(config.outboxes.at(0).route_topic_replacement, "${routedByValue}");
    EXPECT_TRUE(config.inbox.empty());
    EXPECT_EQ(config.maintenance.interval_s, 60);
    EXPECT_EQ(config.http.listen, "127.0.0.1:9464");
    EXPECT_EQ(config.log.level, "info");
}

TEST(Config, SendsTheTopicPrefixOfChangeEventsToItsSection) {
    const std::string problem =
        problem_of(std::string("[capture]\ntopic_prefix = \"shop\"\n") + kBrokers);
    EXPECT_TRUE(contains(problem,
                         "holdfast.toml:2: [capture] topic_prefix is written as Debezium's "
                         "\"topic.prefix\" in [connector]"));
}

TEST(Config, HasNoChangeEventsUnlessATopicPrefixIsSet) {
    EXPECT_FALSE(good(kBrokers).connector.has_change_events());
    EXPECT_TRUE(good(std::string("[connector]\n\"topic.prefix\" = \"app\"\n") + kBrokers)
                    .connector.has_change_events());
}

TEST(Config, RefusesAConnectorThatCapturesNothing) {
    EXPECT_TRUE(
        contains(problem_of(std::string("[connector]\n\"table.include.list\" = \"shop.orders\"\n") +
                            kBrokers),
                 "holdfast.toml:2: [connector] topic.prefix is missing"));
    EXPECT_TRUE(
        contains(problem_of(kBrokers, {"HOLDFAST_CONNECTOR_TABLE_INCLUDE_LIST=shop.orders"}),
                 "[connector] topic.prefix is missing"));
    EXPECT_FALSE(good(std::string("[connector]\n") + kBrokers).connector.has_change_events());
}

TEST(Config, TakesDebeziumsPropertiesByTheirNamesAsStringsOrAsWhatTheyAre) {
    const Config config = good(std::string(R"([connector]
"topic.prefix" = "app"
"tombstones.on.delete" = "false"
"provide.transaction.metadata" = true
"money.fraction.digits" = "3"
"table.include.list" = "shop.orders, shop\\.line.*,"
decimal.handling.mode = "string"
)") + kBrokers);
    EXPECT_FALSE(config.connector.flag("tombstones.on.delete"));
    EXPECT_TRUE(config.connector.flag("provide.transaction.metadata"));
    EXPECT_EQ(config.connector.integer("money.fraction.digits"), 3);
    EXPECT_EQ(config.connector.list("table.include.list"),
              (std::vector<std::string>{"shop.orders", "shop\\.line.*"}));
    EXPECT_EQ(config.connector.text("decimal.handling.mode"), "string");
    EXPECT_EQ(config.connector.text("time.precision.mode"), "adaptive");
}

TEST(Config, KeepsPropertiesWhoseNamesCarryAnArgument) {
    const Config config = good(std::string(R"([connector]
"topic.prefix" = "app"
"column.mask.with.10.chars" = "shop.customer.name"
"column.mask.hash.SHA-256.with.salt.pe.pper" = "shop.customer.email"
)") + kBrokers);
    ASSERT_EQ(config.connector.named.size(), 2U);
    EXPECT_EQ(config.connector.named[0].name, "column.mask.hash.SHA-256.with.salt.pe.pper");
    EXPECT_EQ(config.connector.named[1].value, "shop.customer.name");
    EXPECT_EQ(config.connector.named[1].origin, "holdfast.toml:3");
}

TEST(Config, TakesASnapshotFirstUnlessItIsToldOtherwise) {
    EXPECT_EQ(good(kBrokers).connector.text("snapshot.mode"), "initial");
    EXPECT_TRUE(
        contains(problem_of(std::string("[connector]\n\"topic.prefix\" = \"app\"\n"
                                        "\"snapshot.mode\" = \"never\"\n") +
                            kBrokers),
                 "holdfast.toml:3: [connector] snapshot.mode has to be one of \"initial\""));
}

TEST(Config, HasOneOutboxUnlessItIsToldOtherwise) {
    EXPECT_EQ(good(kBrokers).outboxes.size(), 1U);
    const std::string on = std::string("[connector]\n\"topic.prefix\" = \"app\"\n") + kBrokers;
    EXPECT_TRUE(good(on).outboxes.empty()) << "change events alone";
    EXPECT_EQ(good("[outbox]\n" + on).outboxes.size(), 1U);
    EXPECT_EQ(good(on, {"HOLDFAST_OUTBOX_TABLE=a.b"}).outboxes.at(0).table, "a.b");
}

TEST(Config, TakesSeveralOutboxesEachWithItsOwnOptions) {
    const Config config = good(std::string(R"([[outbox]]
"route.by.field" = "kind"

[[outbox]]
table = "legacy.events"
"table.field.event.key" = "entity"
)") + kBrokers);
    ASSERT_EQ(config.outboxes.size(), 2U);
    EXPECT_EQ(config.outboxes[0].table, "holdfast.outbox");
    EXPECT_EQ(config.outboxes[0].route_by_field, "kind");
    EXPECT_EQ(config.outboxes[1].table, "legacy.events");
    EXPECT_EQ(config.outboxes[1].route_by_field, "aggregatetype");
    EXPECT_EQ(config.outboxes[1].table_field_event_key, "entity");
}

TEST(Config, RefusesOutboxesThatOverrideOrRepeatEachOther) {
    const std::string two =
        std::string("[[outbox]]\ntable = \"a.b\"\n\n[[outbox]]\ntable = ") + "\"c.d\"\n" + kBrokers;
    EXPECT_EQ(problem_of(two, {"HOLDFAST_OUTBOX_TABLE=x.y"}),
              "HOLDFAST_OUTBOX_TABLE: [[outbox]] in the file cannot be overridden by the "
              "environment");
    EXPECT_EQ(problem_of(std::string("[[outbox]]\n\n[[outbox]]\n") + kBrokers),
              "holdfast.toml:3: table \"holdfast.outbox\" is already an outbox");
}

TEST(Config, NamesTheWrongPropertyOfAConnector) {
    EXPECT_EQ(
        problems_of(std::string(R"([connector]
"topic.prefix" = "app"
"decimal.handling.mode" = "exact"
"tombstones.on.delete" = "no"
"money.fraction.digits" = "many"
"column.mask.with.chars" = "a.b.c"
)") + kBrokers),
        (std::vector<std::string>{
            "holdfast.toml:3: [connector] decimal.handling.mode has to be one of "
            "\"precise\", \"double\", \"string\", not \"exact\"",
            "holdfast.toml:4: [connector] tombstones.on.delete has to be true or false",
            "holdfast.toml:5: [connector] money.fraction.digits has to be an integer",
            "holdfast.toml:6: unknown key \"column.mask.with.chars\" in [connector]; did you mean "
            "\"column.mask.with.*.chars\"?"}));
}

TEST(Config, ReadsTheExampleOfTheManual) {
    const Config config = good(R"([postgres]
dsn         = "host=/run/postgresql dbname=shop user=holdfast_relay"
slot        = "shop_slot"

[kafka]
"bootstrap.servers" = "127.0.0.1:9092"
linger.ms = 5
"socket.keepalive.enable" = true
"linger.ms.like" = 0.5

[capture]
record_offsets = true

[outbox]
"route.topic.replacement" = "shop.${routedByValue}"
table.field.event.timestamp = "created_at"

[[inbox]]
topic = "order-failed"
call  = "holdfast.on_order_failed"

[[inbox]]
topic = "payment-completed"
group = "payments"
call  = "holdfast.on_payment_completed"
batch_max_messages = 100
start = "latest"
)");
    EXPECT_EQ(config.postgres.slot, "shop_slot");
    EXPECT_EQ(kafka_property(config, "linger.ms"), "5");
    EXPECT_EQ(kafka_property(config, "socket.keepalive.enable"), "true");
    EXPECT_EQ(kafka_property(config, "linger.ms.like"), "0.5");
    EXPECT_EQ(kafka_property(config, "acks"), std::nullopt);
    EXPECT_TRUE(config.capture.record_offsets);
    EXPECT_EQ(config.outboxes.at(0).route_topic_replacement, "shop.${routedByValue}");
    EXPECT_EQ(config.outboxes.at(0).table_field_event_timestamp, "created_at");
    ASSERT_EQ(config.inbox.size(), 2U);
    EXPECT_EQ(config.inbox[0].group, "holdfast");
    EXPECT_EQ(config.inbox[0].batch_max_messages, 500);
    EXPECT_EQ(config.inbox[1].batch_max_messages, 100);
    EXPECT_EQ(config.inbox[1].start, "latest");
}

TEST(Config, ReportsAllProblemsWithTheirLines) {
    const auto problems = problems_of(R"([postgres]
slott = "x"
slot = "Not-A-Slot"
[capture]
status_interval_ms = "soon"
max_in_flight_bytes = 1
delivery = "exactly-once"
[kafkaa]
[kafka]
acks = "1"
[[inbox]]
group = "g"
[http]
listen = "nowhere"
)");
    ASSERT_EQ(problems.size(), 11U);
    EXPECT_EQ(problems[0],
              "holdfast.toml: [kafka] \"bootstrap.servers\" is missing: the brokers' host:port, "
              "separated by commas");
    EXPECT_EQ(problems[1],
              "holdfast.toml:2: unknown key \"slott\" in [postgres]; did you mean \"slot\"?");
    EXPECT_TRUE(contains(problems[2], "holdfast.toml:3: [postgres] slot may have"));
    EXPECT_EQ(
        problems[3],
        "holdfast.toml:5: [capture] status_interval_ms has to be an integer (ms), not string");
    EXPECT_TRUE(contains(problems[4], "holdfast.toml:6: [capture] max_in_flight_bytes has to be"));
    EXPECT_TRUE(
        contains(problems[5], "holdfast.toml:7: [capture] delivery \"exactly-once\" is not"));
    EXPECT_EQ(problems[6], "holdfast.toml:8: unknown section \"kafkaa\"; did you mean \"kafka\"?");
    EXPECT_TRUE(contains(problems[7], "holdfast.toml:10: [kafka] acks is not for"));
    EXPECT_TRUE(contains(problems[8], "holdfast.toml:11: [[inbox]] topic is missing"));
    EXPECT_TRUE(contains(problems[9], "holdfast.toml:11: [[inbox]] call is missing"));
    EXPECT_TRUE(contains(problems[10], "holdfast.toml:14: [http] listen has to be host:port"));
}

TEST(Config, NamesTheLineOfASyntaxError) {
    const auto problems = problems_of("[postgres]\ndsn = \"unterminated\n");
    ASSERT_FALSE(problems.empty());
    EXPECT_TRUE(std::ranges::any_of(problems, [](const std::string& problem) {
        return contains(problem, "holdfast.toml:2:") || contains(problem, "holdfast.toml:3:");
    })) << problems[0];
}

TEST(Config, RefusesPropertiesThatBelongToTheRelay) {
    for (const char* line :
         {"\"enable.auto.commit\" = true", "\"enable.idempotence\" = false", "acks = 1",
          "\"message.timeout.ms\" = 1000", "\"transactional.id\" = \"x\"",
          "\"auto.offset.reset\" = \"earliest\"", "\"group.id\" = \"x\"",
          "\"isolation.level\" = \"read_uncommitted\""}) {
        EXPECT_TRUE(contains(problem_of(std::string(kBrokers) + line + "\n"), "is not for the"))
            << line;
    }
    for (const char* line : {"acks = \"all\"", "acks = -1", "\"enable.idempotence\" = true",
                             "\"enable.auto.commit\" = false"}) {
        EXPECT_TRUE(problems_of(std::string(kBrokers) + line + "\n").empty()) << line;
    }
}

TEST(Config, OneTopicIsBoundOnceInAGroup) {
    const std::string binding = "[[inbox]]\ntopic = \"t\"\ncall = \"s.f\"\n";
    EXPECT_TRUE(contains(problem_of(kBrokers + binding + binding), "already bound"));
    EXPECT_TRUE(problems_of(kBrokers + binding + binding + "group = \"other\"\n").empty());
}

TEST(Config, ReadsNotifications) {
    const ScratchDirectory directory;
    const std::string file = directory.write("secret", "Bearer 0f8fad5b\n");
    const Config config = good(std::string(kBrokers) +
                               "[[notify]]\ntopic = \"payment-event\"\n"
                               "url = \"https://hooks.example.com/T0/B1\"\n"
                               "secret = { file = \"" +
                               file +
                               "\" }\n[[notify]]\ntopic = \"order-events\"\n"
                               "group = \"chat\"\nurl = \"http://[::1]:8080\"\ntimeout_ms = 250\n"
                               "secret_header = \"X-Token\"\nca_file = \"/ca.pem\"\n"
                               "start = \"latest\"\n");
    ASSERT_EQ(config.notify.size(), 2U);
    EXPECT_EQ(config.notify[0].group, "holdfast");
    EXPECT_EQ(config.notify[0].url, "https://hooks.example.com/T0/B1");
    EXPECT_EQ(config.notify[0].timeout_ms, 5'000);
    EXPECT_EQ(config.notify[0].secret, "Bearer 0f8fad5b");
    EXPECT_EQ(config.notify[0].secret_header, "Authorization");
    EXPECT_EQ(config.notify[0].start, "earliest");
    EXPECT_EQ(config.notify[1].group, "chat");
    EXPECT_EQ(config.notify[1].timeout_ms, 250);
    EXPECT_EQ(config.notify[1].secret, "");
    EXPECT_EQ(config.notify[1].secret_header, "X-Token");
    EXPECT_EQ(config.notify[1].ca_file, "/ca.pem");
    EXPECT_EQ(config.notify[1].start, "latest");
}

TEST(Config, ReportsAllProblemsOfNotificationsWithTheirLines) {
    const auto problems = problems_of(std::string(kBrokers) +
                                      "[[inbox]]\ntopic = \"t\"\ncall = \"a.b\"\n"  // line 3
                                      "[[notify]]\ntopic = \"t\"\n"                 // line 6
                                      "url = \"ftp://there.example/hidden\"\n"
                                      "[[notify]]\ntimeout_m = 1\n"  // line 9
                                      "timeout_ms = 5\n"
                                      "[[notify]]\ntopic = \"u\"\ngroup = \"\"\n"  // line 12
                                      "url = \"https://user:hidden@there.example\"\n"
                                      "secret = \"hid\\nd3n\"\nsecret_header = \"a b\"\n");
    const auto has = [&problems](const std::string& line, const std::string& part) {
        return std::ranges::any_of(problems, [&](const std::string& problem) {
            return problem.starts_with("holdfast.toml:" + line + ": ") && contains(problem, part);
        });
    };
    EXPECT_TRUE(has("6", "topic \"t\" is already bound in group \"holdfast\""));
    EXPECT_TRUE(has("6", "[[notify]] url: the URL does not begin with http:// or https://"));
    EXPECT_TRUE(has("9", "[[notify]] topic is missing"));
    EXPECT_TRUE(has("9", "[[notify]] url is missing"));
    EXPECT_TRUE(has("10", "unknown key \"timeout_m\" in [[notify]]; did you mean \"timeout_ms\"?"));
    EXPECT_TRUE(has("11", "[[notify]] timeout_ms has to be from 10 to 60000 ms, not 5"));
    EXPECT_TRUE(has("12", "[[notify]] group is empty"));
    EXPECT_TRUE(has("12", "holds a user or a password"));
    EXPECT_TRUE(has("12", "no HTTP header can carry"));
    EXPECT_TRUE(has("12", "secret_header has to be the name of an HTTP header, not \"a b\""));
    EXPECT_EQ(problems.size(), 10U);
    for (const std::string& problem : problems) {
        EXPECT_FALSE(contains(problem, "hidden")) << problem;
        EXPECT_FALSE(contains(problem, "d3n")) << problem;
    }
}

TEST(Config, NotificationsAreRefusedAsASectionAndFromTheEnvironment) {
    EXPECT_TRUE(contains(problem_of(std::string(kBrokers) + "[notify]\ntopic = \"t\"\n"),
                         "this section is a list, written in double brackets: [[notify]]"));
    EXPECT_TRUE(contains(problem_of(kBrokers, {"HOLDFAST_NOTIFY_URL=http://a"}),
                         "use [[notify]] in a file"));
}

TEST(Config, ReadsWhatBecomesOfLargeRecords) {
    const Config config = good(std::string(kBrokers) +
                               "[[too_large]]\ntopic = \"orders\"\npolicy = \"claim-check\"\n"
                               "[[too_large]]\ntopic = \"inventory[.].*\"\n");
    ASSERT_EQ(config.too_large.size(), 2U);
    EXPECT_EQ(config.too_large[0].topic, "orders");
    EXPECT_EQ(config.too_large[0].policy, "claim-check");
    EXPECT_EQ(config.too_large[1].policy, "halt");
    const auto problems =
        problems_of(std::string(kBrokers) + "[[too_large]]\ntopic = \"(\"\npolicy = \"cut\"\n");
    ASSERT_EQ(problems.size(), 2U);
    EXPECT_TRUE(contains(problems[0], "is neither a topic nor an expression"));
    EXPECT_TRUE(contains(problems[1], "claim-check"));
}

TEST(Config, SecretOfANotificationInAReadableFileIsRefused) {
    const std::string problem =
        problem_of(std::string(kBrokers) +
                       "[[notify]]\ntopic = \"t\"\nurl = \"http://a\"\nsecret = \"0f8fad5b\"\n",
                   {}, Privacy::kReadableByOthers);
    EXPECT_TRUE(contains(problem, "holdfast.toml:6: [[notify]] secret holds a secret")) << problem;
    EXPECT_FALSE(contains(problem, "0f8fad5b"));
}

TEST(Config, WhatABindingNeedsIsNotEmpty) {
    EXPECT_EQ(problems_of(std::string(kBrokers) + "[[inbox]]\ntopic = \"\"\ncall = \"\"\n"
                                                  "[[notify]]\ntopic = \"t\"\nurl = \"\"\n"),
              (std::vector<std::string>{"holdfast.toml:4: [[inbox]] topic is empty",
                                        "holdfast.toml:5: [[inbox]] call is empty",
                                        "holdfast.toml:8: [[notify]] url is empty"}));
}

TEST(Config, SecretHeaderIsNoneOfTheRequestsOwn) {
    for (const char* name : {"", "Host", "content-length", "Holdfast-Event-Id", "a:b"}) {
        EXPECT_TRUE(contains(problem_of(std::string(kBrokers) +
                                        "[[notify]]\ntopic = \"t\"\nurl = \"http://a\"\n"
                                        "secret_header = \"" +
                                        name + "\"\n"),
                             "secret_header has to be"))
            << name;
    }
}

TEST(Config, CallNeedsItsSchema) {
    EXPECT_TRUE(contains(
        problem_of(std::string(kBrokers) + "[[inbox]]\ntopic = \"t\"\ncall = \"f\"\n"), "schema"));
}

TEST(Config, EnvironmentWinsOverTheFile) {
    const Config config =
        good(std::string(kBrokers) + "[postgres]\nslot = \"a\"\n",
             {"HOLDFAST_POSTGRES_SLOT=b", "HOLDFAST_POSTGRES_DSN=dbname=shop",
              "HOLDFAST_KAFKA_BOOTSTRAP_SERVERS=broker:9092",
              "HOLDFAST_CAPTURE_STATUS_INTERVAL_MS=50", "HOLDFAST_CAPTURE_RECORD_OFFSETS=true",
              "HOLDFAST_OUTBOX_ROUTE_BY_FIELD=kind", "HOLDFAST_CONFIG=/etc/x", "PATH=/bin"});
    EXPECT_EQ(config.postgres.slot, "b");
    EXPECT_EQ(config.postgres.dsn, "dbname=shop");
    EXPECT_EQ(kafka_property(config, "bootstrap.servers"), "broker:9092");
    EXPECT_EQ(config.capture.status_interval_ms, 50);
    EXPECT_TRUE(config.capture.record_offsets);
    EXPECT_EQ(config.outboxes.at(0).route_by_field, "kind");
}

TEST(Config, MistakesInTheEnvironmentNameTheVariable) {
    EXPECT_EQ(problem_of(kBrokers, {"HOLDFAST_POSTGRES_SLOTT=x"}),
              "HOLDFAST_POSTGRES_SLOTT: unknown environment variable; did you mean "
              "\"HOLDFAST_POSTGRES_SLOT\"?");
    EXPECT_TRUE(contains(problem_of(kBrokers, {"HOLDFAST_CAPTURE_STATUS_INTERVAL_MS=soon"}),
                         "HOLDFAST_CAPTURE_STATUS_INTERVAL_MS: [capture]"));
    EXPECT_TRUE(contains(problem_of(kBrokers, {"HOLDFAST_INBOX_TOPIC=x"}), "[[inbox]]"));
}

TEST(Config, NoFileIsNeededWhenTheEnvironmentSaysEnough) {
    const Config config = load("", {"HOLDFAST_KAFKA_BOOTSTRAP_SERVERS=b:1"});
    EXPECT_EQ(kafka_property(config, "bootstrap.servers"), "b:1");
}

TEST(Config, ReadsSecretsFromFilesAndCredentials) {
    const ScratchDirectory scratch;
    const std::string secret = scratch.write("secret", "s3cret\n");
    const Config config = good("[postgres]\npassword = { file = \"" + secret +
                                   "\" }\npassfile = { credential = \"pgpass\" }\n" + kBrokers +
                                   "\"sasl.password\" = { credential = \"secret\" }\n",
                               {"CREDENTIALS_DIRECTORY=" + scratch.path()});
    EXPECT_EQ(config.postgres.password, "s3cret");
    EXPECT_EQ(config.postgres.passfile, scratch.path() + "/pgpass");
    EXPECT_EQ(kafka_property(config, "sasl.password"), "s3cret");
}

TEST(Config, MissingSecretsAreProblems) {
    EXPECT_TRUE(contains(
        problem_of(std::string(kBrokers) + "\"sasl.password\" = { file = \"/nonexistent/x\" }\n"),
        "cannot read /nonexistent/x"));
    EXPECT_TRUE(
        contains(problem_of(std::string(kBrokers) + "\"sasl.password\" = { credential = \"x\" }\n"),
                 "$CREDENTIALS_DIRECTORY is not set"));
    EXPECT_TRUE(contains(
        problem_of(std::string(kBrokers) + "\"sasl.password\" = { credential = \"../x\" }\n",
                   {"CREDENTIALS_DIRECTORY=/tmp"}),
        "no slash"));
    EXPECT_TRUE(
        contains(problem_of(std::string(kBrokers) + "\"sasl.password\" = { path = \"x\" }\n"),
                 "in place of a value"));
}

TEST(Config, SecretsInAReadableFileAreRefusedAndNeverShown) {
    for (const std::string& text :
         {std::string("[postgres]\ndsn = \"host=h password=canary\"\n") + kBrokers,
          std::string("[postgres]\ndsn = \"postgresql://u:canary@h/d\"\n") + kBrokers,
          std::string("[postgres]\npassword = \"canary\"\n") + kBrokers,
          std::string(kBrokers) + "\"sasl.password\" = \"canary\"\n",
          std::string(kBrokers) + "\"ssl.key.password\" = \"canary\"\n"}) {
        const std::string problem = problem_of(text, {}, Privacy::kReadableByOthers);
        EXPECT_TRUE(contains(problem, "chmod 600")) << text;
        EXPECT_FALSE(contains(problem, "canary")) << problem;
        EXPECT_TRUE(problems_of(text, {}, Privacy::kOwnerOnly).empty()) << text;
    }
    EXPECT_TRUE(problems_of(std::string("[postgres]\ndsn = \"host=h user=u\"\n") + kBrokers, {},
                            Privacy::kReadableByOthers)
                    .empty());
}

TEST(Config, LooksAtTheModeOfTheFile) {
    const ScratchDirectory scratch;
    const std::string text = std::string(kBrokers) + "\"sasl.password\" = \"canary\"\n";
    EXPECT_NO_THROW(load(scratch.write("private.toml", text, 0600), {}));
    EXPECT_THROW(load(scratch.write("public.toml", text, 0644), {}), ConfigError);
    EXPECT_THROW(load(scratch.write("group.toml", text, 0640), {}), ConfigError);
    EXPECT_NO_THROW(load(scratch.write("harmless.toml", kBrokers, 0644), {}));
}

TEST(Config, MissingFileIsOneClearProblem) {
    try {
        static_cast<void>(load("/nonexistent/holdfast.toml", {}));
        FAIL() << "no error";
    } catch (const ConfigError& error) {
        EXPECT_EQ(std::string(error.what()),
                  "/nonexistent/holdfast.toml: cannot be read: No such file or directory");
    }
}

TEST(Config, EveryKeyCanBeSetByFileAndEnvironment) {
    for (const Key& key : keys()) {
        if (is_list(key.section)) {
            continue;
        }
        const std::string name = environment_name(key.section, key.name);
        std::string value(key.default_value);
        if (key.name == "slot" || key.name == "publication") {
            value = "other";
        }
        const std::string captured = key.section == "connector" && key.name != "topic.prefix"
                                         ? "[connector]\n"
                                           "\"topic.prefix\" = \"app\"\n"
                                         : "";
        const auto found = problems_of(captured + kBrokers, {name + "=" + value});
        EXPECT_TRUE(found.empty()) << name << ": " << (found.empty() ? "" : found[0]);
    }
}

TEST(Config, DescriptionHasALineForEachKey) {
    const std::string text = describe_keys();
    for (const Key& key : keys()) {
        EXPECT_TRUE(contains(text, "| `" + std::string(key.name) + "` |")) << key.name;
        EXPECT_FALSE(key.help.empty());
    }
    EXPECT_TRUE(contains(text, "`enable.idempotence`"));
}

}  // namespace
}  // namespace holdfast::relay::config
