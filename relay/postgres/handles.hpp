// Owners of libpq's C objects, one alias each.
#pragma once

#include <libpq-fe.h>

#include <memory>

namespace holdfast::relay::postgres {

struct ConnectionDeleter {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};
struct ResultDeleter {
    void operator()(PGresult* result) const noexcept { PQclear(result); }
};
struct LibpqMemoryDeleter {
    void operator()(void* memory) const noexcept { PQfreemem(memory); }
};
struct ConninfoDeleter {
    void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};

using ConnectionHandle = std::unique_ptr<PGconn, ConnectionDeleter>;
using ResultHandle = std::unique_ptr<PGresult, ResultDeleter>;
/// What libpq has allocated and wants back through PQfreemem(): COPY rows, escaped identifiers.
using LibpqString = std::unique_ptr<char, LibpqMemoryDeleter>;
using ConninfoHandle = std::unique_ptr<PQconninfoOption, ConninfoDeleter>;

}  // namespace holdfast::relay::postgres
