// Which JSON a schema's default is, from the text of the column's default expression: what Debezium
// makes of it, which is not always what PostgreSQL would.
//
// Source: Debezium's PostgresDefaultValueConverter; docs/message-format.md, "Defaults".

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <utility>

#include "debezium/column_encoding.hpp"
#include "debezium/types/calendar.hpp"
#include "debezium/types/oids.hpp"

namespace holdfast::relay::debezium {
namespace {

/// A type whose columns have a default, and the text of the value that stands for one that a
/// function makes.
struct DefaultRule {
    std::uint32_t oid;
    std::string_view placeholder;
};

constexpr std::array kRules{
    DefaultRule{oid::kBit, "00"},
    DefaultRule{oid::kVarbit, "0"},
    DefaultRule{oid::kBool, "false"},
    DefaultRule{oid::kBpchar, ""},
    DefaultRule{oid::kVarchar, ""},
    DefaultRule{oid::kText, ""},
    DefaultRule{oid::kNumeric, "0.0"},
    DefaultRule{oid::kFloat4, "0.0"},
    DefaultRule{oid::kFloat8, "0.0"},
    DefaultRule{oid::kInt2, "0"},
    DefaultRule{oid::kInt4, "0"},
    DefaultRule{oid::kInt8, "0"},
    DefaultRule{oid::kJson, "{}"},
    DefaultRule{oid::kJsonb, "{}"},
    DefaultRule{oid::kXml, ""},
    DefaultRule{oid::kUuid, "00000000-0000-0000-0000-000000000000"},
    DefaultRule{oid::kDate, "1970-01-01"},
    DefaultRule{oid::kTime, "00:00:00"},
    DefaultRule{oid::kTimestamp, "1970-01-01 00:00:00"},
    DefaultRule{oid::kTimestamptz, "1970-01-01 00:00:00+00"},
    DefaultRule{oid::kInterval, "00:00:00"},
};

std::string lower_case(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    });
    return lower;
}

/// Begins like a call, maybe behind one parenthesis: "nextval('s'::regclass)", "(now() + ...".
bool calls_function(std::string_view expression) {
    static constexpr std::array<std::string_view, 5> kValueFunctions{
        "current_timestamp", "current_time", "current_date", "localtime", "localtimestamp"};
    if (std::find(kValueFunctions.begin(), kValueFunctions.end(), lower_case(expression)) !=
        kValueFunctions.end()) {
        return true;
    }
    if (expression.starts_with('(')) {
        expression.remove_prefix(1);
    }
    const auto in_name = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.';
    };
    const auto* const name_end = std::find_if_not(expression.begin(), expression.end(), in_name);
    const auto name = static_cast<std::size_t>(name_end - expression.begin());
    if (name == 0 || name == expression.size() || expression[name] != '(') {
        return false;
    }
    const std::string_view behind = expression.substr(name + 1);
    return behind.substr(0, behind.find_first_of("\n\r")).find(')') != std::string_view::npos;
}

/// What is in the first quotes, or else the expression; nullopt = none.
std::optional<std::string> literal_of(std::string_view expression, CompatVersion version) {
    const std::size_t open = expression.find('\'');
    if (open == std::string_view::npos) {
        return expression.starts_with("NULL::") ? std::nullopt
                                                : std::optional<std::string>(expression);
    }
    std::string literal;
    for (std::size_t i = open + 1; i < expression.size(); ++i) {
        if (expression[i] != '\'') {
            literal += expression[i];
            continue;
        }
        // Up to 3.6 a quote within the literal was taken for its end.
        const bool doubled = i + 1 < expression.size() && expression[i + 1] == '\'';
        if (!doubled || version == CompatVersion::k36) {
            return literal;
        }
        literal += '\'';
        ++i;
    }
    return std::nullopt;
}

/// The label in "'ok'::mood" or "'ok'::shop.mood", of a cast to that type.
std::optional<std::string> label_of(std::string_view expression, const TypeDescription& type) {
    const std::size_t cast = expression.rfind("::");
    if (cast == std::string_view::npos) {
        return std::nullopt;
    }
    std::string_view name = expression.substr(cast + 2);
    if (name.ends_with('"')) {
        const std::size_t open = name.rfind('"', name.size() - 2);
        name =
            open == std::string_view::npos ? name : name.substr(open + 1, name.size() - open - 2);
    } else if (const std::size_t dot = name.rfind('.'); dot != std::string_view::npos) {
        name.remove_prefix(dot + 1);
    }
    const std::string_view value = expression.substr(0, cast);
    if (name != type.name || value.size() < 2 || !value.starts_with('\'') ||
        !value.ends_with('\'')) {
        return std::nullopt;
    }
    return std::string(value.substr(1, value.size() - 2));
}

/// The text of the default, as a value's text would be; nullopt = none.
std::optional<std::string> default_text(std::string_view expression, const TypeDescription& type,
                                        CompatVersion version) {
    if (type.kind == 'e') {
        return label_of(expression, type);
    }
    const auto* const rule = std::find_if(
        kRules.begin(), kRules.end(), [&](const DefaultRule& r) { return r.oid == type.id.value; });
    if (rule == kRules.end()) {
        return std::nullopt;
    }
    std::optional<std::string> text = calls_function(expression)
                                          ? std::optional<std::string>(rule->placeholder)
                                          : literal_of(expression, version);
    if (!text) {
        return std::nullopt;
    }
    switch (type.id.value) {
        case oid::kBool:
            return lower_case(*text) == "true" ? "t" : "f";
        case oid::kNumeric:
            // BigDecimal has no others.
            return text->find_first_not_of("-.0123456789") == std::string::npos ? text
                                                                                : std::nullopt;
        case oid::kDate:
        case oid::kTimestamp:
        case oid::kTimestamptz:
            return parse_infinity(*text) == Infinity::kNone ? text : std::nullopt;
        default:
            return text;
    }
}

}  // namespace

std::optional<std::string> make_column_default(const ColumnDescription& column,
                                               const TypeDescriptions& types,
                                               const TypeOptions& options,
                                               ColumnEncoding& encoding) {
    const auto type = types.find(column.type.value);
    // KAFKA-12694: Connect takes no default of a struct.
    if (!column.default_expression || column.generated || column.identity || type == types.end() ||
        encoding.schema.type == "struct") {
        return std::nullopt;
    }
    const std::optional<std::string> text =
        default_text(*column.default_expression, type->second, options.compat_version);
    if (!text) {
        return std::nullopt;
    }
    std::string json;
    try {
        encoding.encoder->encode(*text, json);
    } catch (const ConversionError&) {
        return std::nullopt;  // an expression, which Debezium does not evaluate
    }
    return json;
}

}  // namespace holdfast::relay::debezium
