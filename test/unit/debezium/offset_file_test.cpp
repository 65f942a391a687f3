#include "debezium/offset_file.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

#include "base/errors.hpp"

namespace holdfast::relay::debezium {
namespace {

std::string unhex(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
    }
    return bytes;
}

std::string big_endian(std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) {
        bytes += static_cast<char>((value >> static_cast<unsigned>(shift)) & 0xFFU);
    }
    return bytes;
}

std::string array_of(std::string_view content, bool first) {
    return (first ? unhex("757200025b42acf317f8060854e00200007870") : unhex("7571007e0002")) +
           big_endian(static_cast<std::uint32_t>(content.size())) + std::string(content);
}

/// What java.io.ObjectOutputStream writes for a HashMap of byte arrays, up to its entries.
std::string header(std::uint32_t size) {
    return unhex(
               "aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a"
               "6c6f6164466163746f724900097468726573686f6c6478703f4000000000000c7708") +
           big_endian(16) + big_endian(size);
}

/// As written by Java 17: two offsets, one of them deleted.
std::string written_by_java() {
    return header(2) + array_of(R"(["shop",{"server":"app"}])", true) +
           array_of(R"({"lsn":1})", false) + array_of(R"(["x",{"server":"y"}])", false) + "px";
}

std::string failure(std::string_view bytes) {
    try {
        static_cast<void>(read_offset_file(bytes));
        return "";
    } catch (const FatalError& error) {
        EXPECT_EQ(error.code(), ExitCode::kConfig);
        return error.what();
    }
}

TEST(OffsetFile, ReadsWhatJavaWrites) {
    const auto entries = read_offset_file(written_by_java());
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].key, R"(["shop",{"server":"app"}])");
    EXPECT_EQ(entries[0].value, R"({"lsn":1})");
    EXPECT_EQ(entries[1].key, R"(["x",{"server":"y"}])");
    EXPECT_EQ(entries[1].value, std::nullopt);
}

TEST(OffsetFile, AnEmptyFileAndAnEmptyMapHaveNoOffsets) {
    EXPECT_TRUE(read_offset_file("").empty());
    EXPECT_TRUE(read_offset_file(header(0) + "x").empty());
}

TEST(OffsetFile, RefusesOtherObjects) {
    // new ArrayList<>()
    EXPECT_NE(failure(unhex("aced0005737200136a6176612e7574696c2e41727261794c6973747881d21d99c7619d"
                            "03000149000473697a6578700000000077040000000078"))
                  .find("no java.util.HashMap"),
              std::string::npos);
    EXPECT_NE(failure("not java").find("no stream of Java objects"), std::string::npos);
    // A map of strings.
    EXPECT_NE(failure(header(1) + unhex("740001617400016278")).find("byte array"),
              std::string::npos);
}

TEST(OffsetFile, RefusesWhatFollowsTheMap) {
    EXPECT_NE(failure(written_by_java() + "x").find("end of the file"), std::string::npos);
}

TEST(OffsetFile, AWrongSizeAsksForNoMemory) {
    EXPECT_FALSE(failure(header(0xFFFFFFFF) + "px").empty());
    EXPECT_FALSE(
        failure(header(1) + unhex("757200025b42acf317f8060854e0020000787000000000ffffffff7f"))
            .empty());
}

TEST(OffsetFile, EveryPrefixIsRefused) {
    const std::string whole = written_by_java();
    for (std::size_t length = 1; length < whole.size(); ++length) {
        EXPECT_FALSE(failure(whole.substr(0, length)).empty()) << length;
    }
}

TEST(OffsetFile, DamagedBytesAreRefusedOrReadAsOtherContentNeverCrash) {
    const std::string whole = written_by_java();
    std::mt19937 random(20260101);  // NOLINT(cert-msc51-cpp): the same bytes each time
    for (int round = 0; round < 20'000; ++round) {
        std::string damaged = whole;
        const int changes = 1 + static_cast<int>(random() % 4);
        for (int i = 0; i < changes; ++i) {
            damaged[random() % damaged.size()] = static_cast<char>(random());
        }
        try {
            std::size_t bytes = 0;
            for (const StoredOffset& entry : read_offset_file(damaged)) {
                bytes += entry.key.value_or("").size() + entry.value.value_or("").size();
            }
            EXPECT_LE(bytes, whole.size());
        } catch (const FatalError& error) {
            EXPECT_EQ(error.code(), ExitCode::kConfig);
        }
    }
}

}  // namespace
}  // namespace holdfast::relay::debezium
