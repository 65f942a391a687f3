#include <cstdio>
#include <optional>
#include <string>

#include "adapters/settings.hpp"
#include "base/errors.hpp"
#include "commands/commands.hpp"
#include "commands/publication.hpp"
#include "commands/stream_preparation.hpp"
#include "config/config.hpp"
#include "config/loader.hpp"
#include "postgres/catalog.hpp"
#include "postgres/output_plugin.hpp"
#include "postgres/session.hpp"

namespace holdfast::relay::commands {
namespace {

/// What the slot must be like if it is to be ours.
void require_our_kind_of_slot(const postgres::SlotRow& slot, const std::string& name,
                              const std::string& database) {
    if (!postgres::is_readable_plugin(slot.plugin) || slot.database != database || slot.temporary) {
        throw FatalError(ExitCode::kConfig,
                         "slot \"" + name + "\" exists and is not ours: plugin " + slot.plugin +
                             ", database " + slot.database + (slot.temporary ? ", temporary" : ""),
                         "Name another slot in [postgres] slot.");
    }
}

}  // namespace

ExitCode init(const std::string& config_path) {
    const config::Config config = config::load(config_path, config::process_environment());
    const postgres::StreamRequirements required = adapters::stream_requirements(config);
    postgres::Session session(adapters::connect_options(config, "init"));

    const bool had_publication =
        postgres::read_publication(session, required.publication).has_value();
    if (!had_publication) {
        make_publication(session, config, required);
    }
    const std::optional<postgres::SlotRow> before = postgres::read_slot(session, required.slot);
    if (before) {
        require_our_kind_of_slot(*before, required.slot, postgres::read_server(session).database);
    }
    const postgres::SlotRow slot =
        prepare_stream(session, required, SlotPolicy::kCreateIfNeverMade);
    if (had_publication) {
        std::printf("publication \"%s\": exists and is right\n", required.publication.c_str());
    }
    std::printf("slot \"%s\": %s, plugin %s, confirmed %s\n", required.slot.c_str(),
                before ? "exists" : "made", slot.plugin.c_str(),
                slot.confirmed_flush.to_string().c_str());
    return ExitCode::kOk;
}

}  // namespace holdfast::relay::commands
