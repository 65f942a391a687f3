#include "debezium/name_adjuster.hpp"

#include <array>
#include <charconv>

#include "debezium/java_string.hpp"

namespace holdfast::relay::debezium {

namespace {

enum class Dots { kKept, kReplaced };

bool is_letter(char16_t unit) {
    return (unit >= u'a' && unit <= u'z') || (unit >= u'A' && unit <= u'Z');
}
bool is_digit(char16_t unit) {
    return unit >= u'0' && unit <= u'9';
}

/// As Debezium pads it: to four digits when there are two, by two zeros when there are fewer.
void append_unicode(char16_t unit, std::string& name) {
    std::array<char, 4> digits{};
    const auto* const end =
        std::to_chars(digits.data(), digits.data() + digits.size(), static_cast<unsigned>(unit), 16)
            .ptr;
    const auto count = static_cast<std::size_t>(end - digits.data());
    name += count <= 2 ? "_u00" : "_u";
    name.append(digits.data(), count);
}

std::string adjust(std::string_view name, NameAdjustment mode, Dots dots) {
    if (mode == NameAdjustment::kNone) {
        return std::string(name);
    }
    const bool unicode = mode == NameAdjustment::kAvroUnicode;
    std::string adjusted;
    bool first = true;
    for_each_utf16_unit(name, [&](char16_t unit) {
        const bool starts = is_letter(unit) || (unit == u'_' && !unicode);
        const bool follows = starts || is_digit(unit) || (unit == u'.' && dots == Dots::kKept);
        if (first ? starts : follows) {
            adjusted += static_cast<char>(unit);
        } else if (unicode) {
            append_unicode(unit, adjusted);
        } else {
            adjusted += '_';
            if (first && is_digit(unit)) {
                adjusted += static_cast<char>(unit);
            }
        }
        first = false;
    });
    return adjusted;
}

}  // namespace

std::string adjust_schema_name(std::string_view name, NameAdjustment mode) {
    return adjust(name, mode, Dots::kKept);
}

std::string adjust_field_name(std::string_view name, NameAdjustment mode) {
    return adjust(name, mode, Dots::kReplaced);
}

}  // namespace holdfast::relay::debezium
