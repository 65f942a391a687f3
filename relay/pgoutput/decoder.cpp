#include "pgoutput/decoder.hpp"

#include <string>

#include "base/errors.hpp"

namespace holdfast::relay::pgoutput {

namespace {

constexpr std::size_t kMinColumnSize = 1 + 1 + 4 + 4;
constexpr std::size_t kMinValueSize = 1;

/// 'I', or 0x07 for what cannot be printed.
std::string show_tag(std::uint8_t tag) {
    if (tag > 0x20 && tag < 0x7F) {
        return {'\'', static_cast<char>(tag), '\''};
    }
    constexpr std::string_view kHex = "0123456789abcdef";
    return {'0', 'x', kHex[tag >> 4U], kHex[tag & 0xFU]};
}

[[noreturn, gnu::cold]] void unexpected(const char* what, std::uint8_t tag, std::size_t offset) {
    throw ProtocolError("unknown " + std::string(what) + " " + show_tag(tag) + " at offset " +
                        std::to_string(offset));
}

/// Refuses a count that the rest of the frame cannot hold.
void check_count(const ByteReader& in, std::size_t count, std::size_t min_size, const char* what) {
    if (count > in.remaining() / min_size) {
        throw ProtocolError("truncated message: " + std::to_string(count) + " " + what +
                            " announced at offset " + std::to_string(in.offset()) + ", " +
                            std::to_string(in.remaining()) + " bytes left");
    }
}

void expect(ByteReader& in, char wanted, const char* what) {
    const std::size_t offset = in.offset();
    const std::uint8_t tag = in.u8();
    if (tag != static_cast<std::uint8_t>(wanted)) {
        unexpected(what, tag, offset);
    }
}

Begin begin(ByteReader& in) {
    Begin message;
    message.final_lsn = Lsn{in.u64()};
    message.commit_time = Timestamp{in.i64()};
    message.xid = Xid{in.u32()};
    return message;
}

Commit commit(ByteReader& in) {
    Commit message;
    message.flags = in.u8();
    message.commit_lsn = Lsn{in.u64()};
    message.end_lsn = Lsn{in.u64()};
    message.commit_time = Timestamp{in.i64()};
    return message;
}

Origin origin(ByteReader& in) {
    Origin message;
    message.commit_lsn = Lsn{in.u64()};
    message.name = in.c_string();
    return message;
}

Type type(ByteReader& in) {
    Type message;
    message.id = TypeId{in.u32()};
    message.schema = in.c_string();
    message.name = in.c_string();
    return message;
}

LogicalMessage logical_message(ByteReader& in) {
    LogicalMessage message;
    message.transactional = (in.u8() & 1U) != 0;
    message.lsn = Lsn{in.u64()};
    message.prefix = in.c_string();
    message.content = in.bytes(in.u32());
    return message;
}

}  // namespace

Message Decoder::decode(std::string_view frame) {
    ByteReader in(frame);
    const std::uint8_t tag = in.u8();
    const auto message = [&]() -> Message {
        switch (tag) {
            case 'I': {
                const RelationId id{in.u32()};
                expect(in, 'N', "row kind");
                return Insert{id, tuple(in, new_row_)};
            }
            case 'B':
                return begin(in);
            case 'C':
                return commit(in);
            case 'R':
                return relation(in);
            case 'M':
                return logical_message(in);
            case 'U':
                return update(in);
            case 'D':
                return deletion(in);
            case 'T':
                return truncate(in);
            case 'O':
                return origin(in);
            case 'Y':
                return type(in);
            default:
                unexpected("message", tag, 0);
        }
    }();
    if (in.remaining() != 0) {
        throw ProtocolError("message " + show_tag(tag) + " ends at offset " +
                            std::to_string(in.offset()) + ", but the frame has " +
                            std::to_string(frame.size()) + " bytes");
    }
    return message;
}

Relation Decoder::relation(ByteReader& in) {
    Relation message;
    message.id = RelationId{in.u32()};
    message.schema = in.c_string();
    message.name = in.c_string();
    message.replica_identity = static_cast<char>(in.u8());
    const std::size_t count = in.u16();
    check_count(in, count, kMinColumnSize, "columns");
    columns_.resize(count);
    for (Column& column : columns_) {
        column.part_of_key = (in.u8() & 1U) != 0;
        column.name = in.c_string();
        column.type = TypeId{in.u32()};
        column.modifier = static_cast<std::int32_t>(in.u32());
    }
    message.columns = columns_;
    return message;
}

Update Decoder::update(ByteReader& in) {
    Update message;
    message.relation = RelationId{in.u32()};
    std::size_t offset = in.offset();
    std::uint8_t kind = in.u8();
    if (kind == 'K' || kind == 'O') {
        message.old_row = OldRow{OldRow::Kind{static_cast<char>(kind)}, tuple(in, old_row_)};
        offset = in.offset();
        kind = in.u8();
    }
    if (kind != 'N') {
        unexpected("row kind", kind, offset);
    }
    message.new_row = tuple(in, new_row_);
    return message;
}

Delete Decoder::deletion(ByteReader& in) {
    Delete message;
    message.relation = RelationId{in.u32()};
    const std::size_t offset = in.offset();
    const std::uint8_t kind = in.u8();
    if (kind != 'K' && kind != 'O') {
        unexpected("row kind", kind, offset);
    }
    message.old_row = OldRow{OldRow::Kind{static_cast<char>(kind)}, tuple(in, old_row_)};
    return message;
}

Truncate Decoder::truncate(ByteReader& in) {
    constexpr std::uint8_t kCascade = 1;
    constexpr std::uint8_t kRestartIdentity = 2;
    const std::size_t count = in.u32();
    const std::uint8_t options = in.u8();
    check_count(in, count, sizeof(std::uint32_t), "relations");
    relations_.resize(count);
    for (RelationId& id : relations_) {
        id = RelationId{in.u32()};
    }
    return Truncate{(options & kCascade) != 0, (options & kRestartIdentity) != 0, relations_};
}

Tuple Decoder::tuple(ByteReader& in, std::vector<Value>& values) {
    const std::size_t count = in.u16();
    check_count(in, count, kMinValueSize, "values");
    values.resize(count);
    for (Value& value : values) {
        const std::size_t offset = in.offset();
        const std::uint8_t kind = in.u8();
        switch (kind) {
            case 't':
            case 'b':
                value.kind = Value::Kind{static_cast<char>(kind)};
                value.bytes = in.bytes(in.u32());
                break;
            case 'n':
            case 'u':
                value.kind = Value::Kind{static_cast<char>(kind)};
                value.bytes = {};
                break;
            default:
                unexpected("value kind", kind, offset);
        }
    }
    return values;
}

}  // namespace holdfast::relay::pgoutput
