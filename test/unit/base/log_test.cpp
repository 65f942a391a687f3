#include "base/log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

#include "base/scope_exit.hpp"

namespace holdfast::relay::log {
namespace {

constexpr std::chrono::microseconds kTime{1'795'233'906'789'012};

TEST(Log, WritesOneLogfmtLine) {
    EXPECT_EQ(format(kTime, Level::kWarn, "kafka_retry",
                     {{"topic", "orders"},
                      {"attempt", 3},
                      {"lag", 1.5},
                      {"ok", true},
                      {"lsn", Lsn{0x16B374D848}},
                      {"big", std::uint64_t{UINT64_MAX}}}),
              "ts=2026-11-21T04:05:06.789Z level=warn event=kafka_retry topic=orders attempt=3 "
              "lag=1.5 ok=true lsn=16/B374D848 big=18446744073709551615\n");
}

TEST(Log, QuotesWhatAReaderCouldNotSplit) {
    const auto value = [](std::string_view text) {
        const std::string line = format(kTime, Level::kInfo, "e", {{"v", text}});
        const auto start = line.find(" v=") + 3;
        return line.substr(start, line.size() - start - 1);
    };
    EXPECT_EQ(value("plain-text/1:2"), "plain-text/1:2");
    EXPECT_EQ(value(""), "\"\"");
    EXPECT_EQ(value("two words"), "\"two words\"");
    EXPECT_EQ(value("a=b"), "\"a=b\"");
    EXPECT_EQ(value("say \"hi\" \\"), R"("say \"hi\" \\")");
    EXPECT_EQ(value("one\nlevel=error"), R"("one\nlevel=error")");
    EXPECT_EQ(value(std::string_view("\0\x1b\x7f\t", 4)), R"("\x00\x1b\x7f\t")");
    EXPECT_EQ(value("재고"), "재고");
}

TEST(Log, CutsALongLineAndSaysSo) {
    const std::string line = format(kTime, Level::kInfo, "e", {{"v", std::string(10'000, 'x')}});
    EXPECT_LE(line.size(), 4096U);
    EXPECT_TRUE(line.ends_with("x truncated=true\n"));
}

TEST(Log, KnowsItsLevelsByName) {
    for (const Level level : {Level::kError, Level::kWarn, Level::kInfo, Level::kDebug}) {
        EXPECT_EQ(parse_level(level_name(level)), level);
    }
    EXPECT_EQ(parse_level("verbose"), std::nullopt);
}

TEST(Log, DropsBelowTheLevelAndKeepsLinesOfThreadsApart) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK), 0);
    set_output(ends[1]);
    const ScopeExit restore([&]() noexcept {
        set_output(2);
        set_level(Level::kInfo);
        ::close(ends[0]);
        ::close(ends[1]);
    });
    set_level(Level::kWarn);
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([] {
                for (int n = 0; n < 50; ++n) {
                    info("dropped");
                    warn("kept", {{"n", 1}});
                }
            });
        }
    }
    std::string text(65'536, '\0');
    const auto length = ::read(ends[0], text.data(), text.size());
    ASSERT_GT(length, 0);
    text.resize(static_cast<std::size_t>(length));
    int lines = 0;
    for (std::size_t start = 0; start < text.size(); ++lines) {
        const auto end = text.find('\n', start);
        ASSERT_NE(end, std::string::npos);
        EXPECT_EQ(text.substr(start + 27, end - start - 27), " level=warn event=kept n=1");
        start = end + 1;
    }
    EXPECT_EQ(lines, 200);
}

TEST(Log, SurvivesAClosedOutput) {
    set_output(-1);
    error("lost");
    set_output(2);
}

}  // namespace
}  // namespace holdfast::relay::log
