#include "backend/place_orders_function.hpp"

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "backend/guard.hpp"
#include "backend/order_arguments.hpp"
#include "backend/order_sql.h"
#include "backend/order_store.hpp"
#include "backend/raw.h"
#include "core/error.hpp"
#include "core/json_writer.hpp"
#include "core/place_orders.hpp"

namespace holdfast::backend {
namespace {

constexpr int kMaxOrders = 1000;

core::OrderRequest request_of(const Argument& user_id, const Argument& lines, const Argument& key,
                              const Argument& options) {
    core::OrderRequest request;
    set_user(request, user_id);
    set_lines(request, lines);
    set_idempotency_key(request, key);
    set_options(request, options);
    return request;
}

std::vector<core::BatchRequest> requests_argument(FunctionCallInfo fcinfo) {
    constexpr int kArrays = 4;
    RawArray arrays[kArrays];
    for (int i = 0; i < kArrays; ++i) {
        arrays[i] = call_backend<raw_array>(fcinfo, int{i});
        if (arrays[i].count != arrays[0].count) {
            throw core::Error(core::sqlstate::kInvalidRequest,
                              "the arrays of a batch must have one length");
        }
    }
    if (arrays[0].count > kMaxOrders) {
        throw core::Error(core::sqlstate::kInvalidRequest,
                          "a batch has at most " + std::to_string(kMaxOrders) + " orders, not " +
                              std::to_string(arrays[0].count));
    }
    std::vector<core::BatchRequest> requests;
    requests.reserve(static_cast<std::size_t>(arrays[0].count));
    for (int i = 0; i < arrays[0].count; ++i) {
        const auto element = [&](int array) {
            return Argument{arrays[array].values[i], arrays[array].nulls[i]};
        };
        try {
            requests.emplace_back(request_of(element(0), element(1), element(2), element(3)));
        } catch (const core::Error& error) {
            requests.emplace_back(core::Fault{error.sqlstate(), error.what()});
        }
    }
    return requests;
}

void write(core::JsonWriter& json, const core::OrderAnswer& answer) {
    if (answer.order_id) {
        json.field("orderId", *answer.order_id);
    }
    json.field("status", core::order_status_name(answer.status));
    json.key("detail");
    json.raw(answer.detail);
}

void write(core::JsonWriter& json, const core::Fault& fault) {
    json.field("status", "ERROR");
    json.field("sqlstate", fault.sqlstate);
    json.field("message", fault.message);
}

std::string run(FunctionCallInfo fcinfo) {
    const std::vector<core::BatchRequest> requests = requests_argument(fcinfo);
    const core::PlacingRules rules =
        rules_of_session(view(call_backend<raw_text_bytes>(PG_GETARG_DATUM(4))));
    call_backend<order_sql_begin>();
    SqlOrderStore store;
    const std::vector<core::BatchOutcome> outcomes = core::place_orders(store, requests, rules);
    // Only on success: after an error the transaction's end closes the frame.
    call_backend<order_sql_end>();

    core::JsonWriter json;
    json.begin_array();
    for (const core::BatchOutcome& outcome : outcomes) {
        json.begin_object();
        std::visit([&json](const auto& known) { write(json, known); }, outcome);
        json.end_object();
    }
    json.end_array();
    return json.finish();
}

}  // namespace

Datum place_orders_work(FunctionCallInfo fcinfo) {
    const std::string results = run(fcinfo);
    return call_backend<raw_jsonb_datum>(results.data(), Size{results.size()});
}

Datum check_order_request(FunctionCallInfo fcinfo) {
    request_of(argument(fcinfo, 0), argument(fcinfo, 1), argument(fcinfo, 2), argument(fcinfo, 3));
    return Datum{0};
}

}  // namespace holdfast::backend
