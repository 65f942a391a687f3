// docs/log-events.md lists every event that the relay logs, and no other.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

namespace holdfast::relay::commands {
namespace {

std::string read(const std::filesystem::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void collect(const std::string& text, const std::regex& pattern, std::set<std::string>& found) {
    for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end;
         ++match) {
        found.insert((*match)[1]);
    }
}

TEST(LogEvents, AreAllDocumented) {
    const std::filesystem::path root = HOLDFAST_SOURCE_DIR;
    // log::info("name", log::write(level, "name", log_client_line(level, "name", fail(.., "name".
    const std::regex plain(R"re(log::(?:error|warn|info|debug)\(\s*"([a-z_]+)")re");
    const std::regex with_level(R"re((?:log::write|log_client_line)\(\s*[\w:]+,\s*"([a-z_]+)")re");
    const std::regex inbox_failure(R"re(fail\(member, assignment, "([a-z_]+)")re");
    std::set<std::string> logged;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "relay")) {
        if (entry.path().extension() == ".cpp") {
            const std::string text = read(entry.path());
            collect(text, plain, logged);
            collect(text, with_level, logged);
            collect(text, inbox_failure, logged);
        }
    }
    EXPECT_GT(logged.size(), 20U);

    std::set<std::string> documented;
    collect(read(root / "docs/log-events.md"), std::regex(R"re(\n\| `([a-z_]+)` \|)re"),
            documented);
    EXPECT_EQ(documented, logged);
}

}  // namespace
}  // namespace holdfast::relay::commands
