#include "commands/toml_section.hpp"

#include <gtest/gtest.h>

#include <toml++/toml.h>
#include <string>

namespace holdfast::relay::commands {
namespace {

TEST(TomlSection, IsNothingAsLongAsNothingIsInIt) {
    EXPECT_EQ(TomlSection("[kafka]").text(), "");
}

TEST(TomlSection, QuotesKeysThatHaveMoreThanLetters) {
    TomlSection section("[kafka]");
    section.add("linger_ms", "5");
    section.add("bootstrap.servers", toml_string("a:1"));
    section.comment("why");
    EXPECT_EQ(section.text(), "\n[kafka]\nlinger_ms = 5\n\"bootstrap.servers\" = \"a:1\"\n# why\n");
}

TEST(TomlSection, AStringIsReadAsItWas) {
    const std::string text("quote \" back \\ line\nbreak\ttab \x01 \x7F \xC3\xBC");
    TomlSection section("[a]");
    section.add("text", toml_string(text));
    const toml::table read = toml::parse(section.text());
    EXPECT_EQ(read["a"]["text"].value<std::string>(), text);
}

}  // namespace
}  // namespace holdfast::relay::commands
