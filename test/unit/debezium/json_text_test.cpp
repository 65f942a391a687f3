#include "debezium/json_text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace holdfast::relay::debezium {
namespace {

std::string string_of(std::string_view text) {
    std::string json;
    append_json_string(text, json);
    return json;
}

std::string double_of(double number) {
    std::string json;
    append_json_double(number, json);
    return json;
}

std::string float_of(float number) {
    std::string json;
    append_json_float(number, json);
    return json;
}

std::string base64_of(std::string_view bytes) {
    std::string text;
    append_base64(bytes, text);
    return text;
}

TEST(JsonText, EscapesAsJacksonDoes) {
    EXPECT_EQ(string_of(""), R"("")");
    EXPECT_EQ(string_of("plain"), R"("plain")");
    EXPECT_EQ(string_of("a\"b\\c/d"), R"("a\"b\\c/d")");
    EXPECT_EQ(string_of("\b\t\n\f\r"), R"("\b\t\n\f\r")");
    EXPECT_EQ(string_of(std::string_view("\0\x01\x1f\x7f", 4)), "\"\\u0000\\u0001\\u001F\x7f\"");
}

TEST(JsonText, FindsWhatIsToBeEscapedWhereverItIs) {
    for (std::size_t length = 1; length < 40; ++length) {
        for (std::size_t at = 0; at < length; ++at) {
            std::string text(length, 'x');
            text[at] = '"';
            const std::string escaped = std::string(at, 'x') + "\\\"";
            EXPECT_EQ(string_of(text), '"' + escaped + std::string(length - at - 1, 'x') + '"');
        }
    }
}

TEST(JsonText, EscapesTextsLongerThanAnyBuffer) {
    const std::string quotes(10'000, '"');
    const std::string json = string_of(quotes);
    EXPECT_EQ(json.size(), 2 + 2 * quotes.size());
    EXPECT_EQ(string_of("\x01" + std::string(1000, 'x')),
              "\"\\u0001" + std::string(1000, 'x') + '"');
}

TEST(JsonText, KeepsCharactersUpToFfffAndEscapesTheOthers) {
    EXPECT_EQ(string_of("h\u00e9llo \u20ac \u2028 \uffff"), "\"h\u00e9llo \u20ac \u2028 \uffff\"");
    EXPECT_EQ(string_of("\U0001F600"), R"("\uD83D\uDE00")");
    EXPECT_EQ(string_of("ab\U00010000\U0010FFFFcd"), R"("ab\uD800\uDC00\uDBFF\uDFFFcd")");
}

TEST(JsonText, KeepsAllCharactersOfJsonThatIsTheTextOfAString) {
    std::string inner;
    append_inner_json_string("\U0001F600\"", inner);
    EXPECT_EQ(inner, "\"\U0001F600\\\"\"");
    EXPECT_EQ(string_of(inner), R"("\"\uD83D\uDE00\\\"\"")");
}

TEST(JsonText, ReplacesWhatBeginsACharacterAndIsNone) {
    EXPECT_EQ(string_of("\xF0"), "\"\uFFFD\"");
    EXPECT_EQ(string_of("\xF0\x9F\x98"), "\"\uFFFD\x9F\x98\"");
    EXPECT_EQ(string_of("\xF0\x9F\x98z"), "\"\uFFFD\x9F\x98z\"");
    EXPECT_EQ(string_of("\xF4\x90\x80\x80"), "\"\uFFFD\x90\x80\x80\"");
}

TEST(JsonText, PrintsNumbersAsJavaDoes) {
    EXPECT_EQ(double_of(0), "0.0");
    EXPECT_EQ(double_of(-0.0), "-0.0");
    EXPECT_EQ(double_of(1), "1.0");
    EXPECT_EQ(double_of(-3.25), "-3.25");
    EXPECT_EQ(double_of(0.001), "0.001");
    EXPECT_EQ(double_of(0.000999), "9.99E-4");
    EXPECT_EQ(double_of(9'999'999), "9999999.0");
    EXPECT_EQ(double_of(10'000'000), "1.0E7");
    EXPECT_EQ(double_of(12'345'678.5), "1.23456785E7");
    EXPECT_EQ(double_of(1e21), "1.0E21");
    EXPECT_EQ(double_of(1.1e-5), "1.1E-5");
    EXPECT_EQ(double_of(std::numeric_limits<double>::max()), "1.7976931348623157E308");
    EXPECT_EQ(float_of(3.3F), "3.3");
    EXPECT_EQ(float_of(16'777'216), "1.6777216E7");
    EXPECT_EQ(float_of(std::numeric_limits<float>::max()), "3.4028235E38");
}

TEST(JsonText, PrintsTheNearestOfTwoDigitsForNumbersWithHardlyAnyBits) {
    EXPECT_EQ(double_of(5e-324), "4.9E-324");
    EXPECT_EQ(double_of(1e-323), "9.9E-324");
    EXPECT_EQ(double_of(1e-310), "1.0E-310");
    EXPECT_EQ(float_of(1e-45F), "1.4E-45");
    EXPECT_EQ(float_of(-1e-45F), "-1.4E-45");
}

TEST(JsonText, QuotesNumbersThatAreNotFinite) {
    EXPECT_EQ(double_of(std::nan("")), R"("NaN")");
    EXPECT_EQ(double_of(HUGE_VAL), R"("Infinity")");
    EXPECT_EQ(double_of(-HUGE_VAL), R"("-Infinity")");
    EXPECT_EQ(float_of(-HUGE_VALF), R"("-Infinity")");
}

TEST(JsonText, WritesIntegers) {
    std::string json;
    append_json_int(std::numeric_limits<std::int64_t>::min(), json);
    append_json_int(0, json);
    append_json_int(std::numeric_limits<std::int64_t>::max(), json);
    EXPECT_EQ(json, "-922337203685477580809223372036854775807");
}

TEST(JsonText, WritesBase64WithPadding) {
    EXPECT_EQ(base64_of(""), "");
    EXPECT_EQ(base64_of("f"), "Zg==");
    EXPECT_EQ(base64_of("fo"), "Zm8=");
    EXPECT_EQ(base64_of("foo"), "Zm9v");
    EXPECT_EQ(base64_of("foobar"), "Zm9vYmFy");
    EXPECT_EQ(base64_of("\xfb\xff\xfe"), "+//+");
    std::string text;
    append_base64_url_safe("\xfb\xff\xfe\xff", text);
    EXPECT_EQ(text, "-__-_w==");
}

TEST(JsonText, WritesHexadecimalDigits) {
    std::string text = "x";
    append_hex(std::string_view("\x00\xAB\xff", 3), text);
    EXPECT_EQ(text, "x00abff");
}

}  // namespace
}  // namespace holdfast::relay::debezium
