#include <poll.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "base/poll.hpp"
#include "commands/commands.hpp"
#include "commands/signals.hpp"
#include "kafka/mock_broker.hpp"

namespace holdfast::relay::commands {
namespace {

/// Whole or not at all: whoever waits for the file never reads half a line.
void write_port_file(const std::string& path, const std::string& servers) {
    const std::string unfinished = path + ".new";
    std::ofstream file(unfinished, std::ios::trunc);
    file << servers << '\n';
    file.close();
    std::error_code fault;
    if (file) {
        std::filesystem::rename(unfinished, path, fault);
    }
    if (!file || fault) {
        throw FatalError(ExitCode::kUsage, "cannot write --port-file " + path,
                         "Name a file in a directory that exists and may be written.");
    }
}

}  // namespace

ExitCode broker(const BrokerOptions& options) {
    const Signals signals;  // before the cluster's threads
    kafka::MockBroker broker;
    for (const BrokerOptions::Topic& topic : options.topics) {
        broker.create_topic(topic.name, topic.partitions);
    }
    const std::string servers = broker.bootstrap_servers();
    std::printf("bootstrap.servers=%s\n", servers.c_str());
    std::printf(
        "For trying things out only: it keeps at most 5 MB or 100,000 records a partition (the "
        "oldest go first), and nothing across a restart.\n");
    std::fflush(stdout);
    if (!options.port_file.empty()) {
        write_port_file(options.port_file, servers);
    }

    std::array<pollfd, 1> descriptors{{{signals.fd(), POLLIN, 0}}};
    while (true) {
        wait_for(descriptors, std::chrono::hours(1));
        const auto signal = signals.take();
        if (signal && *signal != SIGHUP) {
            return ExitCode::kOk;
        }
    }
}

}  // namespace holdfast::relay::commands
