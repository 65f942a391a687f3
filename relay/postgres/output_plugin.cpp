#include "postgres/output_plugin.hpp"

namespace holdfast::relay::postgres {

bool is_readable_plugin(std::string_view plugin) {
    return plugin == kPgoutput || plugin == kHoldfastPlugin;
}

bool is_refused_plugin(std::string_view message) {
    return message.find("may not be used as an output plugin") != std::string_view::npos;
}

void make_slot(Session& session, const std::string& wanted,
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
        if (!is_refused_plugin(error.message())) {
            throw;
        }
        refused(error);
        make(std::string(kPgoutput));
    }
}

}  // namespace holdfast::relay::postgres
