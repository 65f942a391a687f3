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
    ASSERT_FALSE(page.empty());
    EXPECT_NE(page.find("\n" + describe_keys() + "\n<!-- /keys -->"), std::string::npos)
        << "put the output of `holdfast-relay check --list-keys` between the markers";
}

}  // namespace
}  // namespace holdfast::relay::config
