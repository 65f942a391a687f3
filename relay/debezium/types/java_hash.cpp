#include "debezium/types/java_hash.hpp"

namespace holdfast::relay::debezium {

std::uint32_t java_string_hash(std::string_view text) {
    std::uint32_t hash = 0;
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        std::uint32_t character = length == 1 ? lead : lead & (0x7FU >> length);
        for (std::size_t k = 1; k < length && i + k < text.size(); ++k) {
            character = (character << 6U) | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
        }
        if (length == 4) {
            hash = hash * 31 + (0xD800U + ((character - 0x10000U) >> 10U));
            character = 0xDC00U + ((character - 0x10000U) & 0x3FFU);
        }
        hash = hash * 31 + character;
        i += length;
    }
    return hash;
}

std::size_t java_map_buckets(std::size_t buckets, std::size_t entries) {
    while (entries > buckets * 3 / 4) {
        buckets *= 2;
    }
    return buckets;
}

}  // namespace holdfast::relay::debezium
