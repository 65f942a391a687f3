// What a real PostgreSQL has sent, decoded: test/fixtures/outbox.pgoutput against outbox.txt.
// capture.py makes the former; this test, run with HOLDFAST_TEST_UPDATE=1, writes the latter.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <string>

#include "pgoutput/decoder.hpp"
#include "support/frame_file.hpp"
#include "support/render_message.hpp"

namespace holdfast::relay::pgoutput {
namespace {

/// Replaces what differs from run to run: LSNs, times, ids of transactions, relations and types.
class Normaliser {
 public:
    std::string line(std::string text) {
        static const std::regex volatile_field("(lsn|end|time|xid)=[^ ]+");
        static const std::regex own_oid("\\b(1[6-9][0-9]{3})\\b");
        static const std::regex long_run("x{100,}");
        text = std::regex_replace(text, volatile_field, "$1");
        std::smatch match;
        while (std::regex_search(text, match, own_oid)) {
            const std::string oid = match.str();
            const auto number = numbers_.emplace(oid, numbers_.size() + 1).first->second;
            text = match.prefix().str() + "#" + std::to_string(number) + match.suffix().str();
        }
        return std::regex_replace(text, long_run, "x...");
    }

 private:
    std::map<std::string, std::size_t> numbers_;
};

TEST(PgoutputFixture, DecodesWhatARealServerSends) {
    Decoder decoder;
    Normaliser normaliser;
    std::string text;
    for (const std::string& frame : test::read_frames("outbox.pgoutput")) {
        text += normaliser.line(test::render(decoder.decode(frame))) + "\n";
    }
    if (std::getenv("HOLDFAST_TEST_UPDATE") != nullptr) {
        std::ofstream(HOLDFAST_SOURCE_DIR "/test/fixtures/outbox.txt") << text;
    }
    EXPECT_EQ(text, test::read_fixture("outbox.txt"));
}

TEST(PgoutputFixture, RejectsEveryTruncationOfIt) {
    Decoder decoder;
    for (const std::string& frame : test::read_frames("outbox.pgoutput")) {
        for (std::size_t length = 0; length < frame.size(); ++length) {
            EXPECT_THROW(decoder.decode(std::string_view(frame).substr(0, length)), ProtocolError);
        }
    }
}

}  // namespace
}  // namespace holdfast::relay::pgoutput
