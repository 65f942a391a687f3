#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "adapters/settings.hpp"
#include "base/errors.hpp"
#include "commands/commands.hpp"
#include "commands/debezium_import.hpp"
#include "commands/take_over.hpp"
#include "config/config.hpp"
#include "config/loader.hpp"
#include "kafka/compacted_topic.hpp"

namespace holdfast::relay::commands {
namespace {

constexpr std::chrono::milliseconds kKafkaLimit{30'000};

std::string read_file(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(stream), {}};
    if (!stream.is_open() || stream.bad()) {
        throw FatalError(ExitCode::kConfig, path + ": cannot be read: " + std::strerror(errno));
    }
    return content;
}

ConnectProperties read_properties(const std::string& path) {
    return read_connect_properties(read_file(path), path);
}

/// Never over a file that is there.
void write_new_file(const std::string& path, const std::string& content) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        throw FatalError(ExitCode::kConfig, path + ": cannot be made: " + std::strerror(errno),
                         "A file that exists is never overwritten: name another one.");
    }
    std::size_t written = 0;
    while (written < content.size()) {
        const ssize_t count = ::write(file, content.data() + written, content.size() - written);
        if (count < 0 && errno != EINTR) {
            const std::string problem = path + ": cannot be written: " + std::strerror(errno);
            ::close(file);
            ::unlink(path.c_str());
            throw FatalError(ExitCode::kConfig, problem);
        }
        written += count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    ::close(file);
}

std::vector<debezium::StoredOffset> stored_offsets(const ImportDebeziumOptions& options,
                                                   const config::Config& config) {
    if (!options.offsets_file.empty()) {
        return debezium::read_offset_file(read_file(options.offsets_file));
    }
    std::vector<debezium::StoredOffset> offsets;
    for (auto& [key, value] : kafka::read_compacted_topic(adapters::kafka_properties(config),
                                                          options.offsets_topic, kKafkaLimit)) {
        offsets.push_back({key, std::move(value)});
    }
    return offsets;
}

TakenOver take_slot_over(const ImportDebeziumOptions& options, const ConnectProperties& connector,
                         const DebeziumImport& imported) {
    // Through the configuration that is being made: what it cannot reach, the relay could not
    // either, and the environment's overrides count as they will.
    const config::Config config =
        config::parse(imported.toml, "(the imported configuration)", config::Privacy::kOwnerOnly,
                      config::process_environment());
    const std::string& name =
        options.connector.empty() ? imported.connector_name : options.connector;
    const debezium::SourceOffset offset =
        find_offset(stored_offsets(options, config), name, imported.topic_prefix);
    const capture::ResumePosition position = resume_position(offset);

    postgres::ConnectOptions connect = adapters::connect_options(config, "import");
    const auto password = connector.find("database.password");
    if (connect.password.empty() && password != connector.end() &&
        password->second.find("${") == std::string::npos) {
        connect.password = password->second;
    }
    postgres::Session session(connect);
    TakenOver taken = take_over(session, imported.slot, position);
    std::fprintf(stderr,
                 "slot \"%s\": can be taken over, resume_after = \"%s\"\n"
                 "source.sequence goes on with %s as its first element\n",
                 imported.slot.c_str(), taken.resume_after.c_str(), taken.sequence_start.c_str());
    if (position.xid && position.events == 1 && !offset.lsn_events_processed) {
        std::fprintf(stderr,
                     "the offset has no count of changes (lsn_events_processed, since Debezium "
                     "3.7): where one WAL record holds several, as of COPY, those behind the first "
                     "are sent again\n");
    }
    return taken;
}

void print_findings(const DebeziumImport& imported) {
    using Weight = ImportFinding::Weight;
    for (const ImportFinding& finding : imported.findings) {
        const char* const weight = finding.weight == Weight::kOtherMessages ? "messages may differ"
                                   : finding.weight == Weight::kDifference  ? "not carried over"
                                                                            : "left out";
        std::fprintf(stderr, "%s: %s: %s\n", finding.property.c_str(), weight,
                     finding.text.c_str());
    }
}

}  // namespace

ExitCode import_debezium(const ImportDebeziumOptions& options) {
    const ConnectProperties connector = read_properties(options.file);
    std::optional<ConnectProperties> worker;
    if (!options.worker_file.empty()) {
        worker = read_properties(options.worker_file);
    }
    DebeziumImport imported = import_connector(connector, worker, std::nullopt);
    if (options.take_over) {
        try {
            const TakenOver taken = take_slot_over(options, connector, imported);
            imported = import_connector(connector, worker, taken);
        } catch (const RetryableError& error) {
            throw FatalError(ExitCode::kUnavailable, error.what(),
                             "Nothing was written. Try again when the server answers.");
        }
    }
    print_findings(imported);
    if (options.strict && imported.changes_messages()) {
        throw FatalError(ExitCode::kConfig,
                         "messages would not be the connector's, and --strict is given",
                         "Nothing was written. Change what is listed above in the connector first, "
                         "or leave out --strict.");
    }
    if (options.output_file.empty()) {
        std::fputs(imported.toml.c_str(), stdout);
    } else {
        write_new_file(options.output_file, imported.toml);
    }
    return ExitCode::kOk;
}

}  // namespace holdfast::relay::commands
