#include "backend/guard.hpp"

#include <cstring>
#include <exception>
#include <new>
#include <string_view>

#include "backend/raw.h"
#include "core/error.hpp"

namespace holdfast::backend {
namespace {

// Truncates at a character's boundary: half a UTF-8 sequence would make the server refuse the text.
template <std::size_t size>
void copy_text(char (&target)[size], std::string_view text) noexcept {
    std::size_t length = text.size();
    if (length >= size) {
        length = size - 1;
        while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) {
            --length;
        }
    }
    std::memcpy(target, text.data(), length);
    target[length] = '\0';
}

void record(Failure& failure, const char* sqlstate, std::string_view message) noexcept {
    copy_text(failure.sqlstate, sqlstate);
    copy_text(failure.message, message);
}

}  // namespace

void record_current_exception(Failure& failure) noexcept {
    failure.backend_error = nullptr;
    failure.is_backend_error = false;
    failure.detail[0] = '\0';
    failure.hint[0] = '\0';
    try {
        throw;
    } catch (const BackendError& error) {
        failure.is_backend_error = true;
        failure.backend_error = error.data();
    } catch (const core::Error& error) {
        record(failure, error.sqlstate(), error.what());
        copy_text(failure.detail, error.detail());
        copy_text(failure.hint, error.hint());
    } catch (const std::bad_alloc&) {
        record(failure, "53200", "out of memory");
    } catch (const std::exception& error) {
        record(failure, "XX000", error.what());
    } catch (...) {
        record(failure, "XX000", "unknown C++ exception in holdfast");
    }
}

void raise(const Failure& failure) {
    if (failure.is_backend_error) {
        if (failure.backend_error != nullptr) {
            ReThrowError(failure.backend_error);
        }
        raw_raise("53200", "out of memory", "", "");
    }
    raw_raise(failure.sqlstate, failure.message, failure.detail, failure.hint);
}

void throw_backend_error(MemoryContext context) {
    // Copying allocates, so it can raise as well; that second error must not jump over our caller.
    sigjmp_buf* const outer_stack = PG_exception_stack;
    ErrorContextCallback* const outer_context_stack = error_context_stack;
    ErrorData* volatile data = nullptr;
    sigjmp_buf here;
    if (sigsetjmp(here, 0) == 0) {
        PG_exception_stack = &here;
        // CurrentMemoryContext is ErrorContext here, which FlushErrorState is about to reset.
        MemoryContextSwitchTo(context);
        data = CopyErrorData();
    }
    PG_exception_stack = outer_stack;
    error_context_stack = outer_context_stack;
    MemoryContextSwitchTo(context);
    FlushErrorState();
    throw BackendError(data);
}

}  // namespace holdfast::backend
