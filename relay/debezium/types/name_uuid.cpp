#include "debezium/types/name_uuid.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "debezium/json_text.hpp"

namespace holdfast::relay::debezium {
namespace {

constexpr std::size_t kBlock = 64;
using State = std::array<std::uint32_t, 4>;

void add_block(std::string_view block, State& state) {
    constexpr std::array<std::array<int, 4>, 4> kShifts{
        {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}};
    std::array<std::uint32_t, 16> words{};
    for (std::size_t i = 0; i < kBlock; ++i) {
        words[i / 4] |= static_cast<std::uint32_t>(static_cast<unsigned char>(block[i]))
                        << (8U * (i % 4));
    }
    auto [a, b, c, d] = state;
    for (std::uint32_t i = 0; i < kBlock; ++i) {
        const std::uint32_t round = i / 16;
        const std::uint32_t mixed = round == 0   ? (b & c) | (~b & d)
                                    : round == 1 ? (d & b) | (~d & c)
                                    : round == 2 ? b ^ c ^ d
                                                 : c ^ (b | ~d);
        const std::uint32_t word = round == 0   ? i
                                   : round == 1 ? (5 * i + 1) % 16
                                   : round == 2 ? (3 * i + 5) % 16
                                                : (7 * i) % 16;
        const auto sine = static_cast<std::uint32_t>(std::fabs(std::sin(i + 1.0)) * 4294967296.0);
        const std::uint32_t turned =
            std::rotl(a + mixed + sine + words[word], kShifts[round][i % 4]);
        a = d;
        d = c;
        c = b;
        b += turned;
    }
    state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d};
}

std::string md5(std::string_view bytes) {
    std::string padded(bytes);
    padded += '\x80';
    while (padded.size() % kBlock != kBlock - 8) {
        padded += '\0';
    }
    const std::uint64_t bits = bytes.size() * 8;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        padded += static_cast<char>(static_cast<unsigned char>(bits >> shift));
    }
    State state{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476};
    for (std::size_t at = 0; at < padded.size(); at += kBlock) {
        add_block(std::string_view(padded).substr(at, kBlock), state);
    }
    std::string digest;
    for (const std::uint32_t word : state) {
        for (unsigned shift = 0; shift < 32; shift += 8) {
            digest += static_cast<char>(static_cast<unsigned char>(word >> shift));
        }
    }
    return digest;
}

}  // namespace

std::string name_uuid(std::string_view bytes) {
    std::string digest = md5(bytes);
    const auto set = [&digest](std::size_t at, unsigned mask, unsigned bits) {
        const unsigned byte = (static_cast<unsigned char>(digest[at]) & mask) | bits;
        digest[at] = static_cast<char>(static_cast<unsigned char>(byte));
    };
    set(6, 0x0FU, 0x30U);  // version 3
    set(8, 0x3FU, 0x80U);  // IETF variant
    std::string text;
    append_hex(digest, text);
    for (const std::size_t dash : {20U, 16U, 12U, 8U}) {
        text.insert(dash, 1, '-');
    }
    return text;
}

}  // namespace holdfast::relay::debezium
