#include "postgres/inbox_calls.hpp"

#include <array>
#include <stdexcept>
#include <utility>

#include "base/errors.hpp"

namespace holdfast::relay::postgres {
namespace {

constexpr const char* kFencedSqlstate = "HF020";

/// The handler as a regprocedure takes it.
std::string signature(const std::string& call) {
    return call.find('(') == std::string::npos ? call + "(text,jsonb,jsonb)" : call;
}

}  // namespace

void InboxArguments::clear() {
    for (ArrayLiteral* array : {&offsets_, &keys_, &values_, &encodings_, &headers_}) {
        array->clear();
    }
}

void InboxArguments::append(std::int64_t offset, std::optional<std::string_view> key,
                            std::optional<std::string_view> value, std::string_view value_encoding,
                            std::optional<std::string_view> headers) {
    const auto put = [](ArrayLiteral& array, const std::optional<std::string_view>& text) {
        if (text) {
            array.append(*text);
        } else {
            array.append_null();
        }
    };
    offsets_.append(offset);
    put(keys_, key);
    put(values_, value);
    encodings_.append(value_encoding);
    put(headers_, headers);
}

InboxCalls::InboxCalls(ConnectOptions options, std::string owner)
    : options_(std::move(options)), owner_(std::move(owner)) {}

Session& InboxCalls::session() {
    if (!session_ || !session_->usable()) {
        session_.reset();
        session_.emplace(options_);
    }
    return *session_;
}

void InboxCalls::rethrow(const SqlError& error) {
    const std::string& sqlstate = error.sqlstate();
    if (sqlstate == kFencedSqlstate) {
        throw FencedError(error.what());
    }
    if (is_transient(sqlstate)) {
        throw RetryableError(error.what());
    }
    if (sqlstate == "42501") {
        throw FatalError(ExitCode::kPermissionDenied, error.what(),
                         "Run SELECT holdfast.grant_relay('role') as administrator, and grant "
                         "EXECUTE on handlers of your own.");
    }
    // Undefined function, table or schema, wrong types: relay, extension and handler do not fit.
    if (sqlstate.starts_with("42") || sqlstate.starts_with("3F")) {
        throw FatalError(ExitCode::kConfig, error.what(),
                         "Check `call` in [[inbox]], and that the extension is installed in this "
                         "database in the relay's version.");
    }
    throw error;
}

void InboxCalls::verify(const std::string& call) {
    const std::string name = signature(call);
    guarded([&](Session& session) {
        const Result found = session.exec(
            "SELECT p.oid::regprocedure, pg_catalog.has_function_privilege(p.oid, 'EXECUTE') "
            "FROM pg_catalog.pg_proc p WHERE p.oid = pg_catalog.to_regprocedure($1)",
            {name.c_str()});
        if (found.empty()) {
            throw FatalError(ExitCode::kConfig, "there is no function " + name,
                             "Handlers in [[inbox]] `call` have the arguments (key text, value "
                             "jsonb, headers jsonb).");
        }
        if (!found.boolean(0, 1)) {
            throw FatalError(ExitCode::kPermissionDenied, "the relay may not execute " + name,
                             "GRANT EXECUTE ON FUNCTION " + name + " TO the relay's role.");
        }
        return 0;
    });
}

InboxClaim InboxCalls::claim(const std::string& consumer, const std::string& topic,
                             std::int32_t partition, std::int64_t initial_offset) {
    const std::string number = std::to_string(partition);
    const std::string initial = std::to_string(initial_offset);
    const std::array<Parameter, 5> parameters{consumer.c_str(), topic.c_str(), number.c_str(),
                                              initial.c_str(), owner_.c_str()};
    return guarded([&](Session& session) {
        const Result row = session.exec_prepared(
            "inbox_claim",
            "SELECT next_offset, owner_epoch "
            "FROM holdfast.inbox_claim($1::text, $2::text, $3::int, $4::bigint, $5::text)",
            parameters);
        if (row.rows() != 1) {
            throw FatalError(ExitCode::kConfig, "inbox_claim returned no row");
        }
        return InboxClaim{row.int64(0, 0), row.int64(0, 1)};
    });
}

std::vector<InboxOutcome> InboxCalls::apply(const Position& position, InboxArguments& arguments) {
    const std::string handler = signature(position.call);
    const std::string partition = std::to_string(position.partition);
    const std::string epoch = std::to_string(position.owner_epoch);
    const std::string first = std::to_string(position.first_offset);
    const std::string next = std::to_string(position.next_offset);
    const std::array<Parameter, 12> parameters{position.consumer.c_str(),
                                               handler.c_str(),
                                               position.topic.c_str(),
                                               partition.c_str(),
                                               epoch.c_str(),
                                               first.c_str(),
                                               next.c_str(),
                                               arguments.offsets_.c_str(),
                                               arguments.keys_.c_str(),
                                               arguments.values_.c_str(),
                                               arguments.encodings_.c_str(),
                                               arguments.headers_.c_str()};
    return guarded([&](Session& session) {
        const Result rows = session.exec_prepared(
            "inbox_apply",
            "SELECT kafka_offset, outcome, sqlstate, message FROM holdfast.inbox_apply("
            "$1::text, ($2::text)::regprocedure, $3::text, $4::int, $5::bigint, $6::bigint, "
            "$7::bigint, $8::bigint[], $9::text[], $10::text[], $11::text[], $12::jsonb[])",
            parameters);
        std::vector<InboxOutcome> outcomes;
        outcomes.reserve(static_cast<std::size_t>(rows.rows()));
        for (int row = 0; row < rows.rows(); ++row) {
            outcomes.push_back({rows.int64(row, 0), std::string(rows.text(row, 1)),
                                std::string(rows.text(row, 2)), std::string(rows.text(row, 3))});
        }
        return outcomes;
    });
}

}  // namespace holdfast::relay::postgres
