#include "config/redact.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/nearest.hpp"

namespace holdfast::relay::config {
namespace {

TEST(Redact, HidesPasswordsOfAllForms) {
    for (const std::string dsn :
         {"host=h password=canary user=u", "password=canary", "password = 'canary \\' more' user=u",
          "host=h sslpassword=canary", "postgresql://u:canary@h:5432/d", "postgres://u:canary@h",
          "postgresql://h/d?user=u&password=canary&sslmode=require",
          "postgresql://h/d?sslpassword=canary", "postgresql://u:can/ary@h/d?password=canary",
          "password=canary\\ canary"}) {
        const std::string shown = redact_dsn(dsn);
        EXPECT_EQ(shown.find("can"), std::string::npos) << shown;
        EXPECT_NE(shown.find("***"), std::string::npos) << shown;
        EXPECT_TRUE(dsn_has_password(dsn)) << dsn;
    }
}

TEST(Redact, LeavesTheRestAlone) {
    for (const std::string dsn :
         {"host=/run/postgresql dbname=shop user=u", "postgresql://u@h:5432/d?sslmode=require", "",
          "passfile=/x/pgpass", "application_name='password'", "postgresql://h:5432/d"}) {
        EXPECT_EQ(redact_dsn(dsn), dsn);
        EXPECT_FALSE(dsn_has_password(dsn)) << dsn;
    }
    EXPECT_EQ(redact_dsn("host=h password='a b' user=u"), "host=h password=*** user=u");
    EXPECT_EQ(redact_dsn("postgresql://u:p@h/d?password=q&x=y"),
              "postgresql://u:***@h/d?password=***&x=y");
}

TEST(Redact, KnowsWhichKafkaPropertiesAreSecret) {
    for (const char* name :
         {"sasl.password", "ssl.key.password", "ssl.keystore.password", "ssl.key.pem",
          "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config"}) {
        EXPECT_TRUE(is_secret_kafka_property(name)) << name;
    }
    for (const char* name : {"bootstrap.servers", "sasl.username", "ssl.ca.location"}) {
        EXPECT_FALSE(is_secret_kafka_property(name)) << name;
    }
}

TEST(Nearest, CountsEdits) {
    EXPECT_EQ(edit_distance("", "abc"), 3U);
    EXPECT_EQ(edit_distance("slot", "slot"), 0U);
    EXPECT_EQ(edit_distance("slott", "slot"), 1U);
    EXPECT_EQ(edit_distance("solt", "slot"), 1U);
    EXPECT_EQ(edit_distance("dns", "dsn"), 1U);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Nearest, SuggestsOnlyWhatIsNear) {
    const std::vector<std::string> names{"slot", "publication", "dsn"};
    EXPECT_EQ(nearest("publicatoin", names), "publication");
    EXPECT_EQ(nearest("dns", names), "dsn");
    EXPECT_EQ(nearest("completely-else", names), std::nullopt);
}

}  // namespace
}  // namespace holdfast::relay::config
