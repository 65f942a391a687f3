// Builds pgoutput frames for tests, by the grammar in pgoutput/decoder.hpp.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::relay::test {

/// Big-endian bytes, put together piece by piece.
class Bytes {
 public:
    Bytes& u8(unsigned value) { return integer(value, 1); }
    Bytes& u16(unsigned value) { return integer(value, 2); }
    Bytes& u32(std::uint32_t value) { return integer(value, 4); }
    Bytes& u64(std::uint64_t value) { return integer(value, 8); }
    Bytes& tag(char value) {
        text_ += value;
        return *this;
    }
    Bytes& raw(std::string_view value) {
        text_ += value;
        return *this;
    }
    Bytes& c_string(std::string_view value) { return raw(value).u8(0); }
    [[nodiscard]] std::string str() const { return text_; }

 private:
    Bytes& integer(std::uint64_t value, unsigned size) {
        for (unsigned shift = size * 8; shift > 0; shift -= 8) {
            text_ += static_cast<char>((value >> (shift - 8)) & 0xFFU);
        }
        return *this;
    }
    std::string text_;
};

/// A value of a row: nullopt = NULL.
using Cell = std::optional<std::string>;
using Row = std::vector<Cell>;

/// A value that an update has left alone.
inline const Cell kUnchanged = std::string("\0unchanged", 10);

struct ColumnSpec {
    std::string name;
    std::uint32_t type = 25;  // text
    bool part_of_key = false;
};

inline Bytes& put_tuple(Bytes& bytes, const Row& row) {
    bytes.u16(static_cast<unsigned>(row.size()));
    for (const Cell& cell : row) {
        if (cell == kUnchanged) {
            bytes.tag('u');
        } else if (cell) {
            bytes.tag('t').u32(static_cast<std::uint32_t>(cell->size())).raw(*cell);
        } else {
            bytes.tag('n');
        }
    }
    return bytes;
}

inline std::string begin_frame(std::uint64_t final_lsn, std::int64_t commit_time = 0,
                               std::uint32_t xid = 7) {
    return Bytes()
        .tag('B')
        .u64(final_lsn)
        .u64(static_cast<std::uint64_t>(commit_time))
        .u32(xid)
        .str();
}

inline std::string commit_frame(std::uint64_t commit_lsn, std::uint64_t end_lsn,
                                std::int64_t commit_time = 0) {
    return Bytes()
        .tag('C')
        .u8(0)
        .u64(commit_lsn)
        .u64(end_lsn)
        .u64(static_cast<std::uint64_t>(commit_time))
        .str();
}

inline std::string relation_frame(std::uint32_t oid, std::string_view schema, std::string_view name,
                                  const std::vector<ColumnSpec>& columns) {
    Bytes bytes;
    bytes.tag('R').u32(oid).c_string(schema).c_string(name).tag('d').u16(
        static_cast<unsigned>(columns.size()));
    for (const ColumnSpec& column : columns) {
        bytes.u8(column.part_of_key ? 1 : 0).c_string(column.name).u32(column.type).u32(0xFFFFFFFF);
    }
    return bytes.str();
}

inline std::string insert_frame(std::uint32_t oid, const Row& row) {
    Bytes bytes;
    bytes.tag('I').u32(oid).tag('N');
    return put_tuple(bytes, row).str();
}

inline std::string update_frame(std::uint32_t oid, const Row& row) {
    Bytes bytes;
    bytes.tag('U').u32(oid).tag('N');
    return put_tuple(bytes, row).str();
}

/// An update that changes the key.
inline std::string update_frame(std::uint32_t oid, const Row& old_key, const Row& row) {
    Bytes bytes;
    bytes.tag('U').u32(oid).tag('K');
    put_tuple(bytes, old_key).tag('N');
    return put_tuple(bytes, row).str();
}

inline std::string delete_frame(std::uint32_t oid, const Row& key) {
    Bytes bytes;
    bytes.tag('D').u32(oid).tag('K');
    return put_tuple(bytes, key).str();
}

inline std::string truncate_frame(std::initializer_list<std::uint32_t> oids, unsigned options = 0) {
    Bytes bytes;
    bytes.tag('T').u32(static_cast<std::uint32_t>(oids.size())).u8(options);
    for (const std::uint32_t oid : oids) {
        bytes.u32(oid);
    }
    return bytes.str();
}

inline std::string message_frame(bool transactional, std::uint64_t lsn, std::string_view prefix,
                                 std::string_view content) {
    return Bytes()
        .tag('M')
        .u8(transactional ? 1 : 0)
        .u64(lsn)
        .c_string(prefix)
        .u32(static_cast<std::uint32_t>(content.size()))
        .raw(content)
        .str();
}

}  // namespace holdfast::relay::test
