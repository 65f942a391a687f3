#include "debezium/column_encoding.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "base/errors.hpp"
#include "debezium/types/arrays.hpp"
#include "debezium/types/bits.hpp"
#include "debezium/types/bytes.hpp"
#include "debezium/types/decimals.hpp"
#include "debezium/types/encoding.hpp"
#include "debezium/types/geometric.hpp"
#include "debezium/types/hstore.hpp"
#include "debezium/types/intervals.hpp"
#include "debezium/types/numbers.hpp"
#include "debezium/types/oids.hpp"
#include "debezium/types/strings.hpp"
#include "debezium/types/temporals.hpp"
#include "debezium/types/vectors.hpp"

namespace holdfast::relay::debezium {
namespace {

using Maker = ColumnEncoding (*)(const TypeUse&);

struct KnownType {
    std::uint32_t oid;
    Maker make;
    ArrayItems in_arrays = ArrayItems::kOptional;
    /// Unknown types up to 3.6.
    bool since_37 = false;
};

constexpr std::array kCatalogTypes{
    KnownType{oid::kBool, make_boolean},
    KnownType{oid::kBytea, make_bytea},
    KnownType{oid::kChar, make_string},
    KnownType{oid::kName, make_string, ArrayItems::kNone},
    KnownType{oid::kInt8, make_int8},
    KnownType{oid::kInt2, make_int2},
    KnownType{oid::kInt4, make_int4},
    KnownType{oid::kText, make_string},
    KnownType{oid::kOid, make_oid},
    KnownType{oid::kJson, make_json},
    KnownType{oid::kXml, make_xml, ArrayItems::kNone},
    KnownType{oid::kPoint, make_point, ArrayItems::kNone},
    KnownType{oid::kLseg, make_lseg, ArrayItems::kRequired, true},
    KnownType{oid::kPath, make_path, ArrayItems::kRequired, true},
    KnownType{oid::kBox, make_box, ArrayItems::kRequired, true},
    KnownType{oid::kPolygon, make_polygon, ArrayItems::kRequired, true},
    KnownType{oid::kLine, make_line, ArrayItems::kRequired, true},
    KnownType{oid::kCidr, make_string},
    KnownType{oid::kFloat4, make_float4},
    KnownType{oid::kFloat8, make_float8},
    KnownType{oid::kCircle, make_circle, ArrayItems::kRequired, true},
    KnownType{oid::kMacaddr8, make_string},
    KnownType{oid::kMoney, make_money, ArrayItems::kNone},
    KnownType{oid::kMacaddr, make_string},
    KnownType{oid::kInet, make_string},
    KnownType{oid::kBpchar, make_string},
    KnownType{oid::kVarchar, make_string},
    KnownType{oid::kDate, make_date},
    KnownType{oid::kTime, make_time},
    KnownType{oid::kTimestamp, make_timestamp},
    KnownType{oid::kTimestamptz, make_timestamptz},
    KnownType{oid::kInterval, make_interval, ArrayItems::kNone},
    KnownType{oid::kTimetz, make_timetz},
    KnownType{oid::kBit, make_bit},
    KnownType{oid::kVarbit, make_bit, ArrayItems::kNone},
    KnownType{oid::kNumeric, make_numeric},
    KnownType{oid::kUuid, make_uuid},
    KnownType{oid::kTsvector, make_tsvector, ArrayItems::kRequired},
    KnownType{oid::kJsonb, make_json},
    KnownType{oid::kInt4range, make_string},
    KnownType{oid::kNumrange, make_string},
    KnownType{oid::kTsrange, make_string},
    KnownType{oid::kTstzrange, make_string},
    KnownType{oid::kDaterange, make_string},
    KnownType{oid::kInt8range, make_string},
};

/// Those of extensions go by their names, in whatever schema they are.
struct KnownName {
    std::string_view name;
    KnownType type;
};

constexpr std::array kExtensionTypes{
    KnownName{"citext", {0, make_string}},
    KnownName{"geography", {0, make_geography}},
    KnownName{"geometry", {0, make_geometry}},
    KnownName{"halfvec", {0, make_halfvec, ArrayItems::kRequired}},
    KnownName{"hstore", {0, make_hstore}},
    KnownName{"isbn", {0, make_string, ArrayItems::kRequired}},
    KnownName{"ltree", {0, make_ltree}},
    KnownName{"sparsevec", {0, make_sparsevec, ArrayItems::kRequired}},
    KnownName{"vector", {0, make_vector, ArrayItems::kRequired}},
};

const TypeDescription& describe(pgoutput::TypeId type, const TypeDescriptions& types) {
    const auto found = types.find(type.value);
    if (found == types.end()) {
        throw FatalError(ExitCode::kInternal,
                         "type " + std::to_string(type.value) +
                             " of a column is not among the types of its table");
    }
    return found->second;
}

const KnownType* find_known(const TypeDescription& type) {
    if (type.id.value < oid::kFirstUserOid) {
        const auto* const found =
            std::find_if(kCatalogTypes.begin(), kCatalogTypes.end(),
                         [&](const KnownType& known) { return known.oid == type.id.value; });
        return found == kCatalogTypes.end() ? nullptr : found;
    }
    const auto* const found =
        std::find_if(kExtensionTypes.begin(), kExtensionTypes.end(),
                     [&](const KnownName& known) { return known.name == type.name; });
    return found == kExtensionTypes.end() || type.kind != 'b' ? nullptr : &found->type;
}

bool is_array(const TypeDescription& type) {
    return type.category == 'A' && type.element.value != 0;
}

/// Of a type that is no domain and no array.
std::optional<ColumnEncoding> encode_scalar(const TypeUse& use) {
    if (use.type.kind == 'e') {
        return make_enum(use);
    }
    const KnownType* const known = find_known(use.type);
    if (known != nullptr &&
        !(known->since_37 && use.options.compat_version == CompatVersion::k36)) {
        return known->make(use);
    }
    if (!use.options.include_unknown_datatypes) {
        return std::nullopt;
    }
    return known != nullptr ? make_unknown_geometric(use) : make_unknown(use);
}

std::optional<ColumnEncoding> encode_array(const TypeUse& use) {
    const TypeDescription& element_type = describe(use.type.element, use.types);
    // An element's domain is not looked through.
    const KnownType* const known = find_known(element_type);
    // The vectors of the catalogue look like arrays and are printed in another way: none of their
    // values has a form in a message.
    const bool is_vector =
        use.type.id.value == oid::kInt2Vector || use.type.id.value == oid::kOidVector;
    const ArrayItems items =
        known != nullptr && !is_vector ? known->in_arrays : ArrayItems::kRequired;
    if (items == ArrayItems::kNone || element_type.id.value == oid::kRefcursor) {
        return std::nullopt;
    }
    const TypeUse element_use{.type = element_type,
                              .modifier = use.modifier,
                              .by_domain = false,
                              .types = use.types,
                              .options = use.options};
    if (element_type.id.value == oid::kBit) {
        return make_bit_array(element_use);
    }
    std::optional<ColumnEncoding> element = encode_scalar(element_use);
    if (!element) {
        return std::nullopt;
    }
    return make_array(use, element_type, std::move(*element), items);
}

}  // namespace

std::optional<ColumnEncoding> make_column_encoding(pgoutput::TypeId type, std::int32_t modifier,
                                                   const TypeDescriptions& types,
                                                   const TypeOptions& options) {
    const TypeDescription* described = &describe(type, types);
    const bool by_domain = described->kind == 'd';
    for (std::size_t depth = 0; described->kind == 'd'; ++depth) {
        if (depth == types.size()) {
            throw FatalError(ExitCode::kInternal,
                             "the domain " + described->name + " is based on itself");
        }
        modifier = modifier < 0 ? described->base_modifier : modifier;
        described = &describe(described->base, types);
    }
    const TypeUse use{.type = *described,
                      .modifier = modifier,
                      .by_domain = by_domain,
                      .types = types,
                      .options = options};
    return is_array(*described) ? encode_array(use) : encode_scalar(use);
}

}  // namespace holdfast::relay::debezium
