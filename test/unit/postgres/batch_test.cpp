#include "postgres/batch.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/errors.hpp"

namespace holdfast::relay::postgres {
namespace {

using namespace std::string_literals;

const std::string kBegin = "\0\0\0\5\0\0\0\0\0\0\0\x10"s + "begin";
const std::string kRelation = "\0\0\0\3\0\0\0\0\0\0\0\0"s + "rel";
const std::string kMark = "\0\0\0\0\0\0\0\1\0\0\0\2"s;

TEST(Batch, GivesItsFramesInOrder) {
    const std::string bytes = kBegin + kRelation;
    Batch batch;
    batch.open(bytes);
    const auto begin = batch.next();
    ASSERT_TRUE(begin);
    EXPECT_EQ(begin->lsn, Lsn{0x10});
    EXPECT_EQ(begin->message, "begin");
    EXPECT_EQ(begin->message.data(), bytes.data() + 12);
    const auto relation = batch.next();
    ASSERT_TRUE(relation);
    EXPECT_EQ(relation->lsn, Lsn{});
    EXPECT_EQ(relation->message, "rel");
    EXPECT_FALSE(batch.next());
    EXPECT_FALSE(batch.next());
}

TEST(Batch, BelievesNoKeepaliveBeyondTheLastMark) {
    Batch batch;
    EXPECT_EQ(batch.believable(Lsn{100}), Lsn{});
    batch.open(kBegin);
    batch.next();
    EXPECT_EQ(batch.believable(Lsn{100}), Lsn{});
    const std::string bytes = kBegin + kMark;
    batch.open(bytes);
    batch.next();
    EXPECT_EQ(batch.believable(Lsn{0x200000000}), Lsn{}) << "the mark has not been reached";
    EXPECT_TRUE(batch.next()->message.empty());
    EXPECT_EQ(batch.believable(Lsn{0x200000000}), Lsn{0x100000002});
    EXPECT_EQ(batch.believable(Lsn{7}), Lsn{7});
    batch.open(kBegin);
    batch.next();
    EXPECT_EQ(batch.believable(Lsn{0x200000000}), Lsn{0x100000002});
}

TEST(Batch, RefusesACutFrame) {
    const std::string bytes = kBegin + kMark;
    for (std::size_t size = 1; size < bytes.size(); ++size) {
        if (size == kBegin.size()) {
            continue;
        }
        const std::string cut = bytes.substr(0, size);
        Batch batch;
        batch.open(cut);
        EXPECT_THROW(while (batch.next()){}, ProtocolError) << size;
    }
}

}  // namespace
}  // namespace holdfast::relay::postgres
