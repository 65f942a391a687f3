#include "postgres/output_plugin.hpp"

namespace holdfast::relay::postgres {
namespace {

constexpr std::string_view kInsufficientPrivilege = "42501";

}  // namespace

bool is_readable_plugin(std::string_view plugin) {
    return plugin == kPgoutput || plugin == kHoldfastPlugin;
}

void make_with_plugin(Session& session, const std::string& wanted,
                      const std::function<void(const std::string& plugin)>& make,
                      const std::function<void(const SqlError& error)>& refused) {
    if (wanted != "auto") {
        make(wanted);
        return;
    }
    if (session.exec("SELECT FROM pg_catalog.pg_extension WHERE extname = 'holdfast'").empty()) {
        make(std::string(kPgoutput));
        return;
    }
    try {
        make(std::string(kHoldfastPlugin));
    } catch (const SqlError& error) {
        // A role that may make no slot at all is refused with pgoutput as well.
        if (error.sqlstate() != kInsufficientPrivilege) {
            throw;
        }
        refused(error);
        make(std::string(kPgoutput));
    }
}

}  // namespace holdfast::relay::postgres
