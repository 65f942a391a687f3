// The commands other than `run`.  Each prints for people on stdout and returns the exit code.
#pragma once

#include <string>

#include "base/errors.hpp"
#include "commands/command_line.hpp"

namespace holdfast::relay::commands {

/// Makes what is missing of publication and slot; changes nothing that exists.
ExitCode init(const std::string& config_path);

/// Everything that would go wrong, as a table; the code of the first failure, worst first.
ExitCode check(const std::string& config_path, const CheckOptions& options);

/// Slot, relay, inbox and dead letters as the database has them, consumer lag as Kafka has it.
ExitCode status(const std::string& config_path, const StatusOptions& options);

/// Asks for an incremental snapshot of the configured slot's relay, steers those that have not
/// ended, or lists all: what holdfast.snapshot() and its like do.  The database's refusals are
/// thrown as FatalError, with its hint.
ExitCode snapshot(const std::string& config_path, const SnapshotOptions& options);

/// An in-memory broker until SIGTERM.
ExitCode broker(const BrokerOptions& options);

/// Debezium's configuration as ours, on stdout or in a new file; what was not carried over on
/// stderr.
ExitCode import_debezium(const ImportDebeziumOptions& options);

ExitCode version();

}  // namespace holdfast::relay::commands
