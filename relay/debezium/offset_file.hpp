// The offset file of Kafka Connect standalone: a java.util.HashMap<byte[], byte[]> as Java
// serialises it, and nothing else.  This reads exactly that shape; it is no reader of Java objects,
// and no class that a file names is ever looked at.
//
// Sources: Java Object Serialization Specification, "Object Serialization Stream Protocol";
// java.util.HashMap, writeObject; Kafka Connect, FileOffsetBackingStore.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::relay::debezium {

/// One offset as Connect's converter has written it: JSON.  An absent value: the offset was
/// deleted.
struct StoredOffset {
    std::optional<std::string> key;
    std::optional<std::string> value;
    bool operator==(const StoredOffset&) const = default;
};

/// The entries in the file's order, which means nothing.  An empty file has none.  Throws
/// FatalError(kConfig) with the offset in the file when it is anything else.
[[nodiscard]] std::vector<StoredOffset> read_offset_file(std::string_view bytes);

}  // namespace holdfast::relay::debezium
