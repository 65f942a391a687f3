#include "debezium/source_type.hpp"

#include <limits>
#include <string_view>

#include "base/errors.hpp"

namespace holdfast::relay::debezium {

namespace {

constexpr std::int32_t kUnbounded = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t kHeader = 4;  // of a varlena, which typmods count

/// Of the driver's names for types, by pg_type.typname.
enum class Kind {
    kOther,
    kInt2,
    kInt4,
    kInt8,
    kFloat4,
    kFloat8,
    kNumeric,
    kChar,
    kText,
    kVarchar,
    kDate,
    kTime,
    kTimetz,
    kTimestamp,
    kTimestamptz,
    kInterval,
    kBit,
    kVarbit,
};

struct KindOfName {
    std::string_view name;
    Kind kind;
};
constexpr KindOfName kKinds[] = {
    {"int2", Kind::kInt2},
    {"int4", Kind::kInt4},
    {"oid", Kind::kInt4},
    {"int8", Kind::kInt8},
    {"float4", Kind::kFloat4},
    {"float8", Kind::kFloat8},
    {"numeric", Kind::kNumeric},
    {"char", Kind::kChar},
    {"bool", Kind::kChar},
    {"text", Kind::kText},
    {"name", Kind::kText},
    {"varchar", Kind::kVarchar},
    {"bpchar", Kind::kVarchar},
    {"date", Kind::kDate},
    {"time", Kind::kTime},
    {"timetz", Kind::kTimetz},
    {"timestamp", Kind::kTimestamp},
    {"timestamptz", Kind::kTimestamptz},
    {"interval", Kind::kInterval},
    {"bit", Kind::kBit},
    {"varbit", Kind::kVarbit},
};

const TypeDescription& find_type(pgoutput::TypeId id, const TypeDescriptions& types) {
    const auto found = types.find(id.value);
    if (found == types.end()) {
        throw FatalError(ExitCode::kInternal,
                         "type " + std::to_string(id.value) + " is not described");
    }
    return found->second;
}

bool is_vector(const TypeDescription& type) {
    return type.name == "vector" || type.name == "halfvec" || type.name == "sparsevec";
}

/// An array has the length of its elements.
Kind kind_of(const TypeDescription& type, const TypeDescriptions& types) {
    const TypeDescription& scalar =
        type.category == 'A' && type.element.value != 0 && types.contains(type.element.value)
            ? types.at(type.element.value)
            : type;
    if (scalar.schema == "pg_catalog") {
        for (const KindOfName& entry : kKinds) {
            if (entry.name == scalar.name) {
                return entry.kind;
            }
        }
    }
    return Kind::kOther;
}

std::int32_t digits_of_second(std::int32_t modifier) {
    switch (modifier) {
        case -1:
            return 7;
        case 0:
            return 0;
        case 1:
            return 3;
        default:
            return modifier + 1;
    }
}

/// TypeInfoCache.getDisplaySize() of dates and times.
std::int32_t display_size(Kind kind, std::int32_t modifier) {
    constexpr std::int32_t kDate = 13;
    constexpr std::int32_t kTime = 8;
    constexpr std::int32_t kZone = 6;
    constexpr std::int32_t kInterval = 49;
    constexpr std::int32_t kUnboundedNumeric = 131'089;
    const std::int32_t second = digits_of_second(modifier);
    switch (kind) {
        case Kind::kDate:
            return kDate;
        case Kind::kTime:
            return kTime + second;
        case Kind::kTimetz:
            return kTime + second + kZone;
        case Kind::kTimestamp:
            return kDate + 1 + kTime + second;
        case Kind::kTimestamptz:
            return kDate + 1 + kTime + second + kZone;
        case Kind::kInterval:
            return kInterval;
        case Kind::kNumeric:
            return kUnboundedNumeric;  // asked for without a modifier only
        default:
            return kUnbounded;
    }
}

/// TypeInfoCache.getPrecision()
std::int32_t precision(Kind kind, std::int32_t modifier) {
    switch (kind) {
        case Kind::kInt2:
            return 5;
        case Kind::kInt4:
            return 10;
        case Kind::kInt8:
            return 19;
        case Kind::kFloat4:
            return 8;
        case Kind::kFloat8:
            return 17;
        case Kind::kNumeric:
            return modifier == -1 ? 0 : ((modifier - kHeader) >> 16) & 0xFFFF;
        case Kind::kChar:
            return 1;
        case Kind::kVarchar:
            return modifier == -1 ? kUnbounded : modifier - kHeader;
        case Kind::kBit:
            return modifier;
        case Kind::kVarbit:
            return modifier == -1 ? kUnbounded : modifier;
        case Kind::kText:
        case Kind::kOther:
            return kUnbounded;
        default:
            return display_size(kind, modifier);
    }
}

/// TypeInfoCache.getScale()
std::int32_t scale(Kind kind, std::int32_t modifier) {
    constexpr std::int32_t kMicroseconds = 6;
    switch (kind) {
        case Kind::kFloat4:
            return 8;
        case Kind::kFloat8:
            return 17;
        case Kind::kNumeric:
            return modifier == -1 ? 0 : (modifier - kHeader) & 0xFFFF;
        case Kind::kTime:
        case Kind::kTimetz:
        case Kind::kTimestamp:
        case Kind::kTimestamptz:
            return modifier == -1 ? kMicroseconds : modifier;
        case Kind::kInterval:
            return modifier == -1 ? kMicroseconds : modifier & 0xFFFF;
        default:
            return 0;
    }
}

/// PostgresType.getDefaultLength() and getDefaultScale(): of a type without a modifier of its own.
void set_defaults(const TypeDescription& type, const TypeDescriptions& types, SourceType& source) {
    if (type.kind == 'd') {
        const TypeDescription& base = find_type(type.base, types);
        if (type.base_modifier == -1) {
            set_defaults(base, types, source);
            return;
        }
        const Kind kind = kind_of(base, types);
        source.length = precision(kind, type.base_modifier);
        source.scale = scale(kind, type.base_modifier);
        return;
    }
    const Kind kind = kind_of(type, types);
    const std::int32_t length = precision(kind, -1);
    source.length = length == 0 ? display_size(kind, -1) : length;
    source.scale = scale(kind, -1);
}

/// PgDatabaseMetaData.getColumns(), TYPE_NAME
std::string driver_name(const ColumnDescription& column, const TypeDescription& type) {
    if (column.default_expression &&
        column.default_expression->find("nextval(") != std::string::npos) {
        if (type.name == "int4") {
            return "serial";
        }
        if (type.name == "int8") {
            return "bigserial";
        }
        if (type.name == "int2") {
            return "smallserial";
        }
    }
    return type.name;
}

}  // namespace

SourceType describe_source_type(const ColumnDescription& column, const TypeDescriptions& types) {
    const TypeDescription& type = find_type(column.type, types);
    SourceType source;
    source.name = driver_name(column, type);
    if (is_vector(type)) {
        if (column.modifier != -1) {
            source.length = column.modifier;
        }
    } else if (column.modifier == -1) {
        set_defaults(type, types, source);
    } else {
        const Kind kind = kind_of(type, types);
        source.length = precision(kind, column.modifier);
        source.scale = scale(kind, column.modifier);
    }
    const TypeDescription* root = &type;
    while (root->kind == 'd') {
        root = &find_type(root->base, types);
    }
    source.is_character = root->kind == 'e' || (root->schema == "pg_catalog" &&
                                                (root->name == "text" || root->name == "varchar" ||
                                                 root->name == "bpchar" || root->name == "char" ||
                                                 root->name == "name"));
    return source;
}

}  // namespace holdfast::relay::debezium
