// Time, ids and randomness from the server, as the core wants them.
#pragma once

#include "core/timestamp.hpp"
#include "core/uuid.hpp"

namespace holdfast::backend {

// The wall clock now (not the transaction's start).
core::Instant now();

// An event id of the given time; strictly rising within this session.
core::Uuid next_event_id(core::Instant at);

}  // namespace holdfast::backend
