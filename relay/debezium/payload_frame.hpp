// What a converter puts around the JSON of a key or value whose schema does not change: with
// schemas.enable `{"schema":...,"payload":` and `}`, else nothing.
//
// Source: apache/kafka connect/json, JsonConverter.
#pragma once

#include <string>

#include "debezium/connect_schema.hpp"
#include "debezium/connector_options.hpp"

namespace holdfast::relay::debezium {

struct PayloadFrame {
    std::string prefix;
    std::string suffix;
};

/// `converter` is a JsonConverter, or a BinaryDataConverter that delegates to one.
[[nodiscard]] PayloadFrame make_payload_frame(const ConnectSchema& schema,
                                              const ConverterOptions& converter);

}  // namespace holdfast::relay::debezium
