#include "debezium/column_mapper.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <stdexcept>
#include <utility>

#include "base/errors.hpp"
#include "debezium/java_string.hpp"
#include "debezium/json_text.hpp"
#include "debezium/json_unescape.hpp"

namespace holdfast::relay::debezium {

namespace {

/// NULL too: a mask shows nothing.
class Mask final : public ValueMapping {
 public:
    explicit Mask(std::size_t count) : text_(count + 2, '*') {
        text_.front() = '"';
        text_.back() = '"';
    }
    void apply(std::string& json, std::size_t start) override {
        json.resize(start);
        json += text_;
    }

 private:
    std::string text_;
};

struct FreeDigest {
    void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

/// The digest of salt and value in hexadecimal, cut to the length of the column.
class Hash final : public ValueMapping {
 public:
    enum class Bytes { kSerialized, kPlain };

    Hash(const std::string& algorithm, std::string_view salt, Bytes bytes, std::size_t max_length)
        : digest_(EVP_MD_fetch(nullptr, algorithm.c_str(), nullptr)),
          salted_(EVP_MD_CTX_new()),
          context_(EVP_MD_CTX_new()),
          bytes_(bytes),
          max_length_(max_length) {
        check(digest_ && salted_ && context_ &&
              EVP_DigestInit_ex(salted_.get(), digest_.get(), nullptr) == 1 &&
              EVP_DigestUpdate(salted_.get(), salt.data(), salt.size()) == 1);
    }

    void apply(std::string& json, std::size_t start) override {
        if (std::string_view(json).substr(start) == "null") {
            return;
        }
        text_.clear();
        append_unescaped_json(std::string_view(json).substr(start), text_);
        std::string_view hashed = text_;
        if (bytes_ == Bytes::kSerialized) {
            serialized_.clear();
            append_java_serialized(text_, serialized_);
            hashed = serialized_;
        }
        std::array<unsigned char, EVP_MAX_MD_SIZE> result{};
        unsigned size = 0;
        check(EVP_MD_CTX_copy_ex(context_.get(), salted_.get()) == 1 &&
              EVP_DigestUpdate(context_.get(), hashed.data(), hashed.size()) == 1 &&
              EVP_DigestFinal_ex(context_.get(), result.data(), &size) == 1);
        json.resize(start);
        json += '"';
        const std::size_t digits = std::min<std::size_t>(std::size_t{2} * size, max_length_);
        for (std::size_t i = 0; i < digits; ++i) {
            const unsigned byte = result[i / 2];
            json += "0123456789abcdef"[i % 2 == 0 ? byte >> 4U : byte & 0xFU];
        }
        json += '"';
    }

 private:
    static void check(bool done) {
        if (!done) {
            throw FatalError(ExitCode::kInternal, "OpenSSL could not compute a digest");
        }
    }

    std::unique_ptr<EVP_MD, FreeDigest> digest_;
    std::unique_ptr<EVP_MD_CTX, FreeDigest> salted_;  ///< the salt is in it already
    std::unique_ptr<EVP_MD_CTX, FreeDigest> context_;
    Bytes bytes_;
    std::size_t max_length_;
    std::string text_;
    std::string serialized_;
};

/// Text, by UTF-16 units: a character beyond U+FFFF, which JSON writes as \uXXXX twice, can lose
/// its second half, as in Java.
class TruncateText final : public ValueMapping {
 public:
    explicit TruncateText(std::size_t max_length) : max_length_(max_length) {}
    void apply(std::string& json, std::size_t start) override {
        if (json[start] != '"') {
            return;
        }
        std::size_t units = 0;
        std::size_t at = start + 1;
        while (json[at] != '"') {
            if (units == max_length_) {
                json.resize(at);
                json += '"';
                return;
            }
            if (json[at] == '\\') {
                at += json[at + 1] == 'u' ? 6 : 2;
            } else {
                (void)next_code_point(json, at);
            }
            ++units;
        }
    }

