#include "pgoutput/decoder.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/errors.hpp"
#include "support/pgoutput_frames.hpp"
#include "support/render_message.hpp"

namespace holdfast::relay::pgoutput {
namespace {

using test::Bytes;
using test::render;

/// The decoded message as text, or the error.
std::string decode(std::string_view frame) {
    Decoder decoder;
    try {
        return render(decoder.decode(frame));
    } catch (const ProtocolError& error) {
        return std::string("error: ") + error.what();
    }
}

TEST(PgoutputDecoder, DecodesBeginAndCommit) {
    EXPECT_EQ(decode(test::begin_frame(0x16B374D848, 1'000'000, 42)),
              "begin final_lsn=16/B374D848 time=1000000 xid=42");
    EXPECT_EQ(decode(test::commit_frame(0x10, 0x40, -5)), "commit lsn=0/10 end=0/40 time=-5");
}

TEST(PgoutputDecoder, ConvertsPostgresTimeToUnixTime) {
    EXPECT_EQ(Timestamp{0}.unix_microseconds(), 946'684'800'000'000);
}

TEST(PgoutputDecoder, DecodesRelation) {
    EXPECT_EQ(decode(test::relation_frame(16'400, "holdfast", "outbox",
                                          {{"id", 2950, true}, {"payload", 114}})),
              "relation 16400 holdfast.outbox identity=d *id:2950:-1 payload:114:-1");
    EXPECT_EQ(decode(test::relation_frame(1, "", "t", {})), "relation 1 .t identity=d");
}

TEST(PgoutputDecoder, DecodesInsertWithEveryKindOfValue) {
    const std::string frame = Bytes()
                                  .tag('I')
                                  .u32(5)
                                  .tag('N')
                                  .u16(5)
                                  .tag('n')
                                  .tag('u')
                                  .tag('t')
                                  .u32(2)
                                  .raw("ab")
                                  .tag('b')
                                  .u32(1)
                                  .raw("\x01")
                                  .tag('t')
                                  .u32(0)
                                  .str();
    EXPECT_EQ(decode(frame), "insert 5 new(null, unchanged, 'ab', binary:1, '')");
}

TEST(PgoutputDecoder, DecodesUpdateInItsThreeForms) {
    EXPECT_EQ(decode(test::update_frame(5, {"a"})), "update 5 new('a')");
    Bytes with_key;
    with_key.tag('U').u32(5).tag('K');
    test::put_tuple(with_key, {"k", std::nullopt}).tag('N');
    EXPECT_EQ(decode(test::put_tuple(with_key, {"a", "b"}).str()),
              "update 5 key('k', null) new('a', 'b')");
    Bytes full;
    full.tag('U').u32(5).tag('O');
    test::put_tuple(full, {"x"}).tag('N');
    EXPECT_EQ(decode(test::put_tuple(full, {"y"}).str()), "update 5 full('x') new('y')");
}

TEST(PgoutputDecoder, DecodesDelete) {
    EXPECT_EQ(decode(test::delete_frame(5, {"k"})), "delete 5 key('k')");
}

TEST(PgoutputDecoder, DecodesTruncate) {
    EXPECT_EQ(decode(test::truncate_frame({5, 6}, 3)), "truncate 5 6 cascade restart_identity");
    EXPECT_EQ(decode(test::truncate_frame({})), "truncate");
}

TEST(PgoutputDecoder, DecodesLogicalMessage) {
    EXPECT_EQ(decode(test::message_frame(true, 0x20, "outbox", "{}")),
              "message transactional lsn=0/20 prefix=outbox content='{}'");
    EXPECT_EQ(decode(test::message_frame(false, 0x20, "", std::string("a\0b", 3))),
              std::string("message lsn=0/20 prefix= content='a\0b'", 38));
}

TEST(PgoutputDecoder, DecodesOriginAndType) {
    EXPECT_EQ(decode(Bytes().tag('O').u64(0x30).c_string("node_a").str()),
              "origin lsn=0/30 name=node_a");
    EXPECT_EQ(decode(Bytes().tag('Y').u32(16'500).c_string("public").c_string("mood").str()),
              "type 16500 public.mood");
}

TEST(PgoutputDecoder, NamesAnUnknownTagAndItsOffset) {
    EXPECT_EQ(decode("Z"), "error: unknown message 'Z' at offset 0");
    EXPECT_EQ(decode(std::string_view("\0", 1)), "error: unknown message 0x00 at offset 0");
    EXPECT_EQ(decode(Bytes().tag('I').u32(1).tag('X').u16(0).str()),
              "error: unknown row kind 'X' at offset 5");
    EXPECT_EQ(decode(Bytes().tag('I').u32(1).tag('N').u16(1).tag('z').str()),
              "error: unknown value kind 'z' at offset 8");
    EXPECT_EQ(decode(Bytes().tag('D').u32(1).tag('N').u16(0).str()),
              "error: unknown row kind 'N' at offset 5");
    EXPECT_EQ(decode(""), "error: truncated message: 1 bytes needed at offset 0 of 0");
}

TEST(PgoutputDecoder, RefusesCountsThatTheFrameCannotHold) {
    EXPECT_EQ(decode(Bytes().tag('I').u32(1).tag('N').u16(0xFFFF).tag('n').str()),
              "error: truncated message: 65535 values announced at offset 8, 1 bytes left");
    EXPECT_EQ(decode(Bytes().tag('T').u32(0xFFFFFFFF).u8(0).u32(1).str()),
              "error: truncated message: 4294967295 relations announced at offset 6, 4 bytes left");
    EXPECT_EQ(
        decode(Bytes().tag('R').u32(1).c_string("").c_string("t").tag('d').u16(60'000).u8(0).str()),
        "error: truncated message: 60000 columns announced at offset 11, 1 bytes left");
    EXPECT_EQ(decode(Bytes().tag('I').u32(1).tag('N').u16(1).tag('t').u32(0xFFFFFFFF).str()),
              "error: truncated message: 4294967295 bytes needed at offset 13 of 13");
}

TEST(PgoutputDecoder, RefusesBytesAfterTheEnd) {
    EXPECT_EQ(decode(test::begin_frame(1) + "x"),
              "error: message 'B' ends at offset 21, but the frame has 22 bytes");
}

/// Every kind of message, cut at every length: an error each time, never a crash or a message.
TEST(PgoutputDecoder, RejectsEveryTruncation) {
    Bytes update;
    update.tag('U').u32(5).tag('K');
    test::put_tuple(update, {"k"}).tag('N');
    test::put_tuple(update, {"value", std::nullopt});
    for (const std::string& frame :
         {test::begin_frame(1), test::commit_frame(1, 2),
          test::relation_frame(1, "s", "t", {{"a"}, {"b"}}), test::insert_frame(1, {"a", "b"}),
          update.str(), test::delete_frame(1, {"a"}), test::truncate_frame({1, 2}),
          test::message_frame(true, 1, "p", "content"), Bytes().tag('O').u64(1).c_string("o").str(),
          Bytes().tag('Y').u32(1).c_string("s").c_string("n").str()}) {
        EXPECT_FALSE(decode(frame).starts_with("error")) << frame;
        for (std::size_t length = 0; length < frame.size(); ++length) {
            EXPECT_TRUE(decode(frame.substr(0, length)).starts_with("error")) << frame[0] << length;
        }
    }
}

TEST(PgoutputDecoder, CanBeUsedAgainAfterAnError) {
    Decoder decoder;
    EXPECT_THROW(decoder.decode(test::insert_frame(1, {"a", "b"}).substr(0, 12)), ProtocolError);
    EXPECT_EQ(render(decoder.decode(test::insert_frame(1, {"c"}))), "insert 1 new('c')");
}

TEST(PgoutputDecoder, ViewsTheFrameInsteadOfCopying) {
    const std::string frame = test::insert_frame(1, {"some text"});
    Decoder decoder;
    const auto insert = std::get<Insert>(decoder.decode(frame));
    EXPECT_EQ(insert.new_row[0].bytes.data(), frame.data() + frame.size() - 9);
}

}  // namespace
}  // namespace holdfast::relay::pgoutput
