// Reads test/fixtures/*.pgoutput: frames from a real server, each behind its 32-bit length.
#pragma once

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/byte_reader.hpp"

namespace holdfast::relay::test {

inline std::string read_fixture(const std::string& name) {
    std::ifstream file(std::string(HOLDFAST_SOURCE_DIR) + "/test/fixtures/" + name,
                       std::ios::binary);
    if (!file) {
        throw std::runtime_error("cannot read the fixture " + name);
    }
    return {std::istreambuf_iterator<char>(file), {}};
}

inline std::vector<std::string> read_frames(const std::string& name) {
    const std::string file = read_fixture(name);
    ByteReader in(file);
    std::vector<std::string> frames;
    while (in.remaining() > 0) {
        frames.emplace_back(in.bytes(in.u32()));
    }
    return frames;
}

}  // namespace holdfast::relay::test