 private:
    std::size_t max_length_;
};

/// Bytes, which are base64 in JSON.
class TruncateBytes final : public ValueMapping {
 public:
    explicit TruncateBytes(std::size_t max_length) : max_length_(max_length) {}
    void apply(std::string& json, std::size_t start) override {
        if (json[start] != '"') {
            return;
        }
        const std::size_t digits = json.size() - start - 2;
        const std::size_t padding = digits == 0                    ? 0
                                    : json[json.size() - 3] == '=' ? 2
                                    : json[json.size() - 2] == '=' ? 1
                                                                   : 0;
        if ((digits / 4 * 3) - padding <= max_length_) {
            return;
        }
        bytes_.clear();
        append_group(json, start + 1 + (max_length_ / 3 * 4));
        bytes_.resize(max_length_ % 3);
        json.resize(start + 1 + (max_length_ / 3 * 4));
        append_base64(bytes_, json);
        json += '"';
    }

 private:
    static unsigned digit_value(char digit) {
        if (digit >= 'A' && digit <= 'Z') {
            return static_cast<unsigned>(digit - 'A');
        }
        if (digit >= 'a' && digit <= 'z') {
            return static_cast<unsigned>(digit - 'a') + 26;
        }
        if (digit >= '0' && digit <= '9') {
            return static_cast<unsigned>(digit - '0') + 52;
        }
        return digit == '+' ? 62 : (digit == '/' ? 63 : 0);
    }
    void append_group(std::string_view json, std::size_t at) {
        unsigned group = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            group = (group << 6U) | digit_value(json[at + i]);
        }
        for (unsigned shift = 24; shift > 0; shift -= 8) {
            bytes_ += static_cast<char>((group >> (shift - 8)) & 0xFFU);
        }
    }

