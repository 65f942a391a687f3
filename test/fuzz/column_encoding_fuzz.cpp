// Arbitrary text as a value of every type in every mode, and as a default expression.  The first
// byte chooses the options, the second the type, the third the modifier; the rest is the text.  A
// result is valid JSON, and the same when it is asked for again; a ConversionError leaves the
// buffer as it was; whatever else happens is a bug.

#include <rapidjson/document.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "debezium/column_encoding.hpp"
#include "debezium/types/oids.hpp"

namespace holdfast::relay::debezium {
namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

constexpr std::uint32_t kFirstArray = 30'000;
constexpr std::uint32_t kFirstExtension = 20'000;
constexpr std::uint32_t kEnum = 20'100;

constexpr std::array<std::uint32_t, 46> kCatalog{
    oid::kBool,        oid::kBytea,    oid::kChar,      oid::kName,      oid::kInt8,
    oid::kInt2,        oid::kInt4,     oid::kText,      oid::kOid,       oid::kJson,
    oid::kXml,         oid::kPoint,    oid::kLseg,      oid::kPath,      oid::kBox,
    oid::kPolygon,     oid::kLine,     oid::kCidr,      oid::kFloat4,    oid::kFloat8,
    oid::kCircle,      oid::kMacaddr8, oid::kMoney,     oid::kMacaddr,   oid::kInet,
    oid::kBpchar,      oid::kVarchar,  oid::kDate,      oid::kTime,      oid::kTimestamp,
    oid::kTimestamptz, oid::kInterval, oid::kTimetz,    oid::kBit,       oid::kVarbit,
    oid::kNumeric,     oid::kUuid,     oid::kTsvector,  oid::kJsonb,     oid::kInt4range,
    oid::kNumrange,    oid::kTsrange,  oid::kTstzrange, oid::kDaterange, oid::kInt8range,
    oid::kRefcursor,
};

constexpr std::array<const char*, 10> kExtensions{"citext", "geography", "geometry", "halfvec",
                                                  "hstore", "isbn",      "ltree",    "sparsevec",
                                                  "vector", "unheard_of"};

/// Every type, and an array of it.
TypeDescriptions all_types() {
    TypeDescriptions types;
    std::uint32_t array = kFirstArray;
    const auto add = [&](TypeDescription type) {
        TypeDescription of_it;
        of_it.id = {array++};
        of_it.schema = "public";
        of_it.name = "_" + type.name;
        of_it.category = 'A';
        of_it.element = type.id;
        types.emplace(of_it.id.value, of_it);
        types.emplace(type.id.value, std::move(type));
    };
    for (const std::uint32_t id : kCatalog) {
        TypeDescription type;
        type.id = {id};
        type.schema = "pg_catalog";
        type.name = "known";
        add(type);
    }
    std::uint32_t id = kFirstExtension;
    for (const char* name : kExtensions) {
        TypeDescription type;
        type.id = {id++};
        type.schema = "public";
        type.name = name;
        add(type);
    }
    TypeDescription mood;
    mood.id = {kEnum};
    mood.schema = "public";
    mood.name = "mood";
    mood.kind = 'e';
    mood.category = 'E';
    mood.labels = {"sad", "ok"};
    add(mood);
    return types;
}

TypeOptions options_of(std::uint8_t choice) {
    TypeOptions options;
    options.decimal_handling_mode = static_cast<DecimalHandling>(choice % 3);
    options.time_precision_mode = static_cast<TimePrecision>(choice % 7);
    options.interval_handling_mode = static_cast<IntervalHandling>(choice / 2 % 2);
    options.hstore_handling_mode = static_cast<HstoreHandling>(choice % 2);
    options.binary_handling_mode = static_cast<BinaryHandling>(choice % 4);
    options.money_fraction_digits = choice % 5;
    options.decimal_format_numeric = choice % 11 < 5;
    options.include_unknown_datatypes = true;
    options.compat_version = choice % 13 < 3 ? CompatVersion::k36 : CompatVersion::k37;
    return options;
}

std::int32_t modifier_of(std::uint8_t choice, std::uint32_t type) {
    if (choice % 4 == 0) {
        return -1;
    }
    if (type == oid::kNumeric) {
        return ((choice << 16) | ((choice * 37) & 0x7FF)) + 4;
    }
    return choice % 8;
}

void require_json(const std::string& json) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseNumbersAsStringsFlag>(json.data(), json.size());
    // RapidJSON refuses 0E+507, which is JSON.
    require(!document.HasParseError() ||
            document.GetParseError() == rapidjson::kParseErrorNumberTooBig);
}

void run(std::string_view input) {
    constexpr std::size_t kChoices = 3;
    if (input.size() < kChoices) {
        return;
    }
    static const TypeDescriptions types = all_types();
    const TypeOptions options = options_of(static_cast<std::uint8_t>(input[0]));
    auto type = types.begin();
    std::advance(type, static_cast<std::uint8_t>(input[1]) % types.size());
    const std::int32_t modifier = modifier_of(static_cast<std::uint8_t>(input[2]), type->first);
    input.remove_prefix(kChoices);
    std::optional<ColumnEncoding> encoding =
        make_column_encoding({type->first}, modifier, types, options);
    if (!encoding) {
        return;
    }
    require_json(encoding->fallback);
    std::string json = "before";
    try {
        encoding->encoder->encode(input, json);
        require(json.starts_with("before"));
        json.erase(0, std::string_view("before").size());
        require_json(json);
        std::string again;
        encoding->encoder->encode(input, again);
        require(again == json);
    } catch (const ConversionError&) {
        require(json == "before");
    }
    ColumnDescription column;
    column.type = {type->first};
    column.default_expression = std::string(input);
    if (const auto value = make_column_default(column, types, options, *encoding)) {
        require_json(*value);
    }
}

}  // namespace
}  // namespace holdfast::relay::debezium

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    holdfast::relay::debezium::run({reinterpret_cast<const char*>(data), size});
    return 0;
}
