// Runs a function when the scope is left, however it is left.
#pragma once

#include <type_traits>
#include <utility>

namespace holdfast::relay {

template <typename Function>
requires std::is_nothrow_invocable_v<Function&>
class [[nodiscard]] ScopeExit {
 public:
    explicit ScopeExit(Function function) : function_(std::move(function)) {}
    ~ScopeExit() {
        if (armed_) {
            function_();
        }
    }
    ScopeExit(const ScopeExit&) = delete;
    ScopeExit& operator=(const ScopeExit&) = delete;
    ScopeExit(ScopeExit&&) = delete;
    ScopeExit& operator=(ScopeExit&&) = delete;

    /// The function will not run.
    void release() noexcept { armed_ = false; }

 private:
    Function function_;
    bool armed_ = true;
};

}  // namespace holdfast::relay
