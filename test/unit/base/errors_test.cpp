#include "base/errors.hpp"

#include <gtest/gtest.h>

namespace holdfast::relay {
namespace {

TEST(Errors, FatalCarriesCodeAndHint) {
    const FatalError error(ExitCode::kSlotMissing, "slot is gone", "Create it.");
    EXPECT_EQ(error.code(), ExitCode::kSlotMissing);
    EXPECT_STREQ(error.what(), "slot is gone");
    EXPECT_EQ(error.hint(), "Create it.");
    EXPECT_EQ(exit_code_name(error.code()), "slot_missing");
}

TEST(Errors, NumbersAreAContract) {
    EXPECT_EQ(static_cast<int>(ExitCode::kSlotMissing), 10);
    EXPECT_EQ(static_cast<int>(ExitCode::kOutboxShapeChanged), 15);
    EXPECT_EQ(static_cast<int>(ExitCode::kTopicMissing), 19);
    EXPECT_EQ(static_cast<int>(ExitCode::kConfig), 78);
    EXPECT_EQ(exit_code_name(static_cast<ExitCode>(1)), "unknown");
}

}  // namespace
}  // namespace holdfast::relay
