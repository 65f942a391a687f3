#include "debezium/name_adjuster.hpp"

#include <gtest/gtest.h>

namespace holdfast::relay::debezium {
namespace {

TEST(NameAdjuster, LeavesNamesAloneByDefault) {
    EXPECT_EQ(adjust_schema_name("a-b.1 c", NameAdjustment::kNone), "a-b.1 c");
    EXPECT_EQ(adjust_field_name("a-b.1 c", NameAdjustment::kNone), "a-b.1 c");
}

TEST(NameAdjuster, AvroReplacesByUnderscoresAndKeepsALeadingDigitBehindOne) {
    EXPECT_EQ(adjust_schema_name("my-app.pub lic.t.Key", NameAdjustment::kAvro),
              "my_app.pub_lic.t.Key");
    EXPECT_EQ(adjust_schema_name("1a", NameAdjustment::kAvro), "_1a");
    EXPECT_EQ(adjust_schema_name(".a", NameAdjustment::kAvro), "_a");
    EXPECT_EQ(adjust_field_name("a.b", NameAdjustment::kAvro), "a_b");
    EXPECT_EQ(adjust_field_name("caf\u00E9\U0001F600", NameAdjustment::kAvro), "caf___");
    EXPECT_EQ(adjust_field_name("", NameAdjustment::kAvro), "");
}

TEST(NameAdjuster, AvroUnicodeWritesTheCodeOfEachUnit) {
    EXPECT_EQ(adjust_schema_name("my-app_1.t", NameAdjustment::kAvroUnicode),
              "my_u002dapp_u005f1.t");
    EXPECT_EQ(adjust_field_name("a.b\t\u20AC\u0142", NameAdjustment::kAvroUnicode),
              "a_u002eb_u009_u20ac_u142");
    EXPECT_EQ(adjust_field_name("1a", NameAdjustment::kAvroUnicode), "_u0031a");
}

}  // namespace
}  // namespace holdfast::relay::debezium