    std::size_t max_length_;
    std::string bytes_;
};

std::string qualified(std::string_view schema, std::string_view table, std::string_view last) {
    std::string name(schema);
    name += '.';
    name += table;
    name += '.';
    name += last;
    return name;
}

std::string upper_case(std::string_view text) {
    std::string upper(text);
    std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return upper;
}

void add_source_type(std::string_view column, const SourceType& type, ConnectSchema& schema) {
    schema.parameters.emplace_back("__debezium.source.column.type", upper_case(type.name));
    if (type.length) {
        schema.parameters.emplace_back("__debezium.source.column.length",
                                       std::to_string(*type.length));
    }
    schema.parameters.emplace_back("__debezium.source.column.scale", std::to_string(type.scale));
    schema.parameters.emplace_back("__debezium.source.column.name", column);
}

}  // namespace

std::optional<std::string> digest_name(std::string_view java_name) {
    using Names = std::pair<std::string_view, std::string_view>;
    static constexpr std::array<Names, 20> kNames{{{"MD5", "MD5"},
                                                   {"SHA", "SHA1"},
                                                   {"SHA1", "SHA1"},
                                                   {"SHA-1", "SHA1"},
                                                   {"SHA224", "SHA2-224"},
                                                   {"SHA-224", "SHA2-224"},
                                                   {"SHA256", "SHA2-256"},
                                                   {"SHA-256", "SHA2-256"},
                                                   {"SHA384", "SHA2-384"},
                                                   {"SHA-384", "SHA2-384"},
                                                   {"SHA512", "SHA2-512"},
                                                   {"SHA-512", "SHA2-512"},
                                                   {"SHA512/224", "SHA2-512/224"},
                                                   {"SHA-512/224", "SHA2-512/224"},
                                                   {"SHA512/256", "SHA2-512/256"},
                                                   {"SHA-512/256", "SHA2-512/256"},
                                                   {"SHA3-224", "SHA3-224"},
                                                   {"SHA3-256", "SHA3-256"},
                                                   {"SHA3-384", "SHA3-384"},
                                                   {"SHA3-512", "SHA3-512"}}};
    const std::string upper = upper_case(java_name);
    for (const Names& names : kNames) {
        if (names.first == upper) {
            return std::string(names.second);
        }
    }
    return std::nullopt;
}

ColumnMapper::ColumnMapper(const ConnectorOptions& options) {
    for (const ColumnRule& rule : options.truncate_to_chars) {
        add(rule, Action::kTruncate);
    }
    for (const ColumnRule& rule : options.mask_with_chars) {
        add(rule, Action::kMask);
    }
    add({"column.propagate.source.type", {}, {}, options.column_propagate_source_type},
        Action::kPropagate);
    add({"datatype.propagate.source.type", {}, {}, options.datatype_propagate_source_type},
        Action::kPropagateByDatatype);
    for (const ColumnRule& rule : options.mask_hash) {
        add(rule, Action::kHash);
    }
    for (const ColumnRule& rule : options.mask_hash_v2) {
        add(rule, Action::kHashV2);
    }
}

void ColumnMapper::add(const ColumnRule& rule, Action action) {
    const auto bad = [&rule](const std::string& what) {
        throw std::invalid_argument(rule.property + ": " + what);
    };
    Rule added{.action = action, .columns = {}, .count = 0, .algorithm = {}, .salt = rule.salt};
    try {
        added.columns = PatternList(rule.columns);
    } catch (const JavaPatternError& error) {
        bad(error.what());
    }
    if (action == Action::kTruncate || action == Action::kMask) {
        const char* end = rule.argument.data() + rule.argument.size();
        const auto read = std::from_chars(rule.argument.data(), end, added.count);
        constexpr std::int32_t kMax = 1'000'000;
        if (read.ec != std::errc{} || read.ptr != end || added.count < 0 || added.count > kMax) {
            bad("\"" + rule.argument + "\" is no number of characters from 0 to 1000000");
        }
    } else if (action == Action::kHash || action == Action::kHashV2) {
        const std::optional<std::string> name = digest_name(rule.argument);
        if (!name) {
            bad("there is no digest \"" + rule.argument +
                "\" (MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512, SHA3-256, ...)");
        }
        added.algorithm = *name;
        if (rule.salt.empty()) {
            bad("it has no salt");
        }
    }
    rules_.push_back(std::move(added));
}

std::unique_ptr<ValueMapping> ColumnMapper::map(std::string_view schema_name,
                                                std::string_view table, std::string_view column,
                                                const SourceType& type,
                                                ConnectSchema& schema) const {
    const std::string name = qualified(schema_name, table, column);
    const std::string data_type = qualified(schema_name, table, type.name);
    const auto matches = [&](const Rule& rule) {
        return rule.columns.matches(rule.action == Action::kPropagateByDatatype ? data_type : name);
    };
    const auto rule = std::find_if(rules_.begin(), rules_.end(), matches);
    if (rule == rules_.end()) {
        return nullptr;
    }
    const auto count = static_cast<std::size_t>(rule->count);
    switch (rule->action) {
        case Action::kPropagate:
        case Action::kPropagateByDatatype:
            add_source_type(column, type, schema);
            return nullptr;
        case Action::kTruncate:
            if (type.length && *type.length >= 0 && *type.length <= rule->count) {
                return nullptr;
            }
            schema.parameters.emplace_back("truncateLength", std::to_string(rule->count));
            if (schema.type == "string") {
                return std::make_unique<TruncateText>(count);
            }
            // Decimals and bits are bytes in JSON, but not where Debezium truncates.
            return schema.type == "bytes" && schema.name.empty()
                       ? std::make_unique<TruncateBytes>(count)
                       : std::unique_ptr<ValueMapping>();
        default:
            break;
    }
    schema.parameters.emplace_back("masked", "true");
    if (!type.is_character) {
        return nullptr;
    }
    if (rule->action == Action::kMask) {
        return std::make_unique<Mask>(count);
    }
    return std::make_unique<Hash>(
        rule->algorithm, rule->salt,
        rule->action == Action::kHash ? Hash::Bytes::kSerialized : Hash::Bytes::kPlain,
        type.length && *type.length > 0 ? static_cast<std::size_t>(*type.length)
                                        : std::numeric_limits<std::size_t>::max());
}

}  // namespace holdfast::relay::debezium
