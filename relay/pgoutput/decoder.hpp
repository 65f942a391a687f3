// Turns one frame of the pgoutput plugin (protocol version 1, text or binary values) into a
// Message. Knows nothing of connections and keeps no state between frames but its buffers.
//
// Grammar, big-endian, strings ended by a zero byte; PostgreSQL manual, "Logical Replication
// Message Formats":
//
//     frame    := begin | commit | origin | relation | type | insert | update | delete
//               | truncate | message
//     begin    := 'B' final_lsn:u64 commit_time:i64 xid:u32
//     commit   := 'C' flags:u8 commit_lsn:u64 end_lsn:u64 commit_time:i64
//     origin   := 'O' commit_lsn:u64 name:string
//     relation := 'R' oid:u32 schema:string name:string identity:u8 n:u16 column{n}
//     column   := flags:u8 name:string type:u32 modifier:i32
//     type     := 'Y' oid:u32 schema:string name:string
//     insert   := 'I' oid:u32 'N' tuple
//     update   := 'U' oid:u32 [ ('K' | 'O') tuple ] 'N' tuple
//     delete   := 'D' oid:u32 ('K' | 'O') tuple
//     truncate := 'T' n:u32 options:u8 oid:u32{n}
//     message  := 'M' flags:u8 lsn:u64 prefix:string length:u32 byte{length}
//     tuple    := n:u16 value{n}
//     value    := 'n' | 'u' | ('t' | 'b') length:u32 byte{length}
//
// The input is not trusted: every read is checked against the end of the frame, a count is checked
// against what the remaining bytes can hold before memory is set aside, and bytes after the end of
// the message are an error.
#pragma once

#include <string_view>
#include <vector>

#include "base/byte_reader.hpp"
#include "pgoutput/messages.hpp"

namespace holdfast::relay::pgoutput {

/// Not thread-safe.  Reuses its buffers, so decoding allocates nothing once they have grown.
class Decoder {
 public:
    /// Decodes one whole frame.  The result views `frame` and this decoder, until the next call.
    /// Throws ProtocolError with tag and offset; the decoder can be used again afterwards.
    Message decode(std::string_view frame);

 private:
    Relation relation(ByteReader& in);
    Truncate truncate(ByteReader& in);
    Update update(ByteReader& in);
    Delete deletion(ByteReader& in);
    static Tuple tuple(ByteReader& in, std::vector<Value>& values);

    std::vector<Value> new_row_;
    std::vector<Value> old_row_;
    std::vector<Column> columns_;
    std::vector<RelationId> relations_;
};

}  // namespace holdfast::relay::pgoutput
