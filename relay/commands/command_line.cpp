#include "commands/command_line.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>

#include "base/errors.hpp"

namespace holdfast::relay::commands {
namespace {

constexpr int kMaxPartitions = 10'000;

/// "name:partitions", or "name" for the default number.
BrokerOptions::Topic parse_topic(const std::string& text, int default_partitions) {
    const std::size_t colon = text.rfind(':');
    BrokerOptions::Topic topic{text.substr(0, colon), default_partitions};
    if (colon != std::string::npos) {
        const char* const begin = text.data() + colon + 1;
        const char* const end = text.data() + text.size();
        const auto [stop, fault] = std::from_chars(begin, end, topic.partitions);
        if (fault != std::errc{} || stop != end) {
            topic.partitions = 0;
        }
    }
    if (topic.name.empty() || topic.partitions < 1 || topic.partitions > kMaxPartitions) {
        throw CLI::ValidationError("--topic", "\"" + text + "\" is not NAME or NAME:PARTITIONS");
    }
    return topic;
}

/// "" when the text is one, else what is wrong with it, as CLI11 asks its checks.
std::string snapshot_number(const std::string& text) {
    std::int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data(), end, number);
    return fault == std::errc{} && stop == end && number > 0
               ? std::string()
               : "\"" + text + "\" is no number of a snapshot; `snapshot --list` shows them";
}

}  // namespace

