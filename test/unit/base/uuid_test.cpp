#include "base/uuid.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

namespace holdfast::relay {
namespace {

TEST(RandomUuid, HasVersionFourAndTheVariantOfTheRfc) {
    const std::regex form("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
    for (int i = 0; i < 100; ++i) {
        const std::string uuid = random_uuid();
        EXPECT_TRUE(std::regex_match(uuid, form)) << uuid;
    }
}

TEST(RandomUuid, IsAnotherOneEachTime) {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        seen.insert(random_uuid());
    }
    EXPECT_EQ(seen.size(), 1000U);
}

}  // namespace
}  // namespace holdfast::relay
