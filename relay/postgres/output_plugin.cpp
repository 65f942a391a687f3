#include "postgres/output_plugin.hpp"

#include "base/errors.hpp"

namespace holdfast::relay::postgres {
namespace {

constexpr std::string_view kInsufficientPrivilege = "42501";
constexpr std::string_view kUndefinedFile = "58P01";

bool has_extension(Session& session) {
    return !session.exec("SELECT FROM pg_catalog.pg_extension WHERE extname = 'holdfast'").empty();
}

}  // namespace

bool is_readable_plugin(std::string_view plugin) {
    return plugin == kPgoutput || plugin == kHoldfastPlugin;
}

void throw_if_not_loadable(const SqlError& error, const std::string& slot) {
    if (error.sqlstate() == kInsufficientPrivilege) {
        throw FatalError(
            ExitCode::kPermissionDenied, error.message(),
            "Let the relay's role use it, as superuser: SELECT holdfast.grant_relay(...) does. See "
            "\"output plugin\" in docs/operations.md.");
    }
    if (error.sqlstate() == kUndefinedFile) {
        throw FatalError(ExitCode::kConfig, error.message(),
                         "Slot " + slot +
                             " is read with the extension's output plugin, and the server does not "
                             "have the extension's library: install it there.");
    }
}

void make_with_plugin(Session& session, const std::string& slot, const std::string& wanted,
                      const std::function<void(const std::string& plugin)>& make,
                      const std::function<void(const SqlError& error)>& refused) {
    const bool choose = wanted == "auto";
    if (wanted != kHoldfastPlugin && !(choose && has_extension(session))) {
        make(std::string(kPgoutput));
        return;
    }
    try {
        make(std::string(kHoldfastPlugin));
    } catch (const SqlError& error) {
        // A role that may make no slot at all is refused with pgoutput as well.
        if (!choose || error.sqlstate() != kInsufficientPrivilege) {
            throw_if_not_loadable(error, slot);
            throw;
        }
        refused(error);
        make(std::string(kPgoutput));
    }
}

}  // namespace holdfast::relay::postgres
