// What the values of Debezium (debezium_values_test.cpp) do not show: hostile texts, boundaries,
// releases before 3.7, and where we differ on purpose.
#include "debezium/column_encoding.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/errors.hpp"
#include "debezium/types/decimal_text.hpp"
#include "debezium/types/java_hash.hpp"
#include "debezium/types/name_uuid.hpp"
#include "debezium/types/oids.hpp"

namespace holdfast::relay::debezium {
namespace {

constexpr std::uint32_t kHstore = 20'000;
constexpr std::uint32_t kGeometry = 20'001;
constexpr std::uint32_t kVector = 20'002;
constexpr std::uint32_t kSparsevec = 20'003;
constexpr std::uint32_t kMood = 20'004;
constexpr std::uint32_t kMine = 20'005;
constexpr std::uint32_t kPrice = 20'006;
constexpr std::uint32_t kTags = 20'007;
constexpr std::uint32_t kPair = 20'008;
constexpr std::uint32_t kInt4Array = 1007;
constexpr std::uint32_t kTextArray = 1009;
constexpr std::uint32_t kUuidArray = 2951;
constexpr std::uint32_t kMoodArray = 20'009;
constexpr std::uint32_t kBoxArray = 1020;

void add(TypeDescriptions& types, TypeDescription type) {
    const std::uint32_t id = type.id.value;
    types.emplace(id, std::move(type));
}

TypeDescriptions all_types() {
    TypeDescriptions types;
    for (const std::uint32_t id :
         {oid::kBool,    oid::kBytea,     oid::kInt8,      oid::kInt2,        oid::kInt4,
          oid::kText,    oid::kOid,       oid::kJson,      oid::kPoint,       oid::kBox,
          oid::kPolygon, oid::kFloat4,    oid::kFloat8,    oid::kCircle,      oid::kMoney,
          oid::kDate,    oid::kTime,      oid::kTimestamp, oid::kTimestamptz, oid::kInterval,
          oid::kTimetz,  oid::kBit,       oid::kVarbit,    oid::kNumeric,     oid::kUuid,
          oid::kName,    oid::kRefcursor, oid::kPath}) {
        add(types, {.id = {id}, .schema = "pg_catalog", .name = "known"});
    }
    for (const auto& [id, name] :
         std::vector<std::pair<std::uint32_t, std::string>>{{kHstore, "hstore"},
                                                            {kGeometry, "geometry"},
                                                            {kVector, "vector"},
                                                            {kSparsevec, "sparsevec"},
                                                            {kMine, "mine"}}) {
        add(types, {.id = {id}, .schema = "public", .name = name});
    }
    for (const auto& [id, element] :
         std::vector<std::pair<std::uint32_t, std::uint32_t>>{{kInt4Array, oid::kInt4},
                                                              {kTextArray, oid::kText},
                                                              {kUuidArray, oid::kUuid},
                                                              {kBoxArray, oid::kBox},
                                                              {kMoodArray, kMood}}) {
        add(types, {.id = {id},
                    .schema = "pg_catalog",
                    .name = "array",
                    .category = 'A',
                    .element = {element}});
    }
    add(types, {.id = {kMood},
                .schema = "public",
                .name = "mood",
                .kind = 'e',
                .category = 'E',
                .labels = {"sad", "ok"}});
    add(types, {.id = {kPrice},
                .schema = "public",
                .name = "price",
                .kind = 'd',
                .base = {oid::kNumeric},
                .base_modifier = 655'366});
    add(types, {.id = {kTags},
                .schema = "public",
                .name = "tags",
                .kind = 'd',
                .category = 'A',
                .base = {kTextArray}});
    add(types, {.id = {kPair}, .schema = "public", .name = "pair", .kind = 'c', .category = 'C'});
    return types;
}

struct Type {
    std::uint32_t id;
    std::int32_t modifier = -1;
};

std::optional<ColumnEncoding> encoding_of(Type type, const TypeOptions& options = {}) {
    static const TypeDescriptions types = all_types();
    return make_column_encoding({type.id}, type.modifier, types, options);
}

/// The JSON of a value; "!" = it fails, having left the buffer as it was.
std::string encoded(Type type, std::string_view text, const TypeOptions& options = {}) {
    std::string json = "before";
    try {
        encoding_of(type, options).value().encoder->encode(text, json);
    } catch (const ConversionError& error) {
        EXPECT_EQ(json, "before");
        if (text.size() > 5) {
            EXPECT_EQ(std::string(error.what()).find(text), std::string::npos) << "row content";
        }
        return "!";
    }
    return json.substr(std::string_view("before").size());
}

std::optional<std::string> default_of(Type type, std::string_view expression,
                                      const TypeOptions& options = {}) {
    static const TypeDescriptions types = all_types();
    ColumnEncoding encoding = encoding_of(type, options).value();
    const ColumnDescription column{.name = "c",
                                   .type = {type.id},
                                   .modifier = type.modifier,
                                   .default_expression = std::string(expression)};
    return make_column_default(column, types, options, encoding);
}

void expect_failures(Type type, std::initializer_list<std::string_view> texts,
                     const TypeOptions& options = {}) {
    for (const std::string_view text : texts) {
        EXPECT_EQ(encoded(type, text, options), "!") << type.id << ": " << text;
    }
}

TEST(ColumnEncoding, RefusesNumbersThatPostgresDoesNotPrint) {
    expect_failures({oid::kBool}, {"", "true", "T", "tt"});
    expect_failures({oid::kInt2}, {"", "32768", "-32769", "1 ", " 1", "+1", "1.0", "0x1", "-"});
    expect_failures({oid::kInt4}, {"2147483648", "-2147483649"});
    expect_failures({oid::kInt8}, {"9223372036854775808", "-9223372036854775809"});
    expect_failures({oid::kOid}, {"-1", "4294967296"});
    expect_failures({oid::kFloat8}, {"", "1e", "--1", "1,5", "0x1p3", "e5", "1 ", "1e999"});
    expect_failures({oid::kFloat4}, {"", "1e39", "."});
}

TEST(ColumnEncoding, RefusesDecimalsThatAreNoneOrDoNotFitTheirScale) {
    constexpr Type kNumeric102{.id = oid::kNumeric, .modifier = 655'366};
    expect_failures(kNumeric102, {"", "-", ".", "-.", "1.2.3", "1e5", "1.001", "NaN", "Infinity",
                                  "12a", "+1", " 1"});
    EXPECT_EQ(encoded(kNumeric102, "0012.3400"), R"("BNI=")");
    EXPECT_EQ(encoded(kNumeric102, "-0.00"), R"("AA==")");
    EXPECT_EQ(encoded(kNumeric102, ".5"), R"("Mg==")");
    expect_failures({oid::kNumeric}, {"NaN", "-Infinity", "1-"});
    expect_failures({oid::kMoney}, {"", "$", "1.234,56 kr", "$$1", "$1-", "1.2.3",
                                    "99999999999999999999999999999999999999999999999999999999"});
}

TEST(ColumnEncoding, HasUnscaledValuesOfAnyLength) {
    UnscaledWriter writer;
    const auto base64 = [&](const std::string& text) {
        std::string json;
        EXPECT_TRUE(writer.append_base64(parse_decimal(text).value(), 0, json));
        return json;
    };
    EXPECT_EQ(base64("127"), R"("fw==")");
    EXPECT_EQ(base64("128"), R"("AIA=")");
    EXPECT_EQ(base64("-128"), R"("gA==")");
    EXPECT_EQ(base64("-129"), R"("/38=")");
    EXPECT_EQ(base64("18446744073709551615"), R"("AP//////////")");
    EXPECT_EQ(base64("-18446744073709551616"), R"("/wAAAAAAAAAA")");
    EXPECT_EQ(base64("99999999999999999999999999999999999999"), R"("SztMqFqGxHoJiiI//////w==")");
    EXPECT_EQ(base64("-170141183460469231731687303715884105728"), R"("gAAAAAAAAAAAAAAAAAAAAA==")");
    EXPECT_EQ(base64("-340282366920938463463374607431768211456"), R"("/wAAAAAAAAAAAAAAAAAAAAA=")");
    const std::string googol = '1' + std::string(100, '0');
    EXPECT_EQ(base64(googol), R"("EkmtJZTDfOsLJ4TEzgvzis5AjiEafKqyQwioLo8QAAAAAAAAAAAAAAAA")");
    EXPECT_EQ(base64('-' + googol),
              R"("7bZS2ms8gxT02Hs7MfQMdTG/cd7lg1VNvPdX0XDwAAAAAAAAAAAAAAAA")");
}

TEST(ColumnEncoding, KeepsANegativeScale) {
    constexpr Type kNumeric3Minus2{.id = oid::kNumeric, .modifier = 198'658};
    EXPECT_EQ(encoded(kNumeric3Minus2, "12300"), R"("ew==")");
    EXPECT_EQ(encoded(kNumeric3Minus2, "0"), R"("AA==")");
    EXPECT_EQ(encoded(kNumeric3Minus2, "12350"), "!");
    EXPECT_EQ(encoding_of(kNumeric3Minus2)->schema.parameters.front().second, "-2");
    TypeOptions options;
    options.decimal_format_numeric = true;
    EXPECT_EQ(encoded(kNumeric3Minus2, "12300", options), "1.23E+4");
    options.decimal_handling_mode = DecimalHandling::kString;
    EXPECT_EQ(encoded(kNumeric3Minus2, "12300", options), R"("12300")");
}

TEST(ColumnEncoding, PrintsBigDecimalsAsJavaDoes) {
    UnscaledWriter writer;
    const auto number = [&](std::string_view text, std::int32_t scale) {
        std::string json;
        EXPECT_TRUE(writer.append_number(parse_decimal(text).value(), scale, json));
        return json;
    };
    EXPECT_EQ(number("0", 0), "0");
    EXPECT_EQ(number("0", 6), "0.000000");
    EXPECT_EQ(number("0", 7), "0E-7");
    EXPECT_EQ(number("0.000001", 6), "0.000001");
    EXPECT_EQ(number("-0.0000001", 7), "-1E-7");
    EXPECT_EQ(number("0.00000012", 8), "1.2E-7");
    EXPECT_EQ(number("12", 1), "12.0");
}

TEST(ColumnEncoding, RoundsMoneyHalfUp) {
    TypeOptions options;
    options.money_fraction_digits = 0;
    options.decimal_format_numeric = true;
    EXPECT_EQ(encoded({oid::kMoney}, "$9.50", options), "10");
    EXPECT_EQ(encoded({oid::kMoney}, "-$9.50", options), "-10");
    EXPECT_EQ(encoded({oid::kMoney}, "$9.49", options), "9");
    EXPECT_EQ(encoded({oid::kMoney}, "($99.99)", options), "-100");
    options.money_fraction_digits = 1;
    EXPECT_EQ(encoded({oid::kMoney}, "\u20ac0.95", options), "1.0");
    EXPECT_EQ(encoded({oid::kMoney}, "1,234.56", options), "1234.6");
}

TEST(ColumnEncoding, HasInfinityForDecimalsBeyondDoubles) {
    TypeOptions options;
    options.decimal_handling_mode = DecimalHandling::kDouble;
    EXPECT_EQ(encoded({oid::kNumeric}, '1' + std::string(400, '0'), options), R"("Infinity")");
    EXPECT_EQ(encoded({oid::kNumeric}, "-1" + std::string(400, '0'), options), R"("-Infinity")");
    EXPECT_EQ(encoded({oid::kNumeric}, "0." + std::string(400, '0') + '1', options), "0.0");
    EXPECT_EQ(encoded({oid::kNumeric}, "-0.0", options), "0.0");
}

TEST(ColumnEncoding, RefusesDatesAndTimesThatDoNotExist) {
    expect_failures({oid::kDate},
                    {"", "2023-02-29", "1900-02-29", "2016-13-01", "2016-00-01", "2016-01-00",
                     "2016-1-1", "16-01-01", "0000-01-01", "2016-01-01 AD", "2016-01-01BC",
                     "2016-01-01 ", "-2016-01-01", "12345678-01-01", "Infinity"});
    EXPECT_EQ(encoded({oid::kDate}, "2000-02-29"), "11016");
    expect_failures({oid::kTime}, {"", "24:00:01", "25:00:00", "12:60:00", "12:00:60", "1:00:00",
                                   "12:00", "12:00:00.", "12:00:00.1234567", "12:00:00Z"});
    expect_failures({oid::kTimetz},
                    {"12:00:00", "12:00:00+", "12:00:00+2", "12:00:00+19", "12:00:00+02:60"});
    EXPECT_EQ(encoded({oid::kTimetz}, "00:30:00+02:30:15"), R"("21:59:45Z")");
    expect_failures({oid::kTimestamp},
                    {"", "2016-11-04", "2016-11-04T13:51:30", "2016-11-04 24:00:00",
                     "2016-11-04 13:51:30+00", "2016-11-04 13:51:30  BC"});
    expect_failures({oid::kTimestamptz}, {"2016-11-04 13:51:30", "2016-11-04 13:51:30Z"});
    EXPECT_EQ(encoded({oid::kTimestamptz}, "2016-01-01 00:30:00+02"),
              R"("2015-12-31T22:30:00.000000Z")");
    EXPECT_EQ(encoded({oid::kTimestamptz}, "0001-12-31 23:30:00-02 BC"),
              R"("0001-01-01T01:30:00.000000Z")");
}

TEST(ColumnEncoding, RefusesTimestampsThatTheirUnitDoesNotHold) {
    EXPECT_EQ(encoded({oid::kTimestamp}, "294246-12-31 23:59:59.999999"), "9223371244799999999");
    EXPECT_EQ(encoded({oid::kTimestamp}, "294276-12-31 23:59:59.999999"), "!");
    EXPECT_EQ(encoded({.id = oid::kTimestamp, .modifier = 3}, "294276-12-31 23:59:59.999"),
              "9224318015999999");
    TypeOptions options;
    options.time_precision_mode = TimePrecision::kNanoseconds;
    EXPECT_EQ(encoded({oid::kTimestamp}, "2262-04-11 23:47:16.854775", options),
              "9223372036854775000");
    EXPECT_EQ(encoded({oid::kTimestamp}, "2262-04-11 23:47:16.854776", options), "!");
}

TEST(ColumnEncoding, RefusesIntervalsOfAnotherStyle) {
    expect_failures({oid::kInterval},
                    {"", "@ 1 day", "P1D", "1 day ", "1 day 2", "1 fortnight", "1:2:3",
                     "01:02:03 1 day", "99999999999 years", "2147483648 days", "01:60:00"});
    EXPECT_EQ(encoded({oid::kInterval}, "-2147483648 days"), "-9223372036854775808");
}

TEST(ColumnEncoding, RefusesBytesAndBitsThatAreNone) {
    expect_failures({oid::kBytea}, {"", "x01", "\\x0", "\\x0g", "\\X00", "abc"});
    EXPECT_EQ(encoded({oid::kBytea}, "\\xABcd"), R"("q80=")");
    expect_failures({.id = oid::kBit, .modifier = 1}, {"", "2", "x"});
    expect_failures({.id = oid::kBit, .modifier = 8}, {"0000000a", "0b1"});
    expect_failures({kGeometry}, {"", "00", "0101000000000000zz", "01010000000000000"});
    expect_failures({oid::kPoint}, {"", "(1,2", "1,2", "(1,2))", "(1;2)", "(a,b)"});
    expect_failures({oid::kPath}, {"", "()", "[(1,2))", "((1,2)", "((1,2),)"});
    expect_failures({kVector}, {"", "[]", "[1", "[1,]", "1,2", "[1,2]x"});
    expect_failures({kSparsevec}, {"", "{}", "{}/", "{1}/3", "{1:2,}/3", "{1:2}/32768",
                                   "{40000:2}/3", "{1:2}/3 "});
}

TEST(ColumnEncoding, RefusesBrokenArraysAndLeavesNothingOfThem) {
    expect_failures({kTextArray}, {"", "{", "}", "{a", "{a,", "{a,}", "{,a}", "{\"a}", "{\"a\\",
                                   "{a}x", "a", "[0:1]{a}", "[x:1]={a}", "{{a},{b}}", "{a}{b}"});
    expect_failures({kInt4Array}, {"{1,2,x}", "{1,2,3", "{99999999999}"});
    EXPECT_EQ(encoded({kTextArray}, R"({"","NULL",null,"a\"b\\c",x y})"),
              R"(["","NULL","null","a\"b\\c","x y"])");
    EXPECT_EQ(encoded({kTextArray}, "[-1:0]={a,b}"), R"(["a","b"])");
    EXPECT_EQ(encoded({kMoodArray}, "{sad,NULL}"), "!");
    EXPECT_EQ(encoded({kBoxArray}, "{(1,1),(0,0);(2,2),(1,1)}").substr(0, 9), R"([{"wkb":")");
    expect_failures({kHstore}, {"\"a\"", "\"a\"=>", "\"a\"=>\"b", "a=>b",
                                "\"a\"=>\"b\",\"c\"=>NULL", "\"a\"=>NULL, ", "\"a\"=>\"b\\"});
}

TEST(ColumnEncoding, LooksThroughDomainsAndTakesTheirModifier) {
    EXPECT_EQ(encoded({kPrice}, "12.34"), R"("BNI=")");
    EXPECT_EQ(encoded({kTags}, "{a}"), R"(["a"])");
    EXPECT_EQ(encoding_of({kTags})->unavailable, std::nullopt);
    EXPECT_EQ(encoding_of({kTextArray})->unavailable, R"(["__debezium_unavailable_value"])");
}

TEST(ColumnEncoding, ThrowsWhenATypeIsMissingOrADomainTurnsInACircle) {
    EXPECT_THROW(static_cast<void>(encoding_of({12'345})), FatalError);
    TypeDescriptions types;
    add(types, {.id = {20'000}, .schema = "public", .name = "d", .kind = 'd', .base = {20'000}});
    EXPECT_THROW(static_cast<void>(make_column_encoding({20'000}, -1, types, {})), FatalError);
    add(types,
        {.id = {20'001}, .schema = "public", .name = "_d", .category = 'A', .element = {20'002}});
    EXPECT_THROW(static_cast<void>(make_column_encoding({20'001}, -1, types, {})), FatalError);
}

TEST(ColumnEncoding, LeavesUnknownTypesOutUnlessTheyAreAskedFor) {
    for (const std::uint32_t id : {kMine, kPair, oid::kRefcursor}) {
        EXPECT_FALSE(encoding_of({id})) << id;
    }
    TypeOptions options;
    options.include_unknown_datatypes = true;
    EXPECT_EQ(encoded({kPair}, "(1,x)", options), R"("KDEseCk=")");
    EXPECT_EQ(encoded({kMine}, "", options), R"("")");
}

TEST(ColumnEncoding, SendsNamesWhichDebeziumLoses) {
    EXPECT_EQ(encoded({oid::kName}, "pg_class"), R"("pg_class")");
}

TEST(ColumnEncoding, HasTheFormsOf36) {
    TypeOptions options;
    options.compat_version = CompatVersion::k36;
    EXPECT_EQ(encoded({oid::kDate}, "infinity", options), "-2147472692");
    EXPECT_EQ(encoded({oid::kDate}, "-infinity", options), "-2147472691");
    EXPECT_EQ(encoded({oid::kTimestamp}, "infinity", options), "9223372036825200000");
    EXPECT_EQ(encoded({oid::kTimestamp}, "-infinity", options), "-9223372036832400000");
    EXPECT_EQ(encoded({.id = oid::kTimestamp, .modifier = 3}, "infinity", options),
              "9223372036825200");
    EXPECT_EQ(encoded({oid::kTimetz}, "24:00:00+00", options), R"("00:00:00Z")");
    EXPECT_FALSE(encoding_of({oid::kCircle}, options));
    EXPECT_EQ(encoding_of({kGeometry}, options)->schema.version, 1);
    EXPECT_EQ(encoded({kGeometry}, "010100000000000000000000000000000000000000", options),
              R"({"wkb":"AQEAAAAAAAAAAAAAAAAAAAAAAAAA","srid":null})");
    EXPECT_EQ(default_of({oid::kText}, "'it''s'::text", options), R"("it")");
    options.include_unknown_datatypes = true;
    EXPECT_EQ(encoded({oid::kCircle}, "<(10,20),10>", options), R"("PCgxMC4wLDIwLjApLDEwLjA+")");
    EXPECT_EQ(encoded({oid::kCircle}, "<(10,20),x>", options), "!");
}

TEST(ColumnEncoding, HasPlaceholdersOfAnyBytes) {
    TypeOptions options;
    options.unavailable_value_placeholder = "a\"\xFF\xC3\xA9";
    EXPECT_EQ(encoding_of({oid::kText}, options)->unavailable, "\"a\\\"\uFFFD\u00e9\"");
    EXPECT_EQ(encoding_of({kInt4Array}, options)->unavailable, "[97,34,-1,-61,-87]");
    EXPECT_EQ(encoding_of({oid::kBytea}, options)->unavailable, R"("YSL/w6k=")");
    EXPECT_EQ(encoding_of({oid::kInt4}, options)->unavailable, std::nullopt);
}

TEST(ColumnEncoding, NamesUuidsByBytesAsJavaDoes) {
    EXPECT_EQ(name_uuid("__debezium_unavailable_value"), "b68a35a7-17ad-35b3-af2a-ae46edb4545a");
    EXPECT_EQ(name_uuid(""), "d41d8cd9-8f00-3204-a980-0998ecf8427e");
    EXPECT_EQ(name_uuid(std::string(64, 'x')).size(), 36U);
}

TEST(ColumnEncoding, HashesAsJavaDoes) {
    EXPECT_EQ(java_string_hash(""), 0U);
    EXPECT_EQ(java_string_hash("Aa"), java_string_hash("BB"));
    EXPECT_EQ(java_string_hash("key1"), 3'288'498U);
    EXPECT_EQ(java_map_buckets(16, 12), 16U);
    EXPECT_EQ(java_map_buckets(16, 13), 32U);
    EXPECT_EQ(java_map_buckets(1, 1), 2U);
}

TEST(ColumnDefault, IsWhatIsInTheFirstQuotesOrAPlaceholder) {
    EXPECT_EQ(default_of({oid::kInt4}, "5"), "5");
    EXPECT_EQ(default_of({oid::kInt4}, "nextval('s'::regclass)"), "0");
    EXPECT_EQ(default_of({oid::kInt4}, "(1 + 2)"), std::nullopt);
    EXPECT_EQ(default_of({oid::kText}, "NULL::text"), std::nullopt);
    EXPECT_EQ(default_of({oid::kText}, "'it''s'::text"), R"("it's")");
    EXPECT_EQ(default_of({oid::kText}, "'open"), std::nullopt);
    EXPECT_EQ(default_of({oid::kText}, ""), R"("")");
    EXPECT_EQ(default_of({oid::kText}, "f("), R"("f(")");
    EXPECT_EQ(default_of({oid::kTimestamptz}, "now()"), R"("1970-01-01T00:00:00.000000Z")");
    EXPECT_EQ(default_of({oid::kTimestamptz}, "CURRENT_TIMESTAMP"),
              R"("1970-01-01T00:00:00.000000Z")");
    EXPECT_EQ(default_of({oid::kNumeric}, "1.5"), std::nullopt) << "a struct";
    EXPECT_EQ(default_of({oid::kTimestamp}, "'infinity'::timestamp"), std::nullopt);
}

TEST(ColumnDefault, IsTheLabelOfACastToTheColumnsEnum) {
    EXPECT_EQ(default_of({kMood}, "'ok'::mood"), R"("ok")");
    EXPECT_EQ(default_of({kMood}, "'ok'::shop.mood"), R"("ok")");
    EXPECT_EQ(default_of({kMood}, "'ok'::\"Shop\".\"mood\""), R"("ok")");
    EXPECT_EQ(default_of({kMood}, "'ok'::text"), std::nullopt);
    EXPECT_EQ(default_of({kMood}, "first_mood()"), std::nullopt);
    EXPECT_EQ(default_of({kMood}, "NULL::mood"), std::nullopt);
}

TEST(ColumnDefault, IsNoneOfADomainAnIdentityOrAGeneratedColumn) {
    EXPECT_EQ(default_of({kPrice}, "5"), std::nullopt);
    const TypeDescriptions types = all_types();
    ColumnEncoding encoding = encoding_of({oid::kInt4}).value();
    ColumnDescription column{.name = "c", .type = {oid::kInt4}, .default_expression = "5"};
    column.generated = true;
    EXPECT_EQ(make_column_default(column, types, {}, encoding), std::nullopt);
    column.generated = false;
    column.identity = true;
    EXPECT_EQ(make_column_default(column, types, {}, encoding), std::nullopt);
    column.identity = false;
    column.default_expression.reset();
    EXPECT_EQ(make_column_default(column, types, {}, encoding), std::nullopt);
}

}  // namespace
}  // namespace holdfast::relay::debezium
