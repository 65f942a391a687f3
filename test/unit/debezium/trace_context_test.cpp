#include "debezium/trace_context.hpp"

#include <gtest/gtest.h>

#include <string>

#include "debezium/column_encoding.hpp"

namespace holdfast::relay::debezium {
namespace {

std::string parse(std::string_view properties) {
    try {
        const TraceContext context = parse_trace_context(properties);
        return context.traceparent.value_or("-") + " " + context.tracestate.value_or("-");
    } catch (const ConversionError& error) {
        return error.what();
    }
}

TEST(TraceContext, IsWhatJavaPropertiesStore) {
    EXPECT_EQ(parse("#Wed Nov 25 05:00:00 UTC 2026\n"
                    "traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n"
                    "tracestate=congo\\=t61rcWkgMzE,rojo\\=00f067aa0ba902b7\nother=x\n"),
              "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 "
              "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
    EXPECT_EQ(parse(""), "- -");
    EXPECT_EQ(parse("\n\n  # traceparent=x\n ! tracestate=x\nuber-trace-id=1\\:2"), "- -");
}

TEST(TraceContext, KeysAndValuesMayBeWrittenInAllTheWaysOfJava) {
    EXPECT_EQ(parse("  traceparent : a b \r\ntracestate\tc"), "a b  c");
    EXPECT_EQ(parse("trace\\\n   parent=a\\\r\n  b\rtracestate"), "ab ");
    EXPECT_EQ(parse("\\u0074raceparent=\\u0041\\t\\z\\\\\ntraceparent=last\ntracestate=\\"),
              "last ");
    EXPECT_EQ(parse("traceparent=\\u0041\\z\\\\"), "Az\\ -");
}

TEST(TraceContext, RefusesAnEscapeThatIsNone) {
    EXPECT_EQ(parse("traceparent=\\u00"),
              "the trace context has \\u without four hexadecimal digits");
    EXPECT_EQ(parse("tracestate=\\u+123"),
              "the trace context has \\u without four hexadecimal digits");
    EXPECT_EQ(parse("tracestate=\\u00e9"), "the trace context is not ASCII");
}

}  // namespace
}  // namespace holdfast::relay::debezium
