#include "debezium/types/geometric.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

#include "debezium/json_text.hpp"
#include "debezium/types/bytes.hpp"
#include "debezium/types/scanner.hpp"

namespace holdfast::relay::debezium {
namespace {

enum class WkbType : std::uint32_t { kPoint = 1, kLineString = 2, kPolygon = 3 };

struct Point {
    double x = 0;
    double y = 0;
};

/// "(1,2.5)"
Point scan_point(Scanner& in) {
    Point point;
    in.expect('(');
    point.x = in.floating<double>();
    in.expect(',');
    point.y = in.floating<double>();
    in.expect(')');
    return point;
}

/// "(1,2),(3,4)": one at least.
void scan_points(Scanner& in, std::vector<Point>& points) {
    points.clear();
    do {
        points.push_back(scan_point(in));
    } while (in.ok() && in.take(','));
}

/// Little-endian well-known binary.
class Wkb {
 public:
    void begin(WkbType type) {
        bytes_.assign(1, '\1');
        put_number(static_cast<std::uint32_t>(type));
    }
    void put_number(std::uint32_t number) { put(number); }
    void put_point(const Point& point) {
        put(std::bit_cast<std::uint64_t>(point.x));
        put(std::bit_cast<std::uint64_t>(point.y));
    }
    void put_points(const std::vector<Point>& points) {
        put_number(static_cast<std::uint32_t>(points.size()));
        for (const Point& point : points) {
            put_point(point);
        }
    }
    [[nodiscard]] std::string_view bytes() const { return bytes_; }

 private:
    template <typename Unsigned>
    void put(Unsigned number) {
        for (std::size_t i = 0; i < sizeof number; ++i) {
            bytes_ += static_cast<char>(static_cast<unsigned char>(number >> (8U * i)));
        }
    }

    std::string bytes_;
};

/// The Point struct, which a circle's centre is as well.
void append_point(const Point& point, Wkb& wkb, std::string& json) {
    wkb.begin(WkbType::kPoint);
    wkb.put_point(point);
    json += R"({"x":)";
    append_json_double(point.x, json);
    json += R"(,"y":)";
    append_json_double(point.y, json);
    json += R"(,"wkb":)";
    append_binary(wkb.bytes(), BinaryHandling::kBytes, json);
    json += R"(,"srid":null})";
}

class PointEncoder final : public ValueEncoder {
 public:
    void encode(std::string_view text, std::string& json) override {
        Scanner in(text);
        const Point point = scan_point(in);
        if (!in.done()) {
            fail_conversion("a point");
        }
        append_point(point, wkb_, json);
    }

 private:
    Wkb wkb_;
};

class CircleEncoder final : public ValueEncoder {
 public:
    /// "<(1,2),3>"
    void encode(std::string_view text, std::string& json) override {
        Scanner in(text);
        in.expect('<');
        const Point center = scan_point(in);
        in.expect(',');
        const auto radius = in.floating<double>();
        in.expect('>');
        if (!in.done()) {
            fail_conversion("a circle");
        }
        json += R"({"center":)";
        append_point(center, wkb_, json);
        json += R"(,"radius":)";
        append_json_double(radius, json);
        json += '}';
    }

 private:
    Wkb wkb_;
};

class LineEncoder final : public ValueEncoder {
 public:
    /// "{1,-1,0}": A, B and C of Ax + By + C = 0.
    void encode(std::string_view text, std::string& json) override {
        Scanner in(text);
        in.expect('{');
        const auto a = in.floating<double>();
        in.expect(',');
        const auto b = in.floating<double>();
        in.expect(',');
        const auto c = in.floating<double>();
        in.expect('}');
        if (!in.done()) {
            fail_conversion("a line");
        }
        json += R"({"a":)";
        append_json_double(a, json);
        json += R"(,"b":)";
        append_json_double(b, json);
        json += R"(,"c":)";
        append_json_double(c, json);
        json += '}';
    }
};

/// A shape of points as a Geometry struct, with its type in the extensions.
class ShapeEncoder : public ValueEncoder {
 public:
    void encode(std::string_view text, std::string& json) final {
        Scanner in(text);
        const std::string_view extensions = scan(in);
        if (!in.done()) {
            fail_conversion("a geometric value of its type");
        }
        json += R"({"wkb":)";
        append_binary(wkb_.bytes(), BinaryHandling::kBytes, json);
        json += R"(,"srid":null,"extensions":)";
        json += extensions;
        json += '}';
    }

