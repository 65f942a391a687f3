// Time, ids and randomness from the server, as the core wants them.
#pragma once

#include "backend/postgres.hpp"
#include "core/timestamp.hpp"
#include "core/uuid.hpp"

namespace holdfast::backend {

// The wall clock now (not the transaction's start).
core::Instant now();

// The same point in time as the server counts it.
TimestampTz to_timestamptz(core::Instant instant) noexcept;

// An event id of the given time; strictly rising within this session.
core::Uuid next_event_id(core::Instant at);

}  // namespace holdfast::backend
