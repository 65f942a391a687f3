#include "pgoutput/relation_cache.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/errors.hpp"
#include "pgoutput/decoder.hpp"
#include "support/pgoutput_frames.hpp"

namespace holdfast::relay::pgoutput {
namespace {

TEST(RelationCache, OwnsWhatTheFrameOnlyLent) {
    RelationCache cache;
    {
        Decoder decoder;
        const std::string frame = test::relation_frame(7, "shop", "outbox", {{"id", 2950, true}});
        cache.put(std::get<Relation>(decoder.decode(frame)));
    }
    const CachedRelation& relation = cache.get(RelationId{7});
    EXPECT_EQ(relation.qualified_name(), "shop.outbox");
    EXPECT_EQ(relation.replica_identity(), 'd');
    ASSERT_EQ(relation.columns().size(), 1U);
    EXPECT_EQ(relation.columns()[0].name, "id");
    EXPECT_TRUE(relation.columns()[0].part_of_key);
    EXPECT_EQ(relation.find_column("id"), 0U);
    EXPECT_EQ(relation.find_column("ID"), std::nullopt);
}

TEST(RelationCache, ANewDefinitionReplacesTheOld) {
    RelationCache cache;
    Decoder decoder;
    cache.put(std::get<Relation>(decoder.decode(test::relation_frame(7, "s", "t", {{"a"}}))));
    cache.put(
        std::get<Relation>(decoder.decode(test::relation_frame(7, "s", "t", {{"b"}, {"a"}}))));
    EXPECT_EQ(cache.get(RelationId{7}).find_column("a"), 1U);
}

TEST(RelationCache, FindsWhatIsThereAndNothingElse) {
    RelationCache cache;
    Decoder decoder;
    const CachedRelation& put =
        cache.put(std::get<Relation>(decoder.decode(test::relation_frame(7, "s", "t", {{"a"}}))));
    EXPECT_EQ(cache.find(RelationId{7}), &put);
    EXPECT_EQ(cache.find(RelationId{8}), nullptr);
}

TEST(RelationCache, AnUndescribedRelationIsAnError) {
    RelationCache cache;
    EXPECT_THROW((void)cache.get(RelationId{7}), ProtocolError);
    Decoder decoder;
    cache.put(std::get<Relation>(decoder.decode(test::relation_frame(7, "", "t", {}))));
    EXPECT_EQ(cache.get(RelationId{7}).schema(), "pg_catalog");
    cache.clear();
    EXPECT_THROW((void)cache.get(RelationId{7}), ProtocolError);
}

}  // namespace
}  // namespace holdfast::relay::pgoutput
