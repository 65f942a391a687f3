// The module's settings (GUCs).  Values are what the session sees now; strings are never null and
// live until the setting changes.
#pragma once

namespace holdfast::backend::settings {

// holdfast.hold_ttl, seconds.
extern int hold_ttl_seconds;
// holdfast.record_refusals: an order that is refused is kept and announced.
extern bool record_refusals;
// holdfast.inventory_events: placing an order announces the changed stock.
extern bool inventory_events;
// holdfast.trace_id and holdfast.traceparent; empty when the session has none.
extern char* trace_id;
extern char* traceparent;
// holdfast.price_order: name of the user's function that prices orders; empty: none.
extern char* price_order;

// holdfast.saga; empty is reserve_first.
extern char* saga;

// Registers the settings; called once, from _PG_init.
void define();

}  // namespace holdfast::backend::settings
