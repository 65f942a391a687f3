#include "debezium/offset_file.hpp"

#include <cstdint>

#include "base/byte_reader.hpp"
#include "base/errors.hpp"

namespace holdfast::relay::debezium {
namespace {

constexpr std::uint16_t kMagic = 0xACED;
constexpr std::uint16_t kVersion = 5;
constexpr std::uint8_t kNull = 0x70;
constexpr std::uint8_t kReference = 0x71;
constexpr std::uint8_t kClassDescription = 0x72;
constexpr std::uint8_t kObject = 0x73;
constexpr std::uint8_t kArray = 0x75;
constexpr std::uint8_t kBlockData = 0x77;
constexpr std::uint8_t kEndOfBlockData = 0x78;
constexpr std::uint64_t kHashMapId = 0x0507DAC1C31660D1;
constexpr std::uint64_t kByteArrayId = 0xACF317F8060854E0;
constexpr std::uint8_t kSerializableWithWriteMethod = 3;
constexpr std::uint8_t kSerializable = 2;
/// Handles are counted from here: the class and the map have the first two, so the class of byte
/// arrays has the third.
constexpr std::uint32_t kByteArrayHandle = 0x7E0002;

/// Reads forward, and stops at the first byte that is not as it has to be.
class Reader {
 public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    std::vector<StoredOffset> read() {
        expect(bytes_.u16(), kMagic, "stream of Java objects");
        expect(bytes_.u16(), kVersion, "version 5 of the stream");
        expect(bytes_.u8(), kObject, "object");
        map_class();
        static_cast<void>(bytes_.u32());  // loadFactor
        static_cast<void>(bytes_.u32());  // threshold
        expect(bytes_.u8(), kBlockData, "size of the map");
        expect(bytes_.u8(), std::uint8_t{8}, "size of the map");
        static_cast<void>(bytes_.u32());  // buckets
        const std::uint32_t size = bytes_.u32();
        std::vector<StoredOffset> entries;
        // Two bytes are the least that an entry takes, so a wrong size cannot ask for much memory.
        if (size > bytes_.remaining() / 2) {
            fail("map of as many entries as it says");
        }
        entries.reserve(size);
        for (std::uint32_t i = 0; i < size; ++i) {
            StoredOffset entry;
            entry.key = byte_array();
            entry.value = byte_array();
            entries.push_back(std::move(entry));
        }
        expect(bytes_.u8(), kEndOfBlockData, "end of the map");
        if (bytes_.remaining() != 0) {
            fail("end of the file");
        }
        return entries;
    }

 private:
    [[noreturn]] void fail(const std::string& expected) const {
        throw FatalError(ExitCode::kConfig,
                         "no " + expected + " before byte " + std::to_string(bytes_.offset()));
    }

    template <typename Integer>
    void expect(Integer value, Integer expected, const char* what) const {
        if (value != expected) {
            fail(what);
        }
    }

    void name(std::string_view expected) {
        const std::uint16_t length = bytes_.u16();
        if (bytes_.bytes(length) != expected) {
            fail(std::string(expected));
        }
    }

    void map_class() {
        expect(bytes_.u8(), kClassDescription, "class description");
        name("java.util.HashMap");
        expect(bytes_.u64(), kHashMapId, "known version of java.util.HashMap");
        expect(bytes_.u8(), kSerializableWithWriteMethod, "known form of java.util.HashMap");
        expect(bytes_.u16(), std::uint16_t{2}, "known form of java.util.HashMap");
        expect(bytes_.u8(), std::uint8_t{'F'}, "known form of java.util.HashMap");
        name("loadFactor");
        expect(bytes_.u8(), std::uint8_t{'I'}, "known form of java.util.HashMap");
        name("threshold");
        expect(bytes_.u8(), kEndOfBlockData, "end of the class description");
        expect(bytes_.u8(), kNull, "class without a superclass");
    }

    void byte_array_class() {
        if (class_known_) {
            expect(bytes_.u8(), kReference, "byte array");
            expect(bytes_.u32(), kByteArrayHandle, "byte array");
            return;
        }
        expect(bytes_.u8(), kClassDescription, "byte array");
        name("[B");
        expect(bytes_.u64(), kByteArrayId, "byte array");
        expect(bytes_.u8(), kSerializable, "byte array");
        expect(bytes_.u16(), std::uint16_t{0}, "byte array");
        expect(bytes_.u8(), kEndOfBlockData, "byte array");
        expect(bytes_.u8(), kNull, "byte array");
        class_known_ = true;
    }

    std::optional<std::string> byte_array() {
        const std::uint8_t tag = bytes_.u8();
        if (tag == kNull) {
            return std::nullopt;
        }
        expect(tag, kArray, "byte array");
        byte_array_class();
        const std::uint32_t length = bytes_.u32();
        return std::string(bytes_.bytes(length));
    }

    ByteReader bytes_;
    bool class_known_ = false;
};

}  // namespace

std::vector<StoredOffset> read_offset_file(std::string_view bytes) {
    if (bytes.empty()) {
        return {};
    }
    try {
        return Reader(bytes).read();
    } catch (const FatalError& error) {
        throw FatalError(
            ExitCode::kConfig,
            std::string("this is not an offset file of Kafka Connect standalone: ") + error.what(),
            "Name the file that offset.storage.file.filename of the worker's "
            "properties names, after the worker has stopped.");
    }
}

}  // namespace holdfast::relay::debezium
