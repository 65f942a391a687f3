#include "backend/boundary_probe.hpp"

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "backend/guard.hpp"
#include "backend/raw.h"
#include "core/error.hpp"
#include "core/live_object.hpp"

namespace holdfast::backend {
namespace {

struct Owner : private core::LiveObject {
    explicit Owner(int depth) : text(std::string(64, 'x') + std::to_string(depth)) {}
    std::string text;
};

void raise_kind(std::string_view kind) {
    const Owner owner(0);
    if (kind == "core_error") {
        throw core::Error("HF001", "raised by the core", "A detail.", "A hint.");
    }
    if (kind == "bad_alloc") {
        throw std::bad_alloc();
    }
    if (kind == "std_exception") {
        throw std::runtime_error("raised by the standard library");
    }
    if (kind == "unknown") {
        throw 42;
    }
    if (kind == "long_text") {
        // Longer than a failure keeps, with a character of two bytes across the cut.
        std::string text(1022, 'x');
        text += "\u00e9\u00e9";
        throw std::runtime_error(text);
    }
    if (kind != "none") {
        const std::string name(kind);
        call_backend<raw_probe>(name.c_str());
    }
}

void descend(int depth, std::string_view kind) {
    if (depth == 0) {
        raise_kind(kind);
        return;
    }
    const Owner on_stack(depth);
    std::vector<std::unique_ptr<Owner>> on_heap;
    on_heap.push_back(std::make_unique<Owner>(depth));
    try {
        descend(depth - 1, kind);
    } catch (const std::logic_error&) {
        // A handler that does not match: the search for one passes through each frame.
    }
}

}  // namespace

Datum probe_raise(FunctionCallInfo fcinfo) {
    const RawBytes kind = call_backend<raw_text_bytes>(PG_GETARG_DATUM(0));
    descend(PG_GETARG_INT32(1), {kind.data, kind.size});
    return BoolGetDatum(true);
}

Datum probe_live_objects() {
    return Int64GetDatum(core::LiveObject::count());
}

}  // namespace holdfast::backend
