#include "commands/version.hpp"

#include <libpq-fe.h>

#include <cstdio>

#include "commands/commands.hpp"
#include "kafka/properties.hpp"

namespace holdfast::relay::commands {

ExitCode version() {
    const kafka::LibraryVersion library = kafka::library_version();
    const int libpq = PQlibVersion();
    std::printf("holdfast-relay %s\nlibrdkafka %s%s%s\nlibpq %d.%d\n", kVersion,
                library.text.c_str(), library.reason.empty() ? "" : ": ", library.reason.c_str(),
                libpq / 10000, libpq % 10000);
    return ExitCode::kOk;
}

}  // namespace holdfast::relay::commands
