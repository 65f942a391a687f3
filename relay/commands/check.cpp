#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/captured_tables.hpp"
#include "adapters/connector_settings.hpp"
#include "adapters/drift_scope.hpp"
#include "adapters/settings.hpp"
#include "adapters/snapshot_settings.hpp"
#include "base/errors.hpp"
#include "base/url.hpp"
#include "commands/commands.hpp"
#include "commands/kafka_inspection.hpp"
#include "commands/slot_tenure.hpp"
#include "commands/stream_preparation.hpp"
#include "commands/version.hpp"
#include "config/config.hpp"
#include "config/keys.hpp"
#include "config/loader.hpp"
#include "config/redact.hpp"
#include "debezium/event_router.hpp"
#include "debezium/topic_naming.hpp"
#include "http/client.hpp"
#include "kafka/properties.hpp"
#include "postgres/catalog.hpp"
#include "postgres/inbox_calls.hpp"
#include "postgres/notify_calls.hpp"
#include "postgres/session.hpp"
#include "postgres/snapshot_tables.hpp"

namespace holdfast::relay::commands {
namespace {

constexpr std::chrono::milliseconds kKafkaLimit{5'000};
constexpr std::int64_t kDefaultMessageMaxBytes = 1'000'000;  // librdkafka's message.max.bytes
constexpr std::int64_t kRelayConnections = 4;                // start, capture, inbox, upkeep
constexpr std::int64_t kNotifyConnections = 1;               // more with [[notify]]
constexpr std::int64_t kKeeperConnections = 1;               // more with [[too_large]]

/// Topics that the extension writes to.
constexpr std::string_view kExtensionTopics[] = {
    "order-created",     "order-events",       "order-failed",  "inventory-reserved",
    "inventory-updated", "inventory-released", "payment-event", "payment-completed",
    "payment-failed",    "refund-requested"};

/// Collects what was found and prints it as a table.
class Findings {
 public:
    void good(std::string subject, std::string what) {
        lines_.push_back({Verdict::kGood, std::move(subject), std::move(what), {}, ExitCode::kOk});
    }
    void warn(std::string subject, std::string what, std::string todo) {
        lines_.push_back({Verdict::kWarning, std::move(subject), std::move(what), std::move(todo),
                          ExitCode::kOk});
    }
    void fail(ExitCode code, std::string subject, std::string what, std::string todo) {
        lines_.push_back(
            {Verdict::kFailure, std::move(subject), std::move(what), std::move(todo), code});
    }
    /// Whatever a look threw, as a failure of `subject`.
    void fail(const std::string& subject, const std::exception& error) {
        if (const auto* fatal = dynamic_cast<const FatalError*>(&error)) {
            fail(fatal->code(), subject, error.what(), fatal->hint());
        } else if (dynamic_cast<const RetryableError*>(&error) != nullptr) {
            fail(ExitCode::kUnavailable, subject, error.what(),
                 "`run` waits for it; until then nothing is relayed.");
        } else {
            fail(ExitCode::kInternal, subject, error.what(), "");
        }
    }

    void print() const {
        std::size_t width = 0;
        for (const Line& line : lines_) {
            width = std::max(width, line.subject.size());
        }
        for (const Line& line : lines_) {
            std::printf("%-5s %-*s  %s\n", name(line), static_cast<int>(width),
                        line.subject.c_str(), line.what.c_str());
            if (!line.todo.empty()) {
                std::printf("%-5s %-*s  -> %s\n", "", static_cast<int>(width), "",
                            line.todo.c_str());
            }
        }
        const auto failures = std::ranges::count(lines_, Verdict::kFailure, &Line::verdict);
        const auto warnings = std::ranges::count(lines_, Verdict::kWarning, &Line::verdict);
        std::printf("%s: %td failed, %td warnings\n", failures == 0 ? "ready" : "not ready",
                    failures, warnings);
    }

    /// Of the first failure; kOk without one.
    [[nodiscard]] ExitCode code() const {
        const auto failure = std::ranges::find(lines_, Verdict::kFailure, &Line::verdict);
        return failure == lines_.end() ? ExitCode::kOk : failure->code;
    }

 private:
    enum class Verdict { kGood, kWarning, kFailure };
    struct Line {
        Verdict verdict;
        std::string subject;
        std::string what;
        std::string todo;
        ExitCode code;
    };
    static const char* name(const Line& line) {
        switch (line.verdict) {
            case Verdict::kGood:
                return "ok";
            case Verdict::kWarning:
                return "WARN";
            case Verdict::kFailure:
                break;
        }
        return "FAIL";
    }

    std::vector<Line> lines_;
};

std::optional<config::Config> check_configuration(const std::string& path, Findings& findings) {
    try {
        config::Config config = config::load(path, config::process_environment());
        findings.good("configuration", path);
        return config;
    } catch (const config::ConfigError& error) {
        for (const config::Problem& problem : error.problems()) {
            findings.fail(ExitCode::kConfig, "configuration",
                          problem.origin + ": " + problem.message, "");
        }
        return std::nullopt;
    }
}

void check_options(const config::Config& config, Findings& findings) {
    for (const config::OutboxConfig& outbox : config.outboxes) {
        for (const std::string& problem :
             debezium::find_problems(adapters::router_options(outbox, config.postgres.slot))) {
            findings.fail(ExitCode::kConfig, "[outbox]", problem, "");
        }
    }
    if (config.connector.has_change_events()) {
        try {
            static_cast<void>(adapters::connector_options(config.connector, ""));
        } catch (const config::ConfigError& error) {
            for (const config::Problem& problem : error.problems()) {
                findings.fail(ExitCode::kConfig, problem.origin, problem.message, "");
            }
        }
    }
    for (const kafka::PropertyProblem& problem :
         kafka::validate_properties(adapters::kafka_properties(config))) {
        const auto line =
            std::ranges::find(config.kafka, problem.name, &config::KafkaProperty::name);
        findings.fail(ExitCode::kConfig, "[kafka] " + problem.name,
                      (line == config.kafka.end() ? "" : line->origin + ": ") + problem.message,
                      "");
    }
    const kafka::LibraryVersion library = kafka::library_version();
    switch (library.verdict) {
        case kafka::LibraryVerdict::kGood:
            findings.good("librdkafka", library.text);
            break;
        case kafka::LibraryVerdict::kWarn:
            findings.warn("librdkafka", library.text + ": " + library.reason,
                          "Build the relay with 2.14 or later (make setup).");
            break;
        case kafka::LibraryVerdict::kRefuse:
            findings.fail(ExitCode::kConfig, "librdkafka", library.text + ": " + library.reason,
                          "Build the relay with 2.14 or later (make setup).");
    }
}

/// Whether there are change events, and their options are right: check_options() names what is not.
bool captures(const config::Config& config) {
    if (!config.connector.has_change_events()) {
        return false;
    }
    try {
        static_cast<void>(adapters::connector_options(config.connector, ""));
        return true;
    } catch (const config::ConfigError&) {
        return false;
    }
}

// ---- PostgreSQL

std::string subject_of(ExitCode code) {
    switch (code) {
        case ExitCode::kSlotMissing:
        case ExitCode::kSlotLost:
            return "slot";
        case ExitCode::kPublicationMissing:
        case ExitCode::kPublicationChanged:
            return "publication";
        case ExitCode::kOutboxShapeChanged:
            return "outbox";
        case ExitCode::kWrongCluster:
            return "cluster";
        case ExitCode::kPermissionDenied:
            return "role";
        default:
            return "server";
    }
}

void check_server(postgres::Session& session, Findings& findings) {
    const postgres::ServerFacts server = postgres::read_server(session);
    findings.good("server", "PostgreSQL " + std::to_string(server.version / 10'000) + "." +
                                std::to_string(server.version % 10'000) + ", " +
                                session.describe() + ", cluster " + server.system_identifier);
    if (!server.extension_version.empty()) {
        const std::string relay = std::string(kVersion).substr(0, server.extension_version.size());
        if (relay == server.extension_version) {
            findings.good("extension", "holdfast " + server.extension_version);
        } else {
            findings.warn("extension",
                          "holdfast " + server.extension_version + ", and the relay is " + kVersion,
                          "ALTER EXTENSION holdfast UPDATE, or install the relay of its version.");
        }
    }
    if (server.max_slot_wal_keep_mb < 0) {
        findings.warn(
            "server", "max_slot_wal_keep_size is not limited",
            "A relay that stays away keeps WAL until the disk is full: set it to what the "
            "longest outage needs and the disk can bear.");
    }
    if (server.max_wal_senders > 0 && server.wal_senders_in_use >= server.max_wal_senders) {
        findings.warn("server",
                      "all " + std::to_string(server.max_wal_senders) + " walsenders are in use",
                      "Raise max_wal_senders unless one of them is this relay's.");
    }
    if (server.wal_sender_timeout_ms == 0) {
        findings.warn("server", "wal_sender_timeout is off",
                      "After a crash of the relay's host the slot stays in use until the kernel "
                      "gives the connection up: set it to 60s.");
    }
    const postgres::Result connection = session.exec(
        "SELECT s.ssl, coalesce(inet_server_addr() <<= '127.0.0.0/8' OR "
        "inet_server_addr() = '::1', true) FROM pg_stat_ssl s WHERE s.pid = pg_backend_pid()");
    if (!connection.empty() && !connection.boolean(0, 0) && !connection.boolean(0, 1)) {
        findings.warn("server", "the connection is not encrypted",
                      "Add sslmode=verify-full and sslrootcert to [postgres] dsn.");
    }
}

void check_role(postgres::Session& session, const config::Config& config, Findings& findings) {
    const postgres::RoleFacts role = postgres::read_role(session);
    if (role.superuser) {
        findings.warn("role", role.name + " is a superuser",
                      "Use a role with LOGIN REPLICATION and holdfast.grant_relay() alone.");
    } else if (role.replication) {
        findings.good("role", role.name);
    }
    const std::int64_t connections = kRelayConnections +
                                     (config.notify.empty() ? 0 : kNotifyConnections) +
                                     (config.too_large.empty() ? 0 : kKeeperConnections);
    if (role.connection_limit >= 0 && role.connection_limit < connections) {
        findings.fail(ExitCode::kPermissionDenied, "role",
                      "CONNECTION LIMIT of " + role.name + " is " +
                          std::to_string(role.connection_limit) + ", the relay needs " +
                          std::to_string(connections),
                      "ALTER ROLE ... CONNECTION LIMIT 8.");
    }
    const bool upkeep =
        config.maintenance.interval_s > 0 || config.maintenance.expire_holds_interval_ms > 0;
    if (upkeep && role.schema_usage && !role.can_maintain) {
        findings.warn(
            "role", role.name + " may not call holdfast.maintain()",
            "SELECT holdfast.grant_relay('" + role.name + "'), or switch [maintenance] off here.");
    }
    if (!config.inbox.empty() && role.schema_usage && !role.can_call_inbox) {
        findings.fail(ExitCode::kPermissionDenied, "role",
                      role.name + " may not call inbox_claim and inbox_apply",
                      "SELECT holdfast.grant_relay('" + role.name + "').");
    }
}

void check_stream(postgres::Session& session, const config::Config& config, Findings& findings) {
    const postgres::StreamRequirements required = adapters::stream_requirements(config);
    std::map<std::string, bool> failed;
    for (const postgres::Finding& finding : postgres::inspect(session, required)) {
        const std::string subject = subject_of(finding.code);
        failed[subject] = true;
        findings.fail(finding.code, subject, finding.message, finding.hint);
    }
    if (!failed["publication"]) {
        findings.good("publication", required.publication);
    }
    if (!failed["outbox"]) {
        for (const postgres::OutboxRequirement& outbox : required.outboxes) {
            findings.good("outbox", outbox.table);
        }
    }
    const std::optional<SlotMemory> memory = read_slot_memory(session, required.slot);
    const std::optional<postgres::SlotRow> slot = postgres::read_slot(session, required.slot);
    const std::string current = postgres::read_server(session).system_identifier;
    if (memory && !memory->system_identifier.empty() && memory->system_identifier != current) {
        findings.fail(ExitCode::kWrongCluster, "cluster",
                      "the slot was used with the cluster " + memory->system_identifier,
                      "Correct [postgres] dsn; after a restore see docs/operations.md, exit code "
                      "14.");
    }
    if (memory && !slot) {
        findings.fail(ExitCode::kSlotMissing, "slot",
                      "a relay has streamed from it before, last at " + memory->reported_at,
                      "It was lost: see docs/operations.md, exit code 10, before you make a new "
                      "one.");
    }
    const std::optional<SlotMoved> moved =
        memory && slot ? slot_moved(*slot, memory->left, required.slot) : std::nullopt;
    if (moved) {
        findings.fail(ExitCode::kSlotMissing, "slot", moved->message, moved->hint);
    } else if (slot && !failed["slot"]) {
        findings.good("slot", required.slot + ", plugin " + slot->plugin + ", " + slot->wal_status +
                                  ", confirmed " + slot->confirmed_flush.to_string() +
                                  (slot->active_pid ? ", in use" : ", not in use"));
        if (slot->wal_status == "unreserved") {
            findings.warn("slot", "WAL that it needs may be removed at the next checkpoint",
                          "Let the relay catch up now, or raise max_slot_wal_keep_size.");
        }
    }
}

/// Whether the initial snapshot can read what it is to read.
void check_snapshot(postgres::Session& session, const config::Config& config, Findings& findings) {
    if (adapters::snapshot_mode(config) == snapshot::Mode::kNoData) {
        return;
    }
    const adapters::CapturedTables captured = adapters::snapshot_tables(config);
    bool good = true;
    for (const postgres::SnapshotTable& table :
         postgres::read_snapshot_tables(session, config.postgres.publication)) {
        if (!captured(table.schema, table.name)) {
            continue;
        }
        const std::string name =
            session.quote_identifier(table.schema) + "." + session.quote_identifier(table.name);
        const postgres::Result rights = session.exec(
            "SELECT pg_catalog.has_table_privilege($1::oid, 'SELECT'), "
            "       pg_catalog.row_security_active($1::oid)",
            {std::to_string(table.oid).c_str()});
        if (!rights.boolean(0, 0)) {
            good = false;
            findings.fail(
                ExitCode::kPermissionDenied, "snapshot",
                name + ": the relay's role may not read it",
                "GRANT SELECT ON " + name + " to it, or set \"snapshot.mode\" to no_data.");
        } else if (rights.boolean(0, 1)) {
            good = false;
            findings.fail(ExitCode::kPermissionDenied, "snapshot",
                          name + ": row-level security would keep rows of it from the relay's role",
                          "Give the role BYPASSRLS, or set \"snapshot.mode\" to no_data.");
        } else if (table.key.empty()) {
            good = false;
            findings.warn("snapshot", name + " has no key by which it can be read in pieces",
                          "An initial snapshot of it begins again after a crash; a primary key "
                          "changes that.");
        }
    }
    if (good) {
        findings.good("snapshot", "mode " + config.connector.text("snapshot.mode"));
    }
}

void check_drift(postgres::Session& session, const config::Config& config, Findings& findings) {
    std::optional<postgres::DriftScope> scope = adapters::drift_scope(config);
    // Without a publication there is nothing to compare; check_stream() has said that.
    if (!scope || !postgres::read_publication(session, config.postgres.publication)) {
        return;
    }
    const auto drifts = postgres::PublicationWatch(std::move(*scope)).look(session);
    for (const postgres::Drift& drift : drifts) {
        findings.warn("drift", drift.subject + ": " + drift.problem, drift.repair + ".");
    }
    if (drifts.empty()) {
        findings.good("drift", "configuration, publication and catalogue fit");
    }
}

void check_handlers(const config::Config& config, Findings& findings) {
    postgres::InboxCalls calls(adapters::connect_options(config, "check"), "check");
    for (const config::InboxBinding& binding : config.inbox) {
        const std::string subject = "inbox " + binding.topic;
        try {
            calls.verify(binding.call);
            findings.good(subject, binding.call + "(text, jsonb, jsonb), group " + binding.group);
        } catch (const std::exception& error) {
            findings.fail(subject, error);
        }
    }
}

void check_notifications(const config::Config& config, Findings& findings) {
    if (config.notify.empty()) {
        return;
    }
    try {
        postgres::NotifyCalls(adapters::connect_options(config, "check"), "check").verify_notify();
    } catch (const std::exception& error) {
        findings.fail("notify", error);
    }
}

void check_endpoints(const config::Config& config, Findings& findings) {
    for (const config::NotifyBinding& binding : config.notify) {
        const std::string subject = "notify " + binding.topic;
        const Url url = parse_url(binding.url);
        findings.good(subject, "POST " + url.origin() + ", group " + binding.group);
        if (!http::resolves(url)) {
            findings.warn(
                subject, url.host + " has no address",
                "Messages wait until it has one: correct [[notify]] url, or the resolver.");
        }
        if (!binding.ca_file.empty() && ::access(binding.ca_file.c_str(), R_OK) != 0) {
            findings.fail(ExitCode::kConfig, subject,
                          "cannot read ca_file " + binding.ca_file + ": " + std::strerror(errno),
                          "Correct [[notify]] ca_file; until then no certificate is valid.");
        }
        if (url.scheme == "http" && !binding.secret.empty() && url.host != "localhost" &&
            !url.host.starts_with("127.") && url.host != "::1") {
            findings.warn(subject, "the secret is sent without encryption", "Use an https URL.");
        }
    }
}

/// Where change events go: the topics of tables that are captured and published, of transactions
/// and of heartbeats.
std::vector<std::string> change_topics(postgres::Session& session, const config::Config& config) {
    std::vector<std::string> topics;
    const debezium::ConnectorOptions options = adapters::connector_options(config.connector, "");
    const adapters::CapturedTables captured = adapters::captured_tables(options, config.outboxes);
    for (const postgres::SnapshotTable& table :
         postgres::read_snapshot_tables(session, config.postgres.publication)) {
        if (captured(table.schema, table.name)) {
            topics.push_back(debezium::data_change_topic(options, table.schema, table.name));
        }
    }
    if (options.provide_transaction_metadata) {
        topics.push_back(debezium::transaction_topic(options));
    }
    if (config.connector.integer("heartbeat.interval.ms") > 0) {
        topics.push_back(debezium::heartbeat_topic(options));
    }
    return topics;
}

/// Returns the topics of change events, as far as the database has told the tables.
std::vector<std::string> check_postgres(const config::Config& config, Findings& findings) {
    std::vector<std::string> topics;
    std::optional<postgres::Session> session;
    try {
        session.emplace(adapters::connect_options(config, "check"));
        check_server(*session, findings);
        check_role(*session, config, findings);
        check_stream(*session, config, findings);
        if (captures(config)) {
            check_drift(*session, config, findings);
            check_snapshot(*session, config, findings);
            topics = change_topics(*session, config);
        }
        check_handlers(config, findings);
        check_notifications(config, findings);
    } catch (const std::exception& error) {
        findings.fail("postgres", error);
    }
    return topics;
}

// ---- Kafka

/// Topics that the relay will read or write, as far as they can be known beforehand;
/// `change_topics` among them.
std::vector<std::string> expected_topics(const config::Config& config,
                                         const std::vector<std::string>& change_topics) {
    std::vector<std::string> topics;
    const auto add = [&topics](const std::string& topic) {
        if (std::ranges::find(topics, topic) == topics.end()) {
            topics.push_back(topic);
        }
    };
    const auto own =
        std::ranges::find(config.outboxes, "holdfast.outbox", &config::OutboxConfig::table);
    if (own != config.outboxes.end()) {
        const debezium::TopicRouter router(own->route_topic_regex, own->route_topic_replacement);
        for (const std::string_view topic : kExtensionTopics) {
            add(router.apply(std::string(topic)));
        }
        for (const config::InboxBinding& binding : config.inbox) {
            add(router.apply(binding.topic + "-dlq"));
        }
        for (const config::NotifyBinding& binding : config.notify) {
            add(router.apply(binding.topic + "-dlq"));
        }
    }
    for (const config::InboxBinding& binding : config.inbox) {
        add(binding.topic);
    }
    for (const config::NotifyBinding& binding : config.notify) {
        add(binding.topic);
    }
    std::ranges::for_each(change_topics, add);
    return topics;
}

/// What is worth one line for all topics that it is true of.
struct TopicRemarks {
    std::string missing;
    std::string fragile;

    static void add(std::string& names, const std::string& name) {
        names += (names.empty() ? "" : ", ") + name;
    }
};

void check_topic(const std::string& name, const TopicFacts& topic, std::int64_t message_max_bytes,
                 Findings& findings, TopicRemarks& remarks) {
    const std::string subject = "topic " + name;
    std::string what = std::to_string(topic.partitions) + " partitions, replication factor " +
                       std::to_string(topic.replicas);
    if (topic.max_message_bytes) {
        what += ", max.message.bytes " + std::to_string(*topic.max_message_bytes);
    }
    findings.good(subject, what);
    if (topic.max_message_bytes && *topic.max_message_bytes < message_max_bytes) {
        findings.warn(
            subject,
            "takes at most " + std::to_string(*topic.max_message_bytes) +
                " bytes, and the relay sends up to " + std::to_string(message_max_bytes),
            "Raise the topic's max.message.bytes, or say in [[too_large]] what becomes of a larger "
            "event: without a rule it halts the relay (exit code 16).");
    }
    if (topic.replicas < 3 || topic.min_insync_replicas.value_or(2) < 2) {
        TopicRemarks::add(remarks.fragile, name);
    }
}

void check_topics(const config::Config& config, const std::vector<std::string>& expected,
                  const ClusterFacts& cluster, Findings& findings) {
    const std::optional<std::string> configured = kafka_property(config, "message.max.bytes");
    const std::int64_t message_max_bytes =
        configured ? std::stoll(*configured) : kDefaultMessageMaxBytes;
    TopicRemarks remarks;
    for (const std::string& name : expected) {
        const auto topic = cluster.topics.find(name);
        if (topic != cluster.topics.end()) {
            check_topic(name, topic->second, message_max_bytes, findings, remarks);
        } else if (cluster.auto_create.value_or(true)) {
            TopicRemarks::add(remarks.missing, name);
        } else {
            findings.fail(ExitCode::kTopicMissing, "topic " + name, "does not exist",
                          "Make it: the broker does not (auto.create.topics.enable=false).");
        }
    }
    if (!remarks.missing.empty()) {
        findings.warn("topics", "do not exist yet: " + remarks.missing,
                      cluster.auto_create
                          ? "The broker makes them at first use; make them yourself to choose "
                            "partitions and replicas."
                          : "Make them, unless the broker makes topics at first use.");
    }
    if (!remarks.fragile.empty()) {
        findings.warn(
            "topics",
            "replication factor below 3 or min.insync.replicas below 2: " + remarks.fragile,
            "In production a lost broker takes acknowledged events with it.");
    }
}

void check_kafka(const config::Config& config, const std::vector<std::string>& change_topics,
                 Findings& findings) {
    try {
        const std::vector<std::string> expected = expected_topics(config, change_topics);
        const ClusterFacts cluster =
            inspect_cluster(adapters::kafka_properties(config), expected, kKafkaLimit);
        findings.good("kafka", kafka_property(config, "bootstrap.servers").value_or("") + ", " +
                                   std::to_string(cluster.brokers) + " brokers");
        check_topics(config, expected, cluster, findings);
    } catch (const std::exception& error) {
        findings.fail("kafka", error);
    }
}

}  // namespace

ExitCode check(const std::string& config_path, const CheckOptions& options) {
    if (options.list_keys) {
        std::fputs(config::describe_keys().c_str(), stdout);
        return ExitCode::kOk;
    }
    Findings findings;
    if (const std::optional<config::Config> config = check_configuration(config_path, findings)) {
        check_options(*config, findings);
        check_endpoints(*config, findings);
        const bool usable = findings.code() == ExitCode::kOk;
        const std::vector<std::string> change_topics = check_postgres(*config, findings);
        if (usable) {
            check_kafka(*config, change_topics, findings);
        }
    }
    findings.print();
    return findings.code();
}

}  // namespace holdfast::relay::commands
