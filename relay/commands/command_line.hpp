// The command line: which command, with which options.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::relay::commands {

inline constexpr const char* kDefaultConfigPath = "/etc/holdfast/holdfast.toml";

struct RunOptions {
    bool create_slot = false;
};
struct InitOptions {};
struct CheckOptions {
    bool list_keys = false;
};
struct StatusOptions {
    bool json = false;
};
struct SnapshotOptions {
    enum class Action { kRequest, kPause, kResume, kStop, kList };
    Action action = Action::kRequest;
    // With kRequest:
    std::vector<std::string> tables;  ///< at least one
    std::string condition;            ///< "" = all rows
    // With kPause, kResume and kStop:
    std::optional<std::int64_t> id;  ///< empty = all of the slot that have not ended
};
struct BrokerOptions {
    struct Topic {
        std::string name;
        int partitions = 0;
    };
    std::vector<Topic> topics;
    int default_partitions = 4;
    std::string port_file;
};
struct ImportDebeziumOptions {
    std::string file;
    std::string worker_file;  ///< "" = not known
    std::string output_file;  ///< "" = stdout
    bool strict = false;
    bool take_over = false;
    // With take_over, one of the two:
    std::string offsets_file;
    std::string offsets_topic;
    std::string connector;  ///< its name in Connect; "" = as the file says
};
struct VersionOptions {};

struct CommandLine {
    std::string config_path;
    std::variant<RunOptions, InitOptions, CheckOptions, StatusOptions, SnapshotOptions,
                 BrokerOptions, ImportDebeziumOptions, VersionOptions>
        options;
};

/// Reads the arguments.  For --help, and for what makes no sense, prints and returns the exit code
/// (0 or 64) instead.
[[nodiscard]] std::variant<CommandLine, int> parse_command_line(int argc, char** argv);

}  // namespace holdfast::relay::commands
