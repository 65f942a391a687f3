#include "debezium/types/vectors.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <tuple>

#include "debezium/json_text.hpp"
#include "debezium/types/java_hash.hpp"
#include "debezium/types/scanner.hpp"

namespace holdfast::relay::debezium {
namespace {

void append_floating(double number, std::string& json) {
    append_json_double(number, json);
}
void append_floating(float number, std::string& json) {
    append_json_float(number, json);
}

/// "[1,2.5,-3]"
template <typename Number>
class VectorEncoder final : public ValueEncoder {
 public:
    void encode(std::string_view text, std::string& json) override {
        Rollback rollback(json);
        Scanner in(text);
        in.expect('[');
        json += '[';
        append_floating(in.floating<Number>(), json);
        while (in.ok() && in.take(',')) {
            json += ',';
            append_floating(in.floating<Number>(), json);
        }
        json += ']';
        in.expect(']');
        if (!in.done()) {
            fail_conversion("a vector");
        }
        rollback.keep();
    }
};

/// "{1:201,9:209}/3000"; the entries in the order of a HashMap<Short, Double>.
class SparseVectorEncoder final : public ValueEncoder {
 public:
    void encode(std::string_view text, std::string& json) override {
        const std::int64_t dimensions = parse(text);
        json += R"({"dimensions":)";
        append_json_int(dimensions, json);
        json += R"(,"vector":[)";
        for (const Entry& entry : entries_) {
            json += &entry == entries_.data() ? "[" : ",[";
            append_json_int(entry.index, json);
            json += ',';
            append_json_double(entry.value, json);
            json += ']';
        }
        json += "]}";
    }

 private:
    struct Entry {
        std::int64_t index = 0;
        double value = 0;
        std::size_t place = 0;
        std::size_t bucket = 0;
    };

    static std::int64_t short_number(Scanner& in) {
        constexpr std::size_t kMostDigits = 10;
        const std::int64_t number = in.digits(1, kMostDigits);
        in.require(number <= std::numeric_limits<std::int16_t>::max());
        return number;
    }

    std::int64_t parse(std::string_view text) {
        entries_.clear();
        Scanner in(text);
        in.expect('{');
        if (!in.take('}')) {
            do {
                Entry entry;
                entry.place = entries_.size();
                entry.index = short_number(in);
                in.expect(':');
                entry.value = in.floating<double>();
                entries_.push_back(entry);
            } while (in.ok() && in.take(','));
            in.expect('}');
        }
        in.expect('/');
        const std::int64_t dimensions = short_number(in);
        if (!in.done()) {
            fail_conversion("a sparse vector of at most 32767 dimensions");
        }
        const std::size_t buckets = java_map_buckets(
            std::bit_ceil(std::max<std::size_t>(entries_.size(), 1)), entries_.size());
        for (Entry& entry : entries_) {
            entry.bucket = java_map_bucket(static_cast<std::uint32_t>(entry.index), buckets);
        }
        std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
            return std::tie(a.bucket, a.place) < std::tie(b.bucket, b.place);
        });
        return dimensions;
    }

    std::vector<Entry> entries_;
};

}  // namespace

ColumnEncoding make_vector(const TypeUse& /*use*/) {
    ConnectSchema schema = array_schema(scalar_schema("double"));
    schema.name = "io.debezium.data.DoubleVector";
    schema.version = 1;
    return {.schema = std::move(schema),
            .encoder = std::make_unique<VectorEncoder<double>>(),
            .fallback = "[]",
            .unavailable = std::nullopt};
}

ColumnEncoding make_halfvec(const TypeUse& /*use*/) {
    ConnectSchema schema = array_schema(scalar_schema("float"));
    schema.name = "io.debezium.data.FloatVector";
    schema.version = 1;
    return {.schema = std::move(schema),
            .encoder = std::make_unique<VectorEncoder<float>>(),
            .fallback = "[]",
            .unavailable = std::nullopt};
}

ColumnEncoding make_sparsevec(const TypeUse& /*use*/) {
    return {.schema = struct_schema(
                "io.debezium.data.SparseDoubleVector", "Sparse double vector",
                {{"dimensions", scalar_schema("int16")},
                 {"vector", map_schema(scalar_schema("int16"), scalar_schema("double"))}}),
            .encoder = std::make_unique<SparseVectorEncoder>(),
            .fallback = R"({"dimensions":0,"vector":[]})",
            .unavailable = std::nullopt};
}

}  // namespace holdfast::relay::debezium