std::variant<CommandLine, int> parse_command_line(int argc, char** argv) {
    CLI::App app{"holdfast-relay: PostgreSQL's write-ahead log to Kafka, and back",
                 "holdfast-relay"};
    app.require_subcommand(1);
    app.fallthrough();
    CommandLine line;
    line.config_path = kDefaultConfigPath;
    app.add_option("-c,--config", line.config_path, "Configuration file")
        ->envname("HOLDFAST_CONFIG")
        ->capture_default_str()
        ->type_name("FILE");

    RunOptions run;
    CLI::App* run_command = app.add_subcommand("run", "Relay until SIGTERM");
    run_command->add_flag("--create-slot", run.create_slot,
                          "Make the replication slot if there has never been one");

    CLI::App* init_command = app.add_subcommand(
        "init", "Make publication and replication slot, once; changes nothing that exists");

    CheckOptions check;
    CLI::App* check_command = app.add_subcommand(
        "check", "List everything that would keep the relay from working, and what to do");
    check_command->add_flag("--list-keys", check.list_keys,
                            "Print the table of configuration keys in Markdown, and do no more");

    StatusOptions status;
    CLI::App* status_command = app.add_subcommand(
        "status", "Slot, lag, inbox positions and dead letters, as they are now");
    status_command->add_flag("--json", status.json, "As one JSON object");

    SnapshotOptions snapshot;
    CLI::App* snapshot_command = app.add_subcommand(
        "snapshot",
        "Ask the relay to send what tables hold, while it streams; or see to snapshots that were "
        "asked for");
    CLI::App* snapshot_actions = snapshot_command->add_option_group("what to do");
    snapshot_actions->require_option(1);
    CLI::Option* table = snapshot_actions
                             ->add_option("--table", snapshot.tables,
                                          "A table to read, quoted as in SQL; may be repeated")
                             ->type_name("SCHEMA.TABLE")
                             ->allow_extra_args(false);
    const auto add_action = [&snapshot, snapshot_actions](const char* name,
                                                          SnapshotOptions::Action action,
                                                          const char* description) {
        return snapshot_actions->add_flag_callback(
            name, [&snapshot, action] { snapshot.action = action; }, description);
    };
    CLI::Option* list = add_action("--list", SnapshotOptions::Action::kList,
                                   "Show the slot's snapshots, the newest first");
    add_action("--pause", SnapshotOptions::Action::kPause,
               "Have it wait behind the chunk that it is at; without ID all of the slot");
    add_action("--resume", SnapshotOptions::Action::kResume,
               "Have it go on where it was; without ID all of the slot");
    add_action("--stop", SnapshotOptions::Action::kStop,
               "End it for good; without ID all of the slot");
    snapshot_command->add_option("--where", snapshot.condition, "Only the rows that it is true for")
        ->type_name("CONDITION")
        ->needs(table);
    snapshot_command->add_option("ID", snapshot.id, "The snapshot to pause, resume or stop")
        ->check(snapshot_number)
        ->excludes(table)
        ->excludes(list);

    BrokerOptions broker;
    std::vector<std::string> topics;
    CLI::App* broker_command = app.add_subcommand(
        "broker",
        "An in-memory Kafka-protocol broker on loopback, for trying things out: it keeps at most "
        "5 MB or 100,000 records a partition, and nothing across a restart");
    broker_command->add_option("--topic", topics, "Make a topic; may be repeated")
        ->type_name("NAME[:PARTITIONS]");
    broker_command
        ->add_option("--partitions", broker.default_partitions,
                     "Partitions of a --topic without a number")
        ->check(CLI::Range(1, kMaxPartitions))
        ->capture_default_str();
    broker_command
        ->add_option("--port-file", broker.port_file,
                     "Write bootstrap.servers there once the broker answers")
        ->type_name("FILE");

    ImportDebeziumOptions import;
    CLI::App* import_command = app.add_subcommand(
        "import-debezium",
        "Turn the configuration of Debezium's PostgreSQL connector into the relay's, and take over "
        "its slot");
    import_command
        ->add_option("FILE", import.file,
                     "The connector's configuration: JSON of Connect's REST API, or .properties")
        ->required();
    import_command->add_option("--worker", import.worker_file, "The Connect worker's .properties")
        ->type_name("FILE");
    import_command
        ->add_option("--output", import.output_file,
                     "Write there, in place of stdout; a file that exists is left alone")
        ->type_name("FILE");
    import_command->add_flag("--strict", import.strict,
                             "Fail when messages would not be the connector's");
    CLI::Option* take_over = import_command->add_flag(
        "--take-over", import.take_over,
        "Go on where the connector has stopped: reads its offset, looks at its slot, changes "
        "neither");
    CLI::Option* offsets =
        import_command
            ->add_option("--offsets", import.offsets_file,
                         "Offset file of a standalone worker (offset.storage.file.filename)")
            ->type_name("FILE")
            ->needs(take_over);
    CLI::Option* offsets_topic =
        import_command
            ->add_option("--offsets-topic", import.offsets_topic,
                         "Offsets topic of distributed workers (offset.storage.topic)")
            ->type_name("TOPIC")
            ->needs(take_over)
            ->excludes(offsets);
    import_command
        ->add_option("--connector", import.connector,
                     "The connector's name in Connect, if FILE does not say it")
        ->type_name("NAME")
        ->needs(take_over);

    CLI::App* version_command = app.add_subcommand("version", "Versions of relay and libraries");

    try {
        app.parse(argc, argv);
        for (const std::string& topic : topics) {
            broker.topics.push_back(parse_topic(topic, broker.default_partitions));
        }
        if (import.take_over && offsets->empty() && offsets_topic->empty()) {
            throw CLI::RequiredError("--take-over needs --offsets or --offsets-topic: it");
        }
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
    }

    if (run_command->parsed()) {
        line.options = run;
    } else if (init_command->parsed()) {
        line.options = InitOptions{};
    } else if (check_command->parsed()) {
        line.options = check;
    } else if (status_command->parsed()) {
        line.options = status;
    } else if (snapshot_command->parsed()) {
        line.options = snapshot;
    } else if (broker_command->parsed()) {
        line.options = broker;
    } else if (import_command->parsed()) {
        line.options = import;
    } else if (version_command->parsed()) {
        line.options = VersionOptions{};
    }
    return line;
}

}  // namespace holdfast::relay::commands
