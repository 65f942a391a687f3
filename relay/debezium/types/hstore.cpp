#include "debezium/types/hstore.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <tuple>

#include "debezium/json_text.hpp"
#include "debezium/types/java_hash.hpp"
#include "debezium/types/scanner.hpp"

namespace holdfast::relay::debezium {
namespace {

constexpr std::size_t kBucketsAtFirst = 16;

/// The pairs of an hstore's text, in the order of the HashMap that Debezium makes of them.
class Pairs {
 public:
    struct Pair {
        std::size_t key = 0;  ///< where it begins in the characters; the value follows it
        std::size_t key_size = 0;
        std::size_t value_size = 0;
        bool null = false;
        std::size_t place = 0;
        std::size_t bucket = 0;
    };

    void parse(std::string_view text) {
        characters_.clear();
        pairs_.clear();
        Scanner in(text);
        while (in.ok() && !in.rest().empty()) {
            if (!pairs_.empty()) {
                in.expect(", ");
            }
            Pair pair;
            pair.place = pairs_.size();
            pair.key = characters_.size();
            quoted(in);
            pair.key_size = characters_.size() - pair.key;
            in.expect("=>");
            if (in.ok() && in.take("NULL")) {
                pair.null = true;
            } else {
                quoted(in);
            }
            pair.value_size = characters_.size() - pair.key - pair.key_size;
            pairs_.push_back(pair);
        }
        if (!in.done()) {
            fail_conversion("an hstore");
        }
        const std::size_t buckets = java_map_buckets(kBucketsAtFirst, pairs_.size());
        for (Pair& pair : pairs_) {
            pair.bucket = java_map_bucket(java_string_hash(key(pair)), buckets);
        }
        std::sort(pairs_.begin(), pairs_.end(), [](const Pair& a, const Pair& b) {
            return std::tie(a.bucket, a.place) < std::tie(b.bucket, b.place);
        });
    }

    [[nodiscard]] const std::vector<Pair>& all() const { return pairs_; }
    [[nodiscard]] std::string_view key(const Pair& pair) const {
        return std::string_view(characters_).substr(pair.key, pair.key_size);
    }
    [[nodiscard]] std::string_view value(const Pair& pair) const {
        return std::string_view(characters_).substr(pair.key + pair.key_size, pair.value_size);
    }

 private:
    /// Appends what is in quotes, where a backslash stands before what is meant literally.
    void quoted(Scanner& in) {
        in.expect('"');
        while (in.ok()) {
            const std::string_view rest = in.rest();
            const std::size_t end = rest.find_first_of("\"\\");
            if (end == std::string_view::npos) {
                in.require(false);
                return;
            }
            characters_ += rest.substr(0, end);
            static_cast<void>(in.take(rest.substr(0, end + 1)));
            if (rest[end] == '"') {
                return;
            }
            if (in.rest().empty()) {
                in.require(false);
                return;
            }
            characters_ += in.rest().front();
            in.expect(in.rest().front());
        }
    }

    std::string characters_;
    std::vector<Pair> pairs_;
};

class HstoreEncoder final : public ValueEncoder {
 public:
    explicit HstoreEncoder(HstoreHandling mode) : mode_(mode) {}

    void encode(std::string_view text, std::string& json) override {
        pairs_.parse(text);
        if (mode_ == HstoreHandling::kMap) {
            append_object(append_json_string, json);
            return;
        }
        inner_.clear();
        append_object(append_inner_json_string, inner_);
        append_json_string(inner_, json);
    }

 private:
    void append_object(void (*append)(std::string_view, std::string&), std::string& json) const {
        json += '{';
        for (const Pairs::Pair& pair : pairs_.all()) {
            if (&pair != pairs_.all().data()) {
                json += ',';
            }
            append(pairs_.key(pair), json);
            json += ':';
            if (pair.null) {
                json += "null";
            } else {
                append(pairs_.value(pair), json);
            }
        }
        json += '}';
    }

    HstoreHandling mode_;
    Pairs pairs_;
    std::string inner_;
};

}  // namespace

ColumnEncoding make_hstore(const TypeUse& use) {
    const bool as_map = use.options.hstore_handling_mode == HstoreHandling::kMap;
    ColumnEncoding encoding;
    encoding.schema =
        as_map ? map_schema(scalar_schema("string"), optional_schema(scalar_schema("string")))
               : semantic_schema("string", "io.debezium.data.Json");
    encoding.encoder = std::make_unique<HstoreEncoder>(use.options.hstore_handling_mode);
    encoding.fallback = as_map ? "{}" : R"("{}")";
    // Debezium goes by the column's own type: of a domain it knows no more than of text.
    const std::string text = unavailable_string(use.options);
    const std::string object = '{' + text + ':' + text + '}';
    if (use.by_domain) {
        encoding.unavailable = as_map ? std::nullopt : std::optional(text);
    } else if (as_map) {
        encoding.unavailable = object;
    } else {
        encoding.unavailable.emplace();
        append_json_string(object, *encoding.unavailable);
    }
    return encoding;
}

}  // namespace holdfast::relay::debezium
