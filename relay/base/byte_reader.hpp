// Reads big-endian integers and strings from a block of bytes that it does not own, and never past
// its end.  Everything returned is a copy of a number or a view into the block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/errors.hpp"

namespace holdfast::relay {

/// Each read advances; a read that would pass the end throws ProtocolError with the offset and
/// leaves the position where it was.
class ByteReader {
 public:
    /// `bytes` must outlive the reader and the views that it hands out.
    explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

    [[nodiscard]] std::size_t offset() const noexcept { return offset_; }
    [[nodiscard]] std::size_t remaining() const noexcept { return bytes_.size() - offset_; }

    std::uint8_t u8() { return static_cast<std::uint8_t>(take_integer<1>()); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(take_integer<2>()); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(take_integer<4>()); }
    std::uint64_t u64() { return take_integer<8>(); }
    std::int64_t i64() { return static_cast<std::int64_t>(take_integer<8>()); }

    /// The next `length` bytes.
    std::string_view bytes(std::size_t length) {
        require(length);
        const std::string_view view = bytes_.substr(offset_, length);
        offset_ += length;
        return view;
    }

    /// A string that ends with a zero byte, without that byte.
    std::string_view c_string() {
        const std::size_t end = bytes_.find('\0', offset_);
        if (end == std::string_view::npos) {
            fail("unterminated string", remaining() + 1);
        }
        const std::string_view view = bytes_.substr(offset_, end - offset_);
        offset_ = end + 1;
        return view;
    }

 private:
    template <std::size_t Size>
    std::uint64_t take_integer() {
        require(Size);
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < Size; ++i) {
            value = (value << 8U) | static_cast<std::uint8_t>(bytes_[offset_ + i]);
        }
        offset_ += Size;
        return value;
    }

    void require(std::size_t length) const {
        if (length > remaining()) {
            fail("truncated message", length);
        }
    }

    [[noreturn, gnu::cold]] void fail(const char* what, std::size_t needed) const {
        throw ProtocolError(std::string(what) + ": " + std::to_string(needed) +
                            " bytes needed at offset " + std::to_string(offset_) + " of " +
                            std::to_string(bytes_.size()));
    }

    std::string_view bytes_;
    std::size_t offset_ = 0;
};

}  // namespace holdfast::relay
