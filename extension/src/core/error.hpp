// The error that the core throws: what a SQL client is to see.  It becomes an ereport in
// backend/guard.cpp; the core itself never logs and never calls the server.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "core/live_object.hpp"

namespace holdfast::core {

// SQLSTATEs of class HF that C++ raises; the whole list is in docs/operations.md.
namespace sqlstate {
inline constexpr const char* kInvalidRequest = "HF001";
inline constexpr const char* kUnknownProduct = "HF002";
inline constexpr const char* kBadQuantity = "HF003";
inline constexpr const char* kOverflow = "HF004";
inline constexpr const char* kNullArgument = "HF005";
inline constexpr const char* kKeyReused = "HF006";
inline constexpr const char* kInvalidOption = "HF009";
inline constexpr const char* kCurrencyMismatch = "HF010";
inline constexpr const char* kStockChanged = "HF022";
inline constexpr const char* kNotAdmitted = "HF030";
inline constexpr const char* kSeveralRooms = "HF033";
inline constexpr const char* kBadPriceAnswer = "HF035";
inline constexpr const char* kNotSupported = "0A000";
inline constexpr const char* kSerializationFailure = "40001";
}  // namespace sqlstate

// Primary message: lowercase, no full stop.  Detail and hint: sentences, empty when there is none.
class Error : public std::runtime_error, private LiveObject {
 public:
    Error(std::string sqlstate, const std::string& message, std::string detail = {},
          std::string hint = {})
        : std::runtime_error(message),
          sqlstate_(std::move(sqlstate)),
          detail_(std::move(detail)),
          hint_(std::move(hint)) {}

    // Five characters.
    const char* sqlstate() const noexcept { return sqlstate_.c_str(); }
    const std::string& detail() const noexcept { return detail_; }
    const std::string& hint() const noexcept { return hint_; }

 private:
    std::string sqlstate_;
    std::string detail_;
    std::string hint_;
};

}  // namespace holdfast::core
