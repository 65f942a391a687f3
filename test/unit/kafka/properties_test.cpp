#include "kafka/properties.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "base/errors.hpp"
#include "kafka/errors.hpp"

namespace holdfast::relay::kafka {
namespace {

std::string value_of(const ConfHandle& conf, const char* name) {
    std::array<char, 512> value{};
    std::size_t size = value.size();
    EXPECT_EQ(rd_kafka_conf_get(conf.get(), name, value.data(), &size), RD_KAFKA_CONF_OK) << name;
    return value.data();
}

TEST(KafkaProperties, ReportsEachThatLibrdkafkaDoesNotTake) {
    const auto problems = validate_properties({{"bootstrap.servers", "127.0.0.1:9092"},
                                               {"no.such.property", "1"},
                                               {"linger.ms", "soon"},
                                               {"security.protocol", "sasl_ssl"}});
    ASSERT_EQ(problems.size(), 2U);
    EXPECT_EQ(problems[0].name, "no.such.property");
    EXPECT_EQ(problems[1].name, "linger.ms");
}

TEST(KafkaProperties, NeverShowsTheValueOfARefusedProperty) {
    const auto problems = validate_properties(
        {{"ssl.key.pem.wrong", "canary-secret"}, {"security.protocol", "canary-secret"}});
    ASSERT_EQ(problems.size(), 2U);
    for (const PropertyProblem& problem : problems) {
        EXPECT_EQ(problem.message.find("canary-secret"), std::string::npos) << problem.message;
    }
}

TEST(KafkaProperties, UserWinsOverDefaultsButNotOverPromises) {
    const ConfHandle conf = make_conf(
        {{"linger.ms", "7"}, {"acks", "1"}, {"message.timeout.ms", "1000"}}, ClientKind::kProducer);
    EXPECT_EQ(value_of(conf, "linger.ms"), "7");
    EXPECT_EQ(value_of(conf, "acks"), "-1");
    EXPECT_EQ(value_of(conf, "message.timeout.ms"), "0");
    EXPECT_EQ(value_of(conf, "enable.idempotence"), "true");
    EXPECT_EQ(value_of(conf, "partitioner"), "murmur2_random");
}

TEST(KafkaProperties, LingeringIsTheUsersWhenTheyHaveSetItByEitherName) {
    EXPECT_TRUE(lingers_by_default({{"batch.size", "1000"}}));
    EXPECT_FALSE(lingers_by_default({{"linger.ms", "5"}}));
    EXPECT_FALSE(lingers_by_default({{"queue.buffering.max.ms", "5"}}));
}

TEST(KafkaProperties, ConsumerNeverJumpsNorCommitsByItself) {
    const ConfHandle conf = make_conf({{"auto.offset.reset", "earliest"}}, ClientKind::kConsumer);
    EXPECT_EQ(value_of(conf, "auto.offset.reset"), "error");
    EXPECT_EQ(value_of(conf, "enable.auto.commit"), "false");
    EXPECT_EQ(value_of(conf, "enable.auto.offset.store"), "false");
    EXPECT_EQ(value_of(conf, "isolation.level"), "read_committed");
    EXPECT_EQ(value_of(conf, "partition.assignment.strategy"), "range");
}

TEST(KafkaVersions, RefusesAndWarnsByTheTable) {
    EXPECT_EQ(judge_version(0x020000ff).verdict, LibraryVerdict::kRefuse);
    EXPECT_EQ(judge_version(0x020002ff).text, "2.0.2");
    EXPECT_EQ(judge_version(0x020400ff).verdict, LibraryVerdict::kRefuse);
    EXPECT_EQ(judge_version(0x020a00ff).verdict, LibraryVerdict::kRefuse);
    EXPECT_EQ(judge_version(0x020800ff).verdict, LibraryVerdict::kWarn);
    EXPECT_EQ(judge_version(0x020b00ff).verdict, LibraryVerdict::kWarn);
    EXPECT_EQ(judge_version(0x020e02ff).verdict, LibraryVerdict::kGood);
    EXPECT_EQ(judge_version(0x030000ff).verdict, LibraryVerdict::kGood);
}

TEST(KafkaErrors, SaysWhatTheCallerHasToDo) {
    EXPECT_EQ(classify(RD_KAFKA_RESP_ERR_NO_ERROR), ErrorClass::kNone);
    EXPECT_EQ(classify(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS), ErrorClass::kRetriable);
    EXPECT_EQ(classify(RD_KAFKA_RESP_ERR__TRANSPORT), ErrorClass::kRetriable);
    EXPECT_EQ(classify(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE), ErrorClass::kMessageTooLarge);
    EXPECT_EQ(classify(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART), ErrorClass::kTopicMissing);
    EXPECT_EQ(classify(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED), ErrorClass::kDenied);
    EXPECT_EQ(classify(RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET), ErrorClass::kOffsetGap);
    EXPECT_EQ(classify(RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID), ErrorClass::kFenced);
    EXPECT_EQ(classify(RD_KAFKA_RESP_ERR_INVALID_MSG), ErrorClass::kFatal);
}

TEST(KafkaErrors, ThrowsRetryableOrFatal) {
    EXPECT_THROW(throw_error(RD_KAFKA_RESP_ERR__TRANSPORT, "x"), RetryableError);
    try {
        throw_error(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "topic orders");
    } catch (const FatalError& error) {
        EXPECT_EQ(error.code(), ExitCode::kPermissionDenied);
        EXPECT_NE(std::string(error.what()).find("topic orders"), std::string::npos);
    }
}

}  // namespace
}  // namespace holdfast::relay::kafka
