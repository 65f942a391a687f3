#include "inbox/message_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::relay::inbox {
namespace {

using namespace std::string_literals;

TEST(DatabaseText, TakesWellFormedUtf8) {
    for (const std::string& text :
         {""s, "plain text of more than eight bytes"s, "\xC3\xA9"s, "\xE2\x82\xAC 12345678"s,
          "\xED\x9F\xBF"s, "\xEE\x80\x80"s, "\xF0\x9F\x98\x80"s, "\xF4\x8F\xBF\xBF"s}) {
        EXPECT_TRUE(is_database_text(text)) << text;
    }
}

TEST(DatabaseText, RefusesWhatPostgresqlRefuses) {
    for (const std::string& text :
         {"\0"s, "12345678\0"s, "1234567\0 12345678"s, "\x80"s, "\xC0\x80"s, "\xC1\xBF"s, "\xC3"s,
          "\xE0\x9F\xBF"s, "\xED\xA0\x80"s, "\xE2\x82"s, "\xF0\x8F\xBF\xBF"s, "\xF4\x90\x80\x80"s,
          "\xF5\x80\x80\x80"s, "\xFF"s, "abc\xE2\x82"s}) {
        EXPECT_FALSE(is_database_text(text));
    }
}

TEST(Base64, KnowsTheVectorsOfRfc4648) {
    EXPECT_EQ(to_base64(""), "");
    EXPECT_EQ(to_base64("f"), "Zg==");
    EXPECT_EQ(to_base64("fo"), "Zm8=");
    EXPECT_EQ(to_base64("foo"), "Zm9v");
    EXPECT_EQ(to_base64("foob"), "Zm9vYg==");
    EXPECT_EQ(to_base64("fooba"), "Zm9vYmE=");
    EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(to_base64("\xFF\xFE\x00"s), "//4A");
}

TEST(MessageText, Base64ComesBack) {
    for (const std::string& bytes : {""s, "f"s, "fo"s, "foo"s, "foob"s, "\xFF\xFE\x00"s}) {
        EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    }
    for (const char* wrong : {"Z", "Zg=", "Zg", "Z===", "Zm9v!m8=", "Zg==Zg==", "=Zg="}) {
        EXPECT_EQ(from_base64(wrong), std::nullopt) << wrong;
    }
}

TEST(HeadersJson, EscapesNamesAndValues) {
    Message message;
    message.headers = {{"id", "a\"b\\c\n\x01"}, {"none", std::nullopt}, {"bin", "\xFF"s}};
    std::string json;
    append_headers_json(message, json);
    EXPECT_EQ(json, R"({"id":"a\"b\\c\u000a\u0001","none":null,"bin;base64":"/w=="})");
}

TEST(HeadersJson, IsAnEmptyObjectWithoutHeaders) {
    std::string json;
    append_headers_json({}, json);
    EXPECT_EQ(json, "{}");
}

TEST(MessageText, PassesTextWithoutCopying) {
    const Message message{.offset = 5, .key = "k", .value = "v", .headers = {}, .timestamp_ms = 0};
    MessageText text;
    const PreparedMessage prepared = text.prepare(message);
    EXPECT_EQ(prepared.offset, 5);
    EXPECT_EQ(prepared.encoding, "utf8");
    EXPECT_EQ(prepared.value->data(), message.value->data());
}

TEST(MessageText, KeepsNullApartFromEmpty) {
    const Message message{
        .offset = 0, .key = std::nullopt, .value = std::nullopt, .headers = {}, .timestamp_ms = 0};
    MessageText text;
    EXPECT_FALSE(text.prepare(message).key.has_value());
    EXPECT_FALSE(text.prepare(message).value.has_value());
}

TEST(MessageText, SendsBytesAsBase64AndSaysSo) {
    const Message message{
        .offset = 0, .key = "key", .value = "\xFF"s, .headers = {}, .timestamp_ms = 0};
    MessageText text;
    const PreparedMessage prepared = text.prepare(message);
    EXPECT_EQ(prepared.encoding, "base64");
    EXPECT_EQ(*prepared.value, "/w==");
    EXPECT_EQ(*prepared.key, "key");
}

TEST(MessageText, SendsAKeyOfBytesAsBase64Too) {
    const Message message{
        .offset = 0, .key = "\0"s, .value = "v", .headers = {}, .timestamp_ms = 0};
    MessageText text;
    const PreparedMessage prepared = text.prepare(message);
    EXPECT_EQ(prepared.encoding, "base64");
    EXPECT_EQ(*prepared.key, "AA==");
    EXPECT_EQ(*prepared.value, "dg==");
}

}  // namespace
}  // namespace holdfast::relay::inbox
