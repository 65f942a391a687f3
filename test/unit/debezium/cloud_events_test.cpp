#include "debezium/cloud_events.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::relay::debezium {
namespace {

/// The headers after the attributes of an event were added to `headers`, as text.
std::string appended(const CloudEventHeaders::Attributes& event, std::vector<Header> headers = {}) {
    CloudEventHeaders cloud_events("/shop");
    cloud_events.append(event, headers);
    std::string text;
    for (const Header& header : headers) {
        text += (text.empty() ? "" : " ") + std::string(header.name) + "=" +
                std::string(header.value.value_or("null"));
    }
    return text;
}

CloudEventHeaders::Attributes event() {
    return {.id = "i",
            .type = "OrderCreated",
            .subject = "42",
            .time_us = 1'795'233'906'789'012,
            .data_is_json = true};
}

TEST(CloudEvents, HaveTheAttributesOfTheKafkaBinding) {
    EXPECT_EQ(appended(event()),
              "ce_specversion=1.0 ce_id=i ce_source=/shop ce_type=OrderCreated ce_subject=42 "
              "ce_time=2026-11-21T04:05:06.789012Z content-type=application/json");
}

TEST(CloudEvents, LeaveOutWhatAnEventDoesNotHave) {
    auto one = event();
    one.subject = std::nullopt;
    one.data_is_json = false;
    const std::string without =
        "ce_specversion=1.0 ce_id=i ce_source=/shop ce_type=OrderCreated "
        "ce_time=2026-11-21T04:05:06.789012Z";
    EXPECT_EQ(appended(one), without);
    one.subject = "";
    EXPECT_EQ(appended(one), without);
}

TEST(CloudEvents, AnEventWithoutATypeIsNone) {
    auto one = event();
    one.type = "";
    EXPECT_EQ(appended(one, {{"id", "i"}}), "id=i");
    one.type = std::nullopt;
    EXPECT_EQ(appended(one, {{"id", "i"}}), "id=i");
}

TEST(CloudEvents, AHeaderOfTheEventStaysTheOnlyOneOfItsName) {
    EXPECT_EQ(appended(event(), {{"content-type", "application/json; charset=utf-8"},
                                 {"ce_source", "/elsewhere"},
                                 {"ce_tenant", "north"}}),
              "content-type=application/json; charset=utf-8 ce_source=/elsewhere ce_tenant=north "
              "ce_specversion=1.0 ce_id=i ce_type=OrderCreated ce_subject=42 "
              "ce_time=2026-11-21T04:05:06.789012Z");
}

TEST(CloudEvents, ASourceIsAUriReference) {
    for (const char* good : {"/shop", "https://shop.example/orders?a=b#c", "urn:uuid:6e8bc430-9c3a",
                             "shop", "mailto:a@b", "/caf%C3%A9"}) {
        EXPECT_TRUE(is_uri_reference(good)) << good;
    }
    for (const char* wrong : {"", "a shop", "/caf\xc3\xa9", "<shop>", "a\nb", "{shop}"}) {
        EXPECT_FALSE(is_uri_reference(wrong)) << wrong;
    }
}

}  // namespace
}  // namespace holdfast::relay::debezium
