// The trace context in a column of an outbox (tracing.span.context.field): the text of a
// java.util.Properties, of which what W3C Trace Context defines goes on as headers.
//
// Sources: Java documentation, java.util.Properties.load(); Debezium's TracingSpanUtil.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::relay::debezium {

struct TraceContext {
    std::optional<std::string> traceparent;
    std::optional<std::string> tracestate;
};

/// Throws ConversionError when an escape in the text is none.
[[nodiscard]] TraceContext parse_trace_context(std::string_view properties);

}  // namespace holdfast::relay::debezium
