#include "base/uuid.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <random>

namespace holdfast::relay {

std::string random_uuid() {
    std::random_device device;
    const auto word = [&device] { return static_cast<std::uint32_t>(device()); };
    const std::uint32_t version = (word() & 0xFFFF0FFFU) | 0x4000U;
    const std::uint32_t variant = (word() & 0x3FFFFFFFU) | 0x80000000U;
    std::array<char, 37> text{};
    std::snprintf(text.data(), text.size(), "%08x-%04x-%04x-%04x-%04x%08x", word(), version >> 16U,
                  version & 0xFFFFU, variant >> 16U, variant & 0xFFFFU, word());
    return text.data();
}

}  // namespace holdfast::relay
