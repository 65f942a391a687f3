// The publication that `init` makes when there is none.
#pragma once

#include "config/config.hpp"
#include "postgres/catalog.hpp"
#include "postgres/session.hpp"

namespace holdfast::relay::commands {

/// With change events by publication.autocreate.mode, skipped.operations and
/// publish.via.partition.root; without them the extension's own, of the outbox alone.  Prints what
/// it has made.  Throws FatalError kPublicationMissing (there is none, and it must not be made),
/// kPermissionDenied, with the statement for a superuser.
void make_publication(postgres::Session& session, const config::Config& config,
                      const postgres::StreamRequirements& required);

}  // namespace holdfast::relay::commands
