#include "commands/connector_file.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/errors.hpp"

namespace holdfast::relay::commands {
namespace {

ConnectProperties read(std::string_view text) {
    return read_connect_properties(text, "file");
}

std::string failure(std::string_view text) {
    try {
        static_cast<void>(read(text));
        return "";
    } catch (const FatalError& error) {
        EXPECT_EQ(error.code(), ExitCode::kConfig);
        return error.what();
    }
}

TEST(ConnectorFile, ReadsConnectsJsonWithAndWithoutAName) {
    const ConnectProperties expected{{"a", "1"}, {"name", "shop"}};
    EXPECT_EQ(read(R"({"name":"shop","config":{"a":"1"}})"), expected);
    EXPECT_EQ(read(R"( {"a":"1","name":"shop"} )"), expected);
    EXPECT_EQ(read(R"({"name":"x","config":{"a":"1","name":"shop"},"tasks":[{"task":0}]})"),
              expected);
}

TEST(ConnectorFile, JsonValuesBecomeText) {
    EXPECT_EQ(read(R"({"a":1,"b":true,"c":false,"d":null,"e":1.50,"f":12345678901234567890})"),
              (ConnectProperties{{"a", "1"},
                                 {"b", "true"},
                                 {"c", "false"},
                                 {"e", "1.50"},
                                 {"f", "12345678901234567890"}}));
}

TEST(ConnectorFile, RefusesJsonThatIsNoConfiguration) {
    EXPECT_NE(failure(R"({"a":{}})").find("\"a\" is no string"), std::string::npos);
    EXPECT_NE(failure(R"({"a":"1","a":"2"})").find("\"a\" appears twice"), std::string::npos);
    EXPECT_NE(failure("{\"a\": \"secret\",\n\"b\":\n").find("file:3: no JSON: "),
              std::string::npos);
    EXPECT_EQ(failure("{\"a\": \"secret\",\n}").find("secret"), std::string::npos);
    EXPECT_NE(failure(R"([{"a":"1"}])").find("is a JSON array"), std::string::npos);
    EXPECT_NE(failure(R"({"error_code":404,"message":"Connector shop not found"})")
                  .find("error: Connector shop not found"),
              std::string::npos);
    EXPECT_NE(failure("").find("is empty"), std::string::npos);
    EXPECT_NE(failure(" \n").find("is empty"), std::string::npos);
}

TEST(ConnectorFile, RefusesWhatOnlyLooksLikeProperties) {
    EXPECT_NE(failure("apiVersion: kafka.strimzi.io/v1\nkind: KafkaConnector\n"
                      "spec:\n  config:\n    topic.prefix: app\n")
                  .find("is YAML"),
              std::string::npos);
    EXPECT_THROW(static_cast<void>(read_connect_properties("a: \"1\"\n", "shop.yaml")), FatalError);
    EXPECT_NE(failure("debezium.source.connector.class=x\n").find("Debezium Server"),
              std::string::npos);
}

TEST(ConnectorFile, AByteOrderMarkIsNoPartOfTheText) {
    EXPECT_EQ(read("\xEF\xBB\xBF{\"a\":\"1\"}"), (ConnectProperties{{"a", "1"}}));
    EXPECT_EQ(read("\xEF\xBB\xBF"
                   "a=1"),
              (ConnectProperties{{"a", "1"}}));
}

TEST(ConnectorFile, ReadsPropertiesAsJavaDoes) {
    EXPECT_EQ(read("# comment\n! another\n\n  a = 1 \nb:2\nc 3\nd=\ne\nf==x\n g\t=\t y\\\n"
                   "    z\r\nh\\:\\=\\ i=k\\tl\\\\\n"),
              (ConnectProperties{{"a", "1 "},
                                 {"b", "2"},
                                 {"c", "3"},
                                 {"d", ""},
                                 {"e", ""},
                                 {"f", "=x"},
                                 {"g", "yz"},
                                 {"h:= i", "k\tl\\"}}));
}

TEST(ConnectorFile, ACommentDoesNotContinueAndTheLastValueWins) {
    EXPECT_EQ(read("#a\\\nb=1\nb=2\n"), (ConnectProperties{{"b", "2"}}));
    EXPECT_EQ(read("a=1\\"), (ConnectProperties{{"a", "1"}}));
    EXPECT_EQ(read("a=1\\\\\nb=2"), (ConnectProperties{{"a", "1\\"}, {"b", "2"}}));
}

TEST(ConnectorFile, PropertiesAreLatin1AndUnicodeEscapes) {
    EXPECT_EQ(
        read("a=\xE4\nb=\\u00e4\\u20AC\\uD83D\\uDE00\\q"),
        (ConnectProperties{{"a", "\xC3\xA4"}, {"b", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80q"}}));
    EXPECT_NE(failure("\n\na=\\u12").find("file:3: \\u without"), std::string::npos);
    EXPECT_NE(failure("a=\\uD83D").find("surrogate"), std::string::npos);
    EXPECT_NE(failure("a=\\uDE00").find("surrogate"), std::string::npos);
    EXPECT_NE(failure("a=\\uD83Dx").find("surrogate"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::relay::commands
