// The relay's composition root: reads the configuration, makes the parts, starts their threads, and
// turns how they end into an exit code.  The only file that knows everything; a good place to begin
// reading.
//
//   capture   slot ─► pgoutput ─► event router ─► Kafka ─► confirmed LSN        one thread
//   inbox     Kafka ─► inbox_apply ─► stored offset                             one thread
//   notify    Kafka ─► HTTP endpoints ─► stored offset                          one, and one each
//   upkeep    maintain, expire_holds, report, verification                      one thread
//   http      /metrics, /health/live, /health/ready                             a few threads
//   main      signals, systemd, watchdog                                        commands/supervisor
#include <unistd.h>

#include <array>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>

#include "adapters/drift_scope.hpp"
#include "adapters/settings.hpp"
#include "adapters/upkeep_runner.hpp"
#include "base/log.hpp"
#include "commands/capture_loop.hpp"
#include "commands/commands.hpp"
#include "commands/inbox_loop.hpp"
#include "commands/notify_loop.hpp"
#include "commands/supervisor.hpp"
#include "commands/version.hpp"
#include "config/loader.hpp"
#include "http/server.hpp"
#include "kafka/properties.hpp"
#include "metrics/exposition.hpp"

namespace holdfast::relay {
namespace {

/// Positions that wait for the database at most: about 10 MB.
constexpr std::size_t kPositionCapacity = 100'000;

adapters::RelayIdentity this_process() {
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    return {commands::kVersion, host.data(), static_cast<int>(::getpid())};
}

void describe_process(const config::Config& config, const Clock& clock,
                      metrics::ProcessMetrics& process) {
    process.version = commands::kVersion;
    process.librdkafka_version = kafka::library_version().text;
    process.slot = config.postgres.slot;
    process.started_seconds =
        std::chrono::duration_cast<std::chrono::seconds>(clock.system_time()).count();
}

ExitCode run(const std::string& config_path, const commands::RunOptions& options) {
    const commands::Signals signals;  // before the first thread
    const config::Config config = config::load(config_path, config::process_environment());
    log::set_level(log::parse_level(config.log.level).value_or(log::Level::kInfo));
    const adapters::RelayIdentity identity = this_process();
    log::info("started", {{"version", identity.version},
                          {"pid", identity.pid},
                          {"librdkafka", kafka::library_version().text},
                          {"config", config_path}});

    const SystemClock clock;
    metrics::RelayMetrics metrics;
    describe_process(config, clock, metrics.process);
    commands::add_inbox_metrics(config, metrics);
    commands::add_notify_metrics(config, metrics);
    commands::StreamState stream;
    commands::Readiness readiness(metrics, stream, clock);
    commands::StopSignal stop;
    EventFd changed;

    // Upkeep
    upkeep::PositionBuffer positions(kPositionCapacity);
    adapters::UpkeepRunner runner(
        adapters::connect_options(config, "upkeep"), adapters::stream_requirements(config),
        identity, adapters::heartbeat_action_query(config), metrics.monitor,
        [&stream] { return stream.phase() == commands::StreamState::Phase::kStreaming; });
    if (std::optional<postgres::DriftScope> scope = adapters::drift_scope(config)) {
        runner.watch(std::move(*scope));
    }
    upkeep::UpkeepOptions chores_options = adapters::upkeep_options(config);
    chores_options.report = [&]() -> std::optional<upkeep::Report> {
        if (!stream.owns_report()) {
            return std::nullopt;
        }
        const auto lsn = [](const metrics::Gauge& gauge) {
            return Lsn{static_cast<std::uint64_t>(gauge.value())};
        };
        return upkeep::Report{lsn(metrics.capture.received_lsn), lsn(metrics.capture.confirmed_lsn),
                              stream.error_to_report()};
    };
    chores_options.observe = [&metrics](std::string_view, bool succeeded) {
        (succeeded ? metrics.monitor.upkeep_runs : metrics.monitor.upkeep_failures).add();
    };
    upkeep::Upkeep upkeep(runner, positions, clock, chores_options);

    // Capture
    const auto policy = options.create_slot ? commands::SlotPolicy::kCreateIfNeverMade
                                            : commands::SlotPolicy::kMustExist;
    commands::CaptureLoop capture(config, policy, metrics, positions, stream, clock, [&] {
        // While the stream does not run, the database would rarely take a report either.
        if (stream.phase() == commands::StreamState::Phase::kStreaming) {
            upkeep.request_report();
        }
        changed.signal();
    });

    std::optional<http::Server> server;
    if (!config.http.listen.empty()) {
        server.emplace(http::parse_address(config.http.listen),
                       http::Pages{.metrics = [&] { return metrics::exposition(metrics); },
                                   .metrics_content_type = metrics::kExpositionContentType,
                                   .health = [&] { return readiness.judge(); }});
        log::info("http_listening", {{"listen", config.http.listen}, {"port", server->port()}});
    }

    const std::string owner = identity.host + ":" + std::to_string(identity.pid);
    commands::Workers chores;
    commands::Workers pipelines;
    pipelines.start("capture", [&](const std::stop_token& token) {
        const std::stop_callback on_stop(token, [&stop] { stop.request(); });
        capture.run(stop);
    });
    if (!config.inbox.empty()) {
        pipelines.start("inbox", [&](std::stop_token token) {
            commands::run_inbox(config, metrics, clock, owner, std::move(token));
        });
    }
    if (!config.notify.empty()) {
        pipelines.start("notify", [&](std::stop_token token) {
            commands::run_notify(config, metrics, clock, owner, std::move(token));
        });
    }
    chores.start("upkeep", [&](std::stop_token token) {
        try {
            upkeep.run(std::move(token));
        } catch (const FatalError& halt) {
            stream.set_halt(std::string(exit_code_name(halt.code())) + ": " + halt.what());
            upkeep.finish();
            throw;
        }
    });
    commands::Supervisor supervisor({.signals = signals,
                                     .clock = clock,
                                     .metrics = metrics,
                                     .stream = stream,
                                     .readiness = readiness,
                                     .stop = stop,
                                     .pipelines = pipelines,
                                     .chores = chores,
                                     .changed = changed,
                                     .config_path = config_path});
    const commands::Supervisor::Result result = supervisor.run();
    if (result.workers_left) {
        ::_exit(static_cast<int>(result.code));  // they still use what a return would destroy
    }
    return result.code;
}

ExitCode dispatch(const commands::CommandLine& line) {
    struct Dispatcher {
        const std::string& config;
        ExitCode operator()(const commands::RunOptions& options) const {
            return run(config, options);
        }
        ExitCode operator()(const commands::InitOptions&) const { return commands::init(config); }
        ExitCode operator()(const commands::CheckOptions& options) const {
            return commands::check(config, options);
        }
        ExitCode operator()(const commands::StatusOptions& options) const {
            return commands::status(config, options);
        }
        ExitCode operator()(const commands::SnapshotOptions& options) const {
            return commands::snapshot(config, options);
        }
        ExitCode operator()(const commands::BrokerOptions& options) const {
            return commands::broker(options);
        }
        ExitCode operator()(const commands::ImportDebeziumOptions& options) const {
            return commands::import_debezium(options);
        }
        ExitCode operator()(const commands::VersionOptions&) const { return commands::version(); }
    };
    return std::visit(Dispatcher{line.config_path}, line.options);
}

/// How each command ends that cannot do its work.
int report(const std::exception& error, ExitCode code, const std::string& hint) {
    log::error("halt", {{"code", exit_code_name(code)},
                        {"exit_code", static_cast<int>(code)},
                        {"reason", error.what()},
                        {"hint", hint}});
    return static_cast<int>(code);
}

}  // namespace
}  // namespace holdfast::relay

int main(int argc, char** argv) {
    using namespace holdfast::relay;
    try {
        const auto parsed = commands::parse_command_line(argc, argv);
        if (const int* exit_code = std::get_if<int>(&parsed)) {
            return *exit_code;
        }
        return static_cast<int>(dispatch(std::get<commands::CommandLine>(parsed)));
    } catch (const config::ConfigError& error) {
        for (const config::Problem& problem : error.problems()) {
            log::error("config_problem", {{"where", problem.origin}, {"problem", problem.message}});
        }
        return static_cast<int>(error.code());
    } catch (const FatalError& error) {
        return report(error, error.code(), error.hint());
    } catch (const RetryableError& error) {  // of a one-off command: `run` waits
        return report(error, ExitCode::kUnavailable, "Try again when the server answers.");
    } catch (const std::exception& error) {
        return report(error, ExitCode::kInternal, "");
    }
}
