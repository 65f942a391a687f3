// The two doors between C++ and the server; there is no third.
//
//   SQL --> extern "C" shim --run_core--> C++ --call_backend<F>--> function of the server
//           plain data only   (in)        owns objects    (out)    may longjmp
//
// An error of the server leaves by longjmp, which skips destructors; a C++ exception that reaches C
// ends the process, and with it every session of the cluster.  So each is turned into the other at
// its door, with nothing lost: a server error keeps its whole ErrorData on the way through.
#pragma once

#include <csetjmp>
#include <type_traits>

#include "backend/postgres.hpp"
#include "core/live_object.hpp"

namespace holdfast::backend {

// An error that the server raised below call_backend.  Owns nothing that a destructor must free:
// the ErrorData lives in the memory context that was current when the call was made, and that
// outlives the C++ frames above.  Null data: the error could not even be copied (out of memory).
class BackendError : private core::LiveObject {
 public:
    explicit BackendError(ErrorData* data) noexcept : data_(data) {}
    ErrorData* data() const noexcept { return data_; }

 private:
    ErrorData* data_;
};

// What run_core remembers of a failure while the exception is being destroyed: plain data of a
// fixed size, so that keeping it cannot fail.
struct Failure {
    ErrorData* backend_error;
    bool is_backend_error;
    char sqlstate[6];
    char message[1024];
    char detail[1024];
    char hint[512];
};

// Copies the exception that is being handled; call it only inside a catch block.
void record_current_exception(Failure& failure) noexcept;

// Raises the failure as an error of the server.  Jumps; no owner may be alive in the caller.
[[noreturn]] void raise(const Failure& failure);

// Copies the server's current error into `context`, clears the error stack and throws BackendError.
[[noreturn]] void throw_backend_error(MemoryContext context);

// The door in: runs `body` and turns whatever it throws into an error of the server.  The caller
// and the closure hold plain data only, since `raise` jumps over both.
template <typename Body>
auto run_core(Body body) -> std::invoke_result_t<Body> {
    static_assert(std::is_trivially_copyable_v<Body>, "the shim may hold plain data only");
    static_assert(std::is_trivially_copyable_v<std::invoke_result_t<Body>>);
    Failure failure;
    try {
        return body();
    } catch (...) {
        record_current_exception(failure);
    }
    // The exception object is gone by now; jumping out of the handler would leak it.
    raise(failure);
}

// The door out: calls F(args...) and throws BackendError when it raises.  F is a function and not a
// closure, so that nothing that owns can stand between sigsetjmp and the raise.  The signal mask is
// not saved (5 ns instead of 130 ns): the server's own handlers unblock signals themselves.
template <auto F, typename... Args>
auto call_backend(Args... args) -> std::invoke_result_t<decltype(F), Args...> {
    static_assert((std::is_trivially_copyable_v<Args> && ...), "plain data only");
    using Result = std::invoke_result_t<decltype(F), Args...>;
    sigjmp_buf* const outer_stack = PG_exception_stack;
    ErrorContextCallback* const outer_context_stack = error_context_stack;
    const MemoryContext outer_memory = CurrentMemoryContext;
    sigjmp_buf here;
    if (sigsetjmp(here, 0) == 0) {
        PG_exception_stack = &here;
        if constexpr (std::is_void_v<Result>) {
            F(args...);
            PG_exception_stack = outer_stack;
            error_context_stack = outer_context_stack;
            return;
        } else {
            static_assert(std::is_trivially_copyable_v<Result>);
            const Result result = F(args...);
            PG_exception_stack = outer_stack;
            error_context_stack = outer_context_stack;
            return result;
        }
    }
    PG_exception_stack = outer_stack;
    error_context_stack = outer_context_stack;
    throw_backend_error(outer_memory);
}

}  // namespace holdfast::backend
