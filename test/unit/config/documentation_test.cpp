#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "config/keys.hpp"

namespace holdfast::relay::config {
namespace {

TEST(ConfigDocumentation, ListsTheKeysOfTheCode) {
    std::ifstream stream(std::string(HOLDFAST_SOURCE_DIR) + "/docs/configuration.md");
    const std::string page{std::istreambuf_iterator<char>(stream), {}};
    const std::size_t begin = page.find('\n', page.find("<!-- keys")) + 1;
    const std::size_t end = page.find("<!-- /keys", begin);
    ASSERT_NE(end, std::string::npos);
    EXPECT_EQ(page.substr(begin, end - begin), describe_keys())
        << "put the output of `holdfast-relay check --list-keys` between the markers";
}

}  // namespace
}  // namespace holdfast::relay::config
