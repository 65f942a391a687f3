#include "debezium/key_columns.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/errors.hpp"

namespace holdfast::relay::debezium {
namespace {

using Positions = std::vector<std::size_t>;
const std::vector<std::string>& columns() {
    static const std::vector<std::string> names{"a", "b", "c"};
    return names;
}

Positions find(std::string_view option, const std::vector<std::string>& default_key = {"b"}) {
    return KeyColumns(option).find("s", "t", columns(), default_key);
}

std::string problem(std::string_view option) {
    try {
        const KeyColumns keys(option);
        return "none";
    } catch (const JavaPatternError& error) {
        return error.what();
    }
}

TEST(KeyColumns, AreThoseOfTheConstraintInItsOrder) {
    EXPECT_EQ(find("", {"c", "a"}), (Positions{2, 0}));
    EXPECT_EQ(find("", {}), Positions{});
    EXPECT_EQ(find("", {"gone", "a"}), Positions{0});
}

TEST(KeyColumns, OptionTakesTheirPlaceInItsOrder) {
    EXPECT_EQ(find("s.t:c,a"), (Positions{2, 0}));
    EXPECT_EQ(find(" (.*).t : C , a ; x.y:z;"), (Positions{2, 0}));
    EXPECT_EQ(find("s.t:[ac]"), (Positions{0, 2}));
    EXPECT_EQ(find("s.other:c"), Positions{1});
}

TEST(KeyColumns, MissingColumnIsAHalt) {
    EXPECT_THROW((void)find("s.t:c,d"), FatalError);
}

TEST(KeyColumns, SaysWhatIsWrong) {
    EXPECT_EQ(problem("s.t"), "\"s.t\" is not of the form schema.table:column,column");
    EXPECT_EQ(problem(":a"), "\":a\" is not of the form schema.table:column,column");
    EXPECT_EQ(problem("s.t:a:b"), "\"s.t:a:b\" is not of the form schema.table:column,column");
    EXPECT_EQ(problem("s.t:a,,b"), "\"s.t:a,,b\" names an empty column");
    EXPECT_EQ(problem(""), "none");
}

}  // namespace
}  // namespace holdfast::relay::debezium
