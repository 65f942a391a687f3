// What Debezium 3.7.0.Final itself makes of values, in every mode:
// test/fixtures/debezium/values.tsv, which Values.java beside it has made.
#include <gtest/gtest.h>

#include <charconv>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "debezium/column_encoding.hpp"

namespace holdfast::relay::debezium {
namespace {

/// In a cell: \t \n \r \\, and \N for null.
std::string unescaped(std::string_view cell) {
    std::string text;
    for (std::size_t i = 0; i < cell.size(); ++i) {
        if (cell[i] != '\\') {
            text += cell[i];
            continue;
        }
        ++i;
        text += cell[i] == 't' ? '\t' : cell[i] == 'n' ? '\n' : cell[i] == 'r' ? '\r' : cell[i];
    }
    return text;
}

std::vector<std::string> split(std::string_view line, char separator) {
    std::vector<std::string> parts(1);
    for (const char c : line) {
        if (c == separator) {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

template <typename Integer>
Integer to_number(const std::string& text) {
    Integer number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

TypeDescription type_of(const std::vector<std::string>& cells) {
    TypeDescription type;
    type.id = {to_number<std::uint32_t>(cells[1])};
    type.schema = cells[2];
    type.name = cells[3];
    type.kind = cells[4].front();
    type.category = cells[5].front();
    type.element = {to_number<std::uint32_t>(cells[6])};
    type.base = {to_number<std::uint32_t>(cells[7])};
    type.base_modifier = to_number<std::int32_t>(cells[8]);
    type.not_null = cells[9] == "t";
    if (!cells[10].empty()) {
        type.labels = split(unescaped(cells[10]), '|');
    }
    return type;
}

TypeOptions options_of(const std::string& mode) {
    TypeOptions options;
    const std::map<std::string, void (*)(TypeOptions&)> known{
        {"decimal.handling.mode=double",
         [](TypeOptions& o) { o.decimal_handling_mode = DecimalHandling::kDouble; }},
        {"decimal.handling.mode=string",
         [](TypeOptions& o) { o.decimal_handling_mode = DecimalHandling::kString; }},
        {"time.precision.mode=adaptive_time_microseconds",
         [](TypeOptions& o) { o.time_precision_mode = TimePrecision::kAdaptiveTimeMicroseconds; }},
        {"time.precision.mode=connect",
         [](TypeOptions& o) { o.time_precision_mode = TimePrecision::kConnect; }},
        {"time.precision.mode=isostring",
         [](TypeOptions& o) { o.time_precision_mode = TimePrecision::kIsostring; }},
        {"time.precision.mode=microseconds",
         [](TypeOptions& o) { o.time_precision_mode = TimePrecision::kMicroseconds; }},
        {"time.precision.mode=nanoseconds",
         [](TypeOptions& o) { o.time_precision_mode = TimePrecision::kNanoseconds; }},
        {"time.precision.mode=structured",
         [](TypeOptions& o) { o.time_precision_mode = TimePrecision::kStructured; }},
        {"interval.handling.mode=string",
         [](TypeOptions& o) { o.interval_handling_mode = IntervalHandling::kString; }},
        {"hstore.handling.mode=map",
         [](TypeOptions& o) { o.hstore_handling_mode = HstoreHandling::kMap; }},
        {"binary.handling.mode=base64",
         [](TypeOptions& o) { o.binary_handling_mode = BinaryHandling::kBase64; }},
        {"binary.handling.mode=base64-url-safe",
         [](TypeOptions& o) { o.binary_handling_mode = BinaryHandling::kBase64UrlSafe; }},
        {"binary.handling.mode=hex",
         [](TypeOptions& o) { o.binary_handling_mode = BinaryHandling::kHex; }},
        {"include.unknown.datatypes=true",
         [](TypeOptions& o) { o.include_unknown_datatypes = true; }},
        {"money.fraction.digits=0", [](TypeOptions& o) { o.money_fraction_digits = 0; }},
        {"money.fraction.digits=4", [](TypeOptions& o) { o.money_fraction_digits = 4; }},
        {"decimal.format=NUMERIC", [](TypeOptions& o) { o.decimal_format_numeric = true; }},
    };
    for (const std::string& option : split(mode, ';')) {
        if (!option.empty()) {
            known.at(option)(options);
        }
    }
    return options;
}

/// A line of the file.
struct Case {
    std::string mode;
    std::string what;  ///< schema, value, unavailable, fallback, default
    std::string type;
    pgoutput::TypeId id;
    std::int32_t modifier = -1;
    std::string text;
    std::string json;  ///< "\\N" = nothing; "!..." = the conversion fails
};

constexpr std::string_view kNothing = "\\N";

/// Where a value gets lost in Debezium, or differs from one run to the next: we send the value, or
/// fail.  docs/message-format.md, "Differences".
bool differs_on_purpose(const Case& c) {
    static const std::set<std::pair<std::string, std::string>> cases{
        {"value", "name"},          // null while streaming
        {"value", "int2vector"},    // always empty
        {"value", "box[]"},         // fails
        {"value", "circle[]"},      // fails
        {"value", "line[]"},        // fails
        {"value", "lseg[]"},        // fails
        {"value", "path[]"},        // fails
        {"value", "polygon[]"},     // fails
        {"fallback", "sparsevec"},  // fails
        {"fallback", "bit(1)[]"},   // fails
        {"fallback", "bit(3)[]"},   // fails
        {"unavailable", "money"},   // the name of a Java object
    };
    const bool infinite_default =
        c.what == "default" && c.text.find("infinity") != std::string::npos;  // overflows
    const bool no_nanoseconds = c.what == "fallback" && c.json == "!null";
    const bool dimensions = c.text.starts_with("{{");  // nulls
    return cases.contains({c.what, c.type}) || infinite_default || no_nanoseconds || dimensions;
}

/// What we make of it, in the file's words; of failures only that they are.
std::string ours(const Case& c, const TypeDescriptions& types) {
    std::string json;
    const TypeOptions options = options_of(c.mode);
    std::optional<ColumnEncoding> encoding = make_column_encoding(c.id, c.modifier, types, options);
    if (!encoding) {
        return std::string(kNothing);
    }
    if (c.what == "schema") {
        encoding->schema.optional = true;
        encoding->schema.write(json, "v");
    } else if (c.what == "fallback") {
        json = encoding->fallback;
    } else if (c.what == "unavailable") {
        json = encoding->unavailable.value_or("!");
    } else if (c.what == "default") {
        const ColumnDescription column{
            .name = "v", .type = c.id, .modifier = c.modifier, .default_expression = c.text};
        json =
            make_column_default(column, types, options, *encoding).value_or(std::string(kNothing));
    } else {
        try {
            encoding->encoder->encode(c.text, json);
        } catch (const ConversionError&) {
            json = json.empty() ? "!" : "left something behind: " + json;
        }
    }
    return json;
}

TEST(DebeziumValues, AreWhatDebeziumMakesOfThem) {
    std::ifstream file(HOLDFAST_SOURCE_DIR "/test/fixtures/debezium/values.tsv");
    ASSERT_TRUE(file);
    TypeDescriptions types;
    std::size_t compared = 0;
    for (std::string line; std::getline(file, line);) {
        const std::vector<std::string> cells = split(line, '\t');
        if (cells[0] == "type") {
            const TypeDescription type = type_of(cells);
            types.emplace(type.id.value, type);
            continue;
        }
        ASSERT_EQ(cells.size(), 8U) << line;
        const Case c{.mode = cells[1],
                     .what = cells[2],
                     .type = cells[3],
                     .id = {to_number<std::uint32_t>(cells[4])},
                     .modifier = to_number<std::int32_t>(cells[5]),
                     .text = unescaped(cells[6]),
                     .json = cells[7] == kNothing ? cells[7] : unescaped(cells[7])};
        if (differs_on_purpose(c)) {
            continue;
        }
        EXPECT_EQ(ours(c, types), c.json.starts_with('!') ? "!" : c.json)
            << c.mode << ' ' << c.what << " of " << c.type << ": " << c.text;
        ++compared;
    }
    EXPECT_GT(compared, 2000U);
}

}  // namespace
}  // namespace holdfast::relay::debezium