 protected:
    /// Fills wkb_; returns the extensions, as JSON.
    virtual std::string_view scan(Scanner& in) = 0;

    void write(WkbType type) {
        wkb_.begin(type);
        if (type == WkbType::kPolygon) {
            wkb_.put_number(1);  // ring
        }
        wkb_.put_points(points_);
    }

    std::vector<Point> points_;

 private:
    Wkb wkb_;
};

class BoxEncoder final : public ShapeEncoder {
 protected:
    /// "(3,4),(1,2)": two corners.
    std::string_view scan(Scanner& in) override {
        const Point a = scan_point(in);
        in.expect(',');
        const Point b = scan_point(in);
        points_ = {a, {.x = a.x, .y = b.y}, b, {.x = b.x, .y = a.y}, a};
        write(WkbType::kPolygon);
        return R"({"type":"box"})";
    }
};

class LsegEncoder final : public ShapeEncoder {
 protected:
    /// "[(0,0),(1,2)]"
    std::string_view scan(Scanner& in) override {
        in.expect('[');
        points_.clear();
        points_.push_back(scan_point(in));
        in.expect(',');
        points_.push_back(scan_point(in));
        in.expect(']');
        write(WkbType::kLineString);
        return R"({"type":"lseg"})";
    }
};

class PathEncoder final : public ShapeEncoder {
 protected:
    /// "((0,0),(1,1))" is closed, "[(0,0),(1,1)]" open.
    std::string_view scan(Scanner& in) override {
        const bool open = in.take('[');
        if (!open) {
            in.expect('(');
        }
        scan_points(in, points_);
        in.expect(open ? ']' : ')');
        write(WkbType::kLineString);
        return open ? R"({"type":"path","closed":"false"})" : R"({"type":"path","closed":"true"})";
    }
};

class PolygonEncoder final : public ShapeEncoder {
 protected:
    /// "((0,0),(1,1),(2,0))"; WKB wants the ring closed.
    std::string_view scan(Scanner& in) override {
        in.expect('(');
        scan_points(in, points_);
        in.expect(')');
        const Point first = points_.front();
        if (points_.size() >= 2 && !(first.x == points_.back().x && first.y == points_.back().y)) {
            points_.push_back(first);
        }
        write(WkbType::kPolygon);
        return R"({"type":"polygon"})";
    }
};

/// Extended well-known binary; only the spatial reference is looked at.
class EwkbEncoder final : public ValueEncoder {
 public:
    /// `end` closes the struct behind the spatial reference.
    explicit EwkbEncoder(std::string_view end) : end_(end) {}

    void encode(std::string_view text, std::string& json) override {
        constexpr std::size_t kShortest = 9;
        constexpr std::uint32_t kHasSrid = 0x20000000;
        if (!decode_hex(text, bytes_) || bytes_.size() < kShortest) {
            fail_conversion("a geometry in hexadecimal EWKB");
        }
        json += R"({"wkb":)";
        append_binary(bytes_, BinaryHandling::kBytes, json);
        json += R"(,"srid":)";
        if ((number_at(1) & kHasSrid) != 0) {
            append_json_int(static_cast<std::int32_t>(number_at(5)), json);
        } else {
            json += "null";
        }
        json += end_;
    }

 private:
    [[nodiscard]] std::uint32_t number_at(std::size_t offset) const {
        const bool little_endian = bytes_[0] != 0;
        std::uint32_t number = 0;
        for (std::size_t i = 0; i < sizeof number; ++i) {
            const auto byte = static_cast<unsigned char>(bytes_[offset + i]);
            number |= static_cast<std::uint32_t>(byte) << (8U * (little_endian ? i : 3 - i));
        }
        return number;
    }

