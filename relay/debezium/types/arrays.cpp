#include "debezium/types/arrays.hpp"

#include <cstddef>
#include <memory>
#include <utility>

#include "debezium/json_text.hpp"
#include "debezium/types/bytes.hpp"
#include "debezium/types/name_uuid.hpp"
#include "debezium/types/oids.hpp"
#include "debezium/types/scanner.hpp"

namespace holdfast::relay::debezium {
namespace {

class ArrayEncoder final : public ValueEncoder {
 public:
    ArrayEncoder(std::unique_ptr<ValueEncoder> element, char delimiter, ArrayItems items)
        : element_(std::move(element)), delimiter_(delimiter), items_(items) {}

    void encode(std::string_view text, std::string& json) override {
        Rollback rollback(json);
        Scanner in(text);
        if (in.take('[')) {
            skip_bounds(in);
        }
        in.expect('{');
        json += '[';
        if (in.ok() && !in.take('}')) {
            append_element(in, json);
            while (in.ok() && in.take(delimiter_)) {
                json += ',';
                append_element(in, json);
            }
            in.expect('}');
        }
        json += ']';
        if (!in.done()) {
            fail_conversion("an array");
        }
        rollback.keep();
    }

 private:
    /// "0:1]=" of an array that does not begin at 1.
    static void skip_bounds(Scanner& in) {
        constexpr std::size_t kMostDigits = 10;
        static_cast<void>(in.take('-'));
        static_cast<void>(in.digits(1, kMostDigits));
        in.expect(':');
        static_cast<void>(in.take('-'));
        static_cast<void>(in.digits(1, kMostDigits));
        in.expect("]=");
    }

    void append_element(Scanner& in, std::string& json) {
        if (in.take('"')) {
            unquote(in);
            if (in.ok()) {
                element_->encode(element_text_, json);
            }
            return;
        }
        if (in.rest().starts_with('{')) {
            throw ConversionError("an array of more than one dimension");
        }
        const char ends[] = {delimiter_, '}'};
        const std::string_view element =
            in.rest().substr(0, in.rest().find_first_of(std::string_view(ends, sizeof ends)));
        in.require(!element.empty());
        static_cast<void>(in.take(element));
        if (!in.ok()) {
            return;
        }
        if (element != "NULL") {
            element_->encode(element, json);
        } else if (items_ == ArrayItems::kOptional) {
            json += "null";
        } else {
            throw ConversionError("a null in an array whose elements have to be there");
        }
    }

    /// What stands in quotes, the first of which is taken already.
    void unquote(Scanner& in) {
        element_text_.clear();
        while (true) {
            const std::string_view rest = in.rest();
            const std::size_t end = rest.find_first_of("\"\\");
            if (end == std::string_view::npos) {
                in.require(false);
                return;
            }
            element_text_ += rest.substr(0, end);
            static_cast<void>(in.take(rest.substr(0, end + 1)));
            if (rest[end] == '"') {
                return;
            }
            if (in.rest().empty()) {
                in.require(false);
                return;
            }
            element_text_ += in.rest().front();
            in.expect(in.rest().front());
        }
    }

    std::unique_ptr<ValueEncoder> element_;
    char delimiter_;
    ArrayItems items_;
    std::string element_text_;
};

/// typdelim, which is a comma but for these.
char delimiter_of(const TypeDescription& type) {
    if (type.id.value == oid::kBox) {
        return ';';
    }
    return type.name == "geometry" || type.name == "geography" ? ':' : ',';
}

/// What stands for an array that is not there: by the column's own type, and only where it fits the
/// schema.
std::optional<std::string> unavailable(const TypeUse& use, const TypeDescription& element,
                                       const ConnectSchema& items) {
    if (use.by_domain) {
        return std::nullopt;
    }
    const std::string& placeholder = use.options.unavailable_value_placeholder;
    std::string json = "[";
    switch (element.id.value) {
        case oid::kText:
        case oid::kVarchar:
        case oid::kBpchar:
        case oid::kJson:
        case oid::kJsonb:
            json += unavailable_string(use.options);
            break;
        case oid::kBytea:
            if (items.type != "bytes") {
                return std::nullopt;
            }
            append_binary(placeholder, BinaryHandling::kBytes, json);
            break;
        case oid::kInt4:
        case oid::kInt8:
        case oid::kDate:
            if ((items.type != "int32" && items.type != "int64") ||
                items.name.starts_with("org.apache.kafka")) {
                return std::nullopt;
            }
            for (const char& byte : placeholder) {
                if (&byte != placeholder.data()) {
                    json += ',';
                }
                append_json_int(static_cast<signed char>(byte), json);
            }
            break;
        case oid::kUuid:
            append_json_string(name_uuid(placeholder), json);
            break;
        default:
            return std::nullopt;
    }
    json += ']';
    return json;
}

}  // namespace

ColumnEncoding make_array(const TypeUse& use, const TypeDescription& element_type,
                          ColumnEncoding element, ArrayItems items) {
    if (items == ArrayItems::kOptional) {
        element.schema.optional = true;
    }
    ColumnEncoding encoding;
    encoding.unavailable = unavailable(use, element_type, element.schema);
    encoding.schema = array_schema(std::move(element.schema));
    encoding.encoder = std::make_unique<ArrayEncoder>(std::move(element.encoder),
                                                      delimiter_of(element_type), items);
    encoding.fallback = "[]";
    return encoding;
}

}  // namespace holdfast::relay::debezium
