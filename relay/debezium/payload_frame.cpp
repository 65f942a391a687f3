#include "debezium/payload_frame.hpp"

namespace holdfast::relay::debezium {

PayloadFrame make_payload_frame(const ConnectSchema& schema, const ConverterOptions& converter) {
    const bool with_schema = converter.converter == Converter::kBinaryData
                                 ? converter.delegate_schemas_enable
                                 : converter.schemas_enable;
    PayloadFrame frame;
    if (with_schema) {
        frame.prefix = "{\"schema\":";
        schema.write(frame.prefix);
        frame.prefix += ",\"payload\":";
        frame.suffix = "}";
    }
    return frame;
}

}  // namespace holdfast::relay::debezium
