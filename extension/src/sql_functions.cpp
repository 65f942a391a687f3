// One extern "C" shim per SQL function, nothing else: unpack plain values, enter the core, return.
// The procedures place_order and place_order_item are C (backend/early_release.c): they commit, and
// no C++ frame may be on the stack then.
#include "backend/boundary_probe.hpp"
#include "backend/event_functions.hpp"
#include "backend/guard.hpp"
#include "backend/place_order_function.hpp"
#include "backend/place_orders_function.hpp"

using holdfast::backend::run_core;

extern "C" {

PG_FUNCTION_INFO_V1(holdfast_uuid_v7);
Datum holdfast_uuid_v7(PG_FUNCTION_ARGS) {
    (void)fcinfo;
    return run_core([] { return holdfast::backend::uuid_v7(); });
}

PG_FUNCTION_INFO_V1(holdfast_event_inventory_updated_v1);
Datum holdfast_event_inventory_updated_v1(PG_FUNCTION_ARGS) {
    return run_core([fcinfo] { return holdfast::backend::event_inventory_updated_v1(fcinfo); });
}

PG_FUNCTION_INFO_V1(holdfast_event_order_failed_v1);
Datum holdfast_event_order_failed_v1(PG_FUNCTION_ARGS) {
    return run_core([fcinfo] { return holdfast::backend::event_order_failed_v1(fcinfo); });
}

PG_FUNCTION_INFO_V1(holdfast_place_order_work);
Datum holdfast_place_order_work(PG_FUNCTION_ARGS) {
    return run_core([fcinfo] { return holdfast::backend::place_order_work(fcinfo); });
}

PG_FUNCTION_INFO_V1(holdfast_place_orders_work);
Datum holdfast_place_orders_work(PG_FUNCTION_ARGS) {
    return run_core([fcinfo] { return holdfast::backend::place_orders_work(fcinfo); });
}

PG_FUNCTION_INFO_V1(holdfast_check_order_request);
Datum holdfast_check_order_request(PG_FUNCTION_ARGS) {
    return run_core([fcinfo] { return holdfast::backend::check_order_request(fcinfo); });
}

PG_FUNCTION_INFO_V1(holdfast_probe_raise);
Datum holdfast_probe_raise(PG_FUNCTION_ARGS) {
    return run_core([fcinfo] { return holdfast::backend::probe_raise(fcinfo); });
}

PG_FUNCTION_INFO_V1(holdfast_probe_live_objects);
Datum holdfast_probe_live_objects(PG_FUNCTION_ARGS) {
    (void)fcinfo;
    return run_core([] { return holdfast::backend::probe_live_objects(); });
}

}  // extern "C"
