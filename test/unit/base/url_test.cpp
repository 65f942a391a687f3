#include "base/url.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/errors.hpp"

namespace holdfast::relay {
namespace {

TEST(Url, IsTakenApart) {
    const Url url = parse_url("https://hooks.example.com:8443/services/T0/B1?thread=2");
    EXPECT_EQ(url.scheme, "https");
    EXPECT_EQ(url.host, "hooks.example.com");
    EXPECT_EQ(url.port, 8443);
    EXPECT_EQ(url.target, "/services/T0/B1?thread=2");
}

TEST(Url, OriginShowsNeitherPathNorQuery) {
    EXPECT_EQ(parse_url("https://a.example/secret?token=1").origin(), "https://a.example");
    EXPECT_EQ(parse_url("http://a.example:8080/secret").origin(), "http://a.example:8080");
    EXPECT_EQ(parse_url("https://a.example:443/").origin(), "https://a.example");
    EXPECT_EQ(parse_url("http://[::1]:9/x").origin(), "http://[::1]:9");
}

TEST(Url, PathAndPortMayBeLeftOut) {
    EXPECT_EQ(parse_url("http://localhost").target, "/");
    EXPECT_EQ(parse_url("http://localhost").port, 80);
    EXPECT_EQ(parse_url("https://localhost?a=b").target, "/?a=b");
    EXPECT_EQ(parse_url("https://[fe80::1]").port, 443);
}

TEST(Url, FaultsAreNamedWithoutTheText) {
    for (const char* wrong :
         {"", "ftp://secret.example", "http://", "http:///secret", "http://secret:0/",
          "http://secret:65536/", "http://secret:1x/", "http://[::1/secret", "http://[::1]secret/",
          "http://user:secret@host/", "http://host/secret#part", "http://host/a secret",
          "http://host/\r\nsecret: 1", "http://se\"cret/", "http://h\xC3\xB6st/secret"}) {
        try {
            static_cast<void>(parse_url(wrong));
            FAIL() << wrong;
        } catch (const Error& error) {
            EXPECT_EQ(std::string(error.what()).find("cret/"), std::string::npos) << error.what();
            EXPECT_EQ(std::string(error.what()).find("secret."), std::string::npos) << error.what();
        }
    }
}

}  // namespace
}  // namespace holdfast::relay
