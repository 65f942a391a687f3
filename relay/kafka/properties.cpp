#include "kafka/properties.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include "base/errors.hpp"
#include "base/log.hpp"
#include "kafka/client_log.hpp"

namespace holdfast::relay::kafka {
namespace {

using Pairs = std::vector<std::pair<const char*, const char*>>;

// Both kinds.  A broker that comes back is noticed within two seconds.
const Pairs& common_defaults() {
    static const Pairs pairs = {
        {"client.id", "holdfast-relay"},     {"socket.nagle.disable", "true"},
        {"socket.keepalive.enable", "true"}, {"reconnect.backoff.max.ms", "2000"},
        {"log.connection.close", "false"},
    };
    return pairs;
}

// The queue is bounded so that the whole relay stays within 64 MB.  Lingering makes the batches
// that a backlog needs, and is longer than an acknowledgement takes: librdkafka spins while a batch
// is due and the one before it is unacknowledged.  Otherwise Producer::send_now() ends it.
const Pairs& producer_defaults() {
    static const Pairs pairs = {
        {"linger.ms", "50"},
        {"queue.buffering.max.kbytes", "16384"},
        {"queue.buffering.max.messages", "100000"},
        {"batch.num.messages", "10000"},
        {"compression.codec", "none"},
    };
    return pairs;
}

const Pairs& producer_owned() {
    static const Pairs pairs = {
        {"enable.idempotence", "true"},
        // A record that a broker refuses for good stops the ones behind it: sent without it, they
        // would come before it once it is repaired.
        {"enable.gapless.guarantee", "true"},
        {"acks", "all"},
        {"message.timeout.ms", "0"},
        {"partitioner", "murmur2_random"},
    };
    return pairs;
}

// A member that was killed is noticed after six seconds, the least that brokers allow by default.
// The queue is small because the database is what takes time; after it was full, fetching goes on
// at once.  Topics that do not exist yet are looked for every two seconds.
const Pairs& consumer_defaults() {
    static const Pairs pairs = {
        {"session.timeout.ms", "6000"},
        {"heartbeat.interval.ms", "2000"},
        {"queued.min.messages", "10000"},
        {"queued.max.messages.kbytes", "8192"},
        {"fetch.queue.backoff.ms", "20"},
        {"fetch.error.backoff.ms", "100"},
        {"topic.metadata.refresh.interval.ms", "2000"},
    };
    return pairs;
}

const Pairs& consumer_owned() {
    static const Pairs pairs = {
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"},
        {"isolation.level", "read_committed"},
        {"partition.assignment.strategy", "range"},
    };
    return pairs;
}

/// Empty = set.  The message never contains the value.
std::string set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
    std::array<char, 512> problem{};
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), problem.data(), problem.size()) ==
        RD_KAFKA_CONF_OK) {
        return {};
    }
    std::string text = problem.data();
    if (!value.empty()) {
        const std::size_t at = text.find(value);
        if (at != std::string::npos) {
            text.replace(at, value.size(), "...");
        }
    }
    return text.empty() ? "librdkafka does not take it" : text;
}

void set_all(rd_kafka_conf_t* conf, const Pairs& pairs) {
    for (const auto& [name, value] : pairs) {
        const std::string problem = set(conf, name, value);
        if (!problem.empty()) {
            throw FatalError(ExitCode::kInternal,
                             "librdkafka refuses " + std::string(name) + ": " + problem);
        }
    }
}

void forward_log(const rd_kafka_t*, int level, const char* facility, const char* text) {
    const std::string_view where = facility;
    // One client of two gets the other one's properties as well, which is nobody's mistake.
    if (where == "CONFWARN") {
        return;
    }
    constexpr int kSyslogCritical = 2;
    constexpr int kSyslogNotice = 5;
    constexpr int kSyslogInfo = 6;
    const log::Level ours = level <= kSyslogCritical ? log::Level::kError
                            : level <= kSyslogNotice ? log::Level::kWarn
                            : level <= kSyslogInfo   ? log::Level::kInfo
                                                     : log::Level::kDebug;
    log_client_line(ours, "kafka_client", where, text);
}

}  // namespace

std::vector<PropertyProblem> validate_properties(const Properties& properties) {
    const ConfHandle conf(rd_kafka_conf_new());
    std::vector<PropertyProblem> problems;
    for (const auto& [name, value] : properties) {
        std::string problem = set(conf.get(), name, value);
        if (!problem.empty()) {
            problems.push_back({name, std::move(problem)});
        }
    }
    return problems;
}

bool lingers_by_default(const Properties& properties) {
    return std::ranges::none_of(properties, [](const auto& property) {
        return property.first == "linger.ms" || property.first == "queue.buffering.max.ms";
    });
}

ConfHandle make_conf(const Properties& properties, ClientKind kind) {
    const bool producer = kind == ClientKind::kProducer;
    ConfHandle conf(rd_kafka_conf_new());
    set_all(conf.get(), common_defaults());
    set_all(conf.get(), producer ? producer_defaults() : consumer_defaults());
    for (const auto& [name, value] : properties) {
        const std::string problem = set(conf.get(), name, value);
        if (!problem.empty()) {
            throw FatalError(ExitCode::kConfig,
                             std::string("[kafka] ").append(name).append(": ").append(problem),
                             "See librdkafka's CONFIGURATION.md for its properties.");
        }
    }
    set_all(conf.get(), producer ? producer_owned() : consumer_owned());
    rd_kafka_conf_set_log_cb(conf.get(), forward_log);
    return conf;
}

LibraryVersion judge_version(int version) {
    struct Fault {
        int first;  ///< affected from here ...
        int fixed;  ///< ... until here
        LibraryVerdict verdict;
        const char* reason;
    };
    using enum LibraryVerdict;
    // From librdkafka's CHANGELOG.
    static constexpr std::array<Fault, 7> kFaults{{
        {0x00000000, 0x020300ff, kRefuse,
         "an idempotent producer may fail for good after one uncertain delivery (fixed in 2.3.0)"},
        {0x020200ff, 0x020500ff, kRefuse,
         "consumers may stop at \"unable to reconstruct MessageSet\" (fixed in 2.5.0)"},
        {0x020500ff, 0x020501ff, kRefuse, "telemetry may abort the process (fixed in 2.5.3)"},
        {0x020600ff, 0x020601ff, kRefuse, "older brokers are not understood (fixed in 2.6.1)"},
        {0x020a00ff, 0x020a01ff, kRefuse, "may bootstrap for ever (fixed in 2.10.1)"},
        {0x020000ff, 0x020a00ff, kWarn,
         "a coordinator behind an unreachable broker may not be found, and Nagle delays requests "
         "(fixed in 2.10.0)"},
        {0x020000ff, 0x020e02ff, kWarn,
         "has data races that were fixed later (2.11.1, 2.12.0, 2.14.2)"},
    }};
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%d.%d.%d", (version >> 24) & 0xFF,
                  (version >> 16) & 0xFF, (version >> 8) & 0xFF);
    LibraryVersion result{.text = text.data(), .verdict = kGood, .reason = {}};
    for (const Fault& fault : kFaults) {
        if (version >= fault.first && version < fault.fixed) {
            result.verdict = fault.verdict;
            result.reason = fault.reason;
            return result;
        }
    }
    return result;
}

LibraryVersion library_version() {
    return judge_version(rd_kafka_version());
}

}  // namespace holdfast::relay::kafka