    std::string_view end_;
    std::string bytes_;
};

ConnectSchema point_schema() {
    return struct_schema("io.debezium.data.geometry.Point", "Geometry (POINT)",
                         {{"x", scalar_schema("double")},
                          {"y", scalar_schema("double")},
                          {"wkb", optional_schema(scalar_schema("bytes"))},
                          {"srid", optional_schema(scalar_schema("int32"))}});
}

/// Optional whatever the column is, as Debezium has it.
ConnectSchema geometry_schema(CompatVersion version) {
    ConnectSchema schema = struct_schema(
        "io.debezium.data.geometry.Geometry", "Geometry",
        {{"wkb", scalar_schema("bytes")}, {"srid", optional_schema(scalar_schema("int32"))}});
    if (version != CompatVersion::k36) {
        schema.version = 2;
        schema.fields.push_back(
            {"extensions",
             optional_schema(map_schema(scalar_schema("string"), scalar_schema("string")))});
    }
    return optional_schema(std::move(schema));
}

ColumnEncoding encoding_of(ConnectSchema schema, std::unique_ptr<ValueEncoder> encoder,
                           std::string_view zero) {
    ColumnEncoding encoding;
    encoding.schema = std::move(schema);
    encoding.encoder = std::move(encoder);
    encoding.encoder->encode(zero, encoding.fallback);
    return encoding;
}

/// An empty collection of geometries.
constexpr std::string_view kEmptyEwkb = "010700000000000000";

}  // namespace

ColumnEncoding make_point(const TypeUse& /*use*/) {
    return encoding_of(point_schema(), std::make_unique<PointEncoder>(), "(0,0)");
}

ColumnEncoding make_box(const TypeUse& use) {
    return encoding_of(geometry_schema(use.options.compat_version), std::make_unique<BoxEncoder>(),
                       "(0,0),(1,1)");
}

ColumnEncoding make_lseg(const TypeUse& use) {
    return encoding_of(geometry_schema(use.options.compat_version), std::make_unique<LsegEncoder>(),
                       "[(0,0),(1,0)]");
}

ColumnEncoding make_path(const TypeUse& use) {
    ColumnEncoding encoding = encoding_of(geometry_schema(use.options.compat_version),
                                          std::make_unique<PathEncoder>(), "[(0,0),(1,0)]");
    constexpr std::string_view kClosed = R"(,"closed":"false")";
    encoding.fallback.erase(encoding.fallback.find(kClosed), kClosed.size());
    return encoding;
}

ColumnEncoding make_polygon(const TypeUse& use) {
    return encoding_of(geometry_schema(use.options.compat_version),
                       std::make_unique<PolygonEncoder>(), "((0,0),(1,0),(0,1))");
}

ColumnEncoding make_circle(const TypeUse& /*use*/) {
    return encoding_of(optional_schema(struct_schema(
                           "io.debezium.data.geometry.Circle", "Geometry (CIRCLE)",
                           {{"center", point_schema()}, {"radius", scalar_schema("double")}})),
                       std::make_unique<CircleEncoder>(), "<(0,0),0>");
}

ColumnEncoding make_line(const TypeUse& /*use*/) {
    return encoding_of(
        optional_schema(struct_schema("io.debezium.data.geometry.Line", "Geometry (LINE)",
                                      {{"a", scalar_schema("double")},
                                       {"b", scalar_schema("double")},
                                       {"c", scalar_schema("double")}})),
        std::make_unique<LineEncoder>(), "{0,1,0}");
}

ColumnEncoding make_geometry(const TypeUse& use) {
    const bool extensions = use.options.compat_version != CompatVersion::k36;
    return encoding_of(geometry_schema(use.options.compat_version),
                       std::make_unique<EwkbEncoder>(extensions ? R"(,"extensions":null})" : "}"),
                       kEmptyEwkb);
}

ColumnEncoding make_geography(const TypeUse& /*use*/) {
    return encoding_of(struct_schema("io.debezium.data.geometry.Geography", "Geography",
                                     {{"wkb", scalar_schema("bytes")},
                                      {"srid", optional_schema(scalar_schema("int32"))}}),
                       std::make_unique<EwkbEncoder>("}"), kEmptyEwkb);
}

}  // namespace holdfast::relay::debezium
