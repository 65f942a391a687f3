#include "backend/settings.hpp"

#include <cstring>

#include "backend/postgres.hpp"

namespace holdfast::backend::settings {

int hold_ttl_seconds = 900;
bool record_refusals = true;
bool inventory_events = true;
char* trace_id = nullptr;
char* traceparent = nullptr;
char* saga = nullptr;
char* price_order = nullptr;

namespace {

// Read by the extension's SQL only; the variables exist because the server wants a place for them.
int payment_timeout_seconds = 60;
int outbox_retention_seconds = 604800;
int inbox_retention_seconds = 1209600;
int request_retention_seconds = 2592000;
bool dead_letter_refusals = false;
int early_retention_seconds = 600;

constexpr std::size_t kMaxTraceIdLength = 128;

bool is_lowercase_hex(const char* text, std::size_t length) {
    return std::strspn(text, "0123456789abcdef") >= length;
}

// The trace id ends up in events, headers and log lines of other systems: printable ASCII only.
extern "C" bool check_trace_id(char** value, void** /*extra*/, GucSource /*source*/) {
    const char* text = *value;
    if (std::strlen(text) > kMaxTraceIdLength) {
        GUC_check_errdetail("A trace id has at most 128 characters.");
        return false;
    }
    for (; *text != '\0'; ++text) {
        if (*text < '!' || *text > '~' || *text == '"' || *text == '\\') {
            GUC_check_errdetail(
                "A trace id consists of printable ASCII characters without spaces, quotes and "
                "backslashes.");
            return false;
        }
    }
    return true;
}

// W3C Trace Context: version-traceid-parentid-flags in lowercase hexadecimal.
extern "C" bool check_traceparent(char** value, void** /*extra*/, GucSource /*source*/) {
    const char* text = *value;
    if (*text == '\0') {
        return true;
    }
    if (std::strlen(text) == 55 && text[2] == '-' && text[35] == '-' && text[52] == '-' &&
        is_lowercase_hex(text, 2) && is_lowercase_hex(text + 3, 32) &&
        is_lowercase_hex(text + 36, 16) && is_lowercase_hex(text + 53, 2)) {
        return true;
    }
    GUC_check_errdetail(
        "A traceparent looks like 00-<32 hex digits>-<16 hex digits>-<2 hex digits>.");
    return false;
}

constexpr int kDaySeconds = 86400;

}  // namespace

void define() {
    DefineCustomIntVariable("holdfast.hold_ttl", "How long placed orders hold their stock.",
                            "An order that is neither completed nor cancelled by then expires.",
                            &hold_ttl_seconds, 900, 1, 30 * kDaySeconds, PGC_USERSET, GUC_UNIT_S,
                            nullptr, nullptr, nullptr);
    DefineCustomIntVariable("holdfast.payment_timeout",
                            "When a payment that was begun and has no outcome is overdue.",
                            "It is in the view pending_payments then; nothing else happens to it.",
                            &payment_timeout_seconds, 60, 0, 365 * kDaySeconds, PGC_USERSET,
                            GUC_UNIT_S, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable("holdfast.record_refusals",
                             "Keep and announce orders that are refused.",
                             "When off, a refusal is answered without any write.", &record_refusals,
                             true, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable("holdfast.inventory_events",
                             "Announce the changed stock when an order is placed.", nullptr,
                             &inventory_events, true, PGC_SUSET, 0, nullptr, nullptr, nullptr);
    DefineCustomStringVariable("holdfast.trace_id", "Trace id that the session's events carry.",
                               nullptr, &trace_id, "", PGC_USERSET, 0, check_trace_id, nullptr,
                               nullptr);
    DefineCustomStringVariable(
        "holdfast.traceparent", "W3C traceparent header that the session's events carry.", nullptr,
        &traceparent, "", PGC_USERSET, 0, check_traceparent, nullptr, nullptr);
    DefineCustomStringVariable(
        "holdfast.price_order", "Function that prices orders, with its schema.",
        "When empty, an order costs its products' prices times its quantities.", &price_order, "",
        PGC_SUSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("holdfast.outbox_retention",
                            "How long outbox rows are kept after Kafka has confirmed them.",
                            nullptr, &outbox_retention_seconds, 7 * kDaySeconds, 0,
                            3650 * kDaySeconds, PGC_SUSET, GUC_UNIT_S, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("holdfast.inbox_retention",
                            "How long the inbox remembers events, to recognise repetitions.",
                            nullptr, &inbox_retention_seconds, 14 * kDaySeconds, 0,
                            3650 * kDaySeconds, PGC_SUSET, GUC_UNIT_S, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("holdfast.request_retention",
                            "How long it can be asked what became of a submitted order.", nullptr,
                            &request_retention_seconds, 30 * kDaySeconds, 0, 3650 * kDaySeconds,
                            PGC_SUSET, GUC_UNIT_S, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable("holdfast.dead_letter_refusals",
                             "Send refused order requests to order-request-dlq too.", nullptr,
                             &dead_letter_refusals, false, PGC_SUSET, 0, nullptr, nullptr, nullptr);
    DefineCustomStringVariable("holdfast.saga", "The saga of orders that name none.",
                               "reserve_first, pay_first, or one that was registered.", &saga,
                               "reserve_first", PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable(
        "holdfast.early_retention",
        "How long a message that came before its order is kept and tried again.",
        "Then it becomes a dead letter. 0: at once.", &early_retention_seconds, 600, 0,
        30 * kDaySeconds, PGC_SUSET, GUC_UNIT_S, nullptr, nullptr, nullptr);
    MarkGUCPrefixReserved("holdfast");
}

}  // namespace holdfast::backend::settings
