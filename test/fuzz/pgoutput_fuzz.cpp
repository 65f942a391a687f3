// Feeds hostile bytes to the decoder and what it decodes to the event router.  The input is a
// stream as in test/fixtures/*.pgoutput: frames, each behind its length in 32 bits; the last may be
// cut.  Allowed are a result and an error of ours; whatever else happens is a bug.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "base/byte_reader.hpp"
#include "base/errors.hpp"
#include "debezium/event_router.hpp"
#include "pgoutput/decoder.hpp"
#include "pgoutput/relation_cache.hpp"

namespace holdfast::relay {
namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

/// Reads what the router views, so that a view of freed memory shows.
std::size_t touch(const debezium::Record& record) {
    std::size_t sum = 0;
    const auto add = [&](std::string_view text) {
        for (const char c : text) {
            sum += static_cast<unsigned char>(c);
        }
    };
    add(record.key.value_or(""));
    add(record.value.value_or(""));
    add(record.event_id);
    for (const debezium::Header& header : record.headers) {
        add(header.name);
        add(header.value.value_or(""));
    }
    return sum;
}

class Stream {
 public:
    Stream() : router_(options()) {}

    void take(std::string_view frame) {
        try {
            const pgoutput::Message message = decoder_.decode(frame);
            std::visit([&](const auto& known) { use(known, frame); }, message);
        } catch (const FatalError&) {
            // The frame or the event is refused, as it should be.
        }
    }

 private:
    static debezium::EventRouterOptions options() {
        debezium::EventRouterOptions options;
        options.table = "shop.outbox";
        options.table_field_event_timestamp = "created_at";
        options.route_tombstone_on_empty_payload = true;
        return options;
    }

    static void inside(std::string_view view, std::string_view frame) {
        require(view.empty() || (view.data() >= frame.data() &&
                                 view.data() + view.size() <= frame.data() + frame.size()));
    }
    static void inside(pgoutput::Tuple row, std::string_view frame) {
        for (const pgoutput::Value& value : row) {
            inside(value.bytes, frame);
        }
    }

    void use(const pgoutput::Relation& relation, std::string_view frame) {
        for (const pgoutput::Column& column : relation.columns) {
            inside(column.name, frame);
        }
        relations_.put(relation);
        if (router_.is_outbox(relation)) {
            bound_ = false;
            router_.bind(relation);
            bound_ = true;
        }
    }
    void use(const pgoutput::Insert& insert, std::string_view frame) {
        inside(insert.new_row, frame);
        if (bound_) {
            sum_ += touch(router_.route_row(insert.new_row, {}));
        }
    }
    void use(const pgoutput::Update& update, std::string_view frame) {
        inside(update.new_row, frame);
        if (update.old_row) {
            inside(update.old_row->row, frame);
        }
    }
    void use(const pgoutput::Delete& deletion, std::string_view frame) {
        inside(deletion.old_row.row, frame);
        static_cast<void>(relations_.get(deletion.relation));
    }
    void use(const pgoutput::LogicalMessage& message, std::string_view frame) {
        inside(message.prefix, frame);
        inside(message.content, frame);
        sum_ += touch(router_.route_message(message, {}));
    }
    template <typename Other>
    void use(const Other& /*message*/, std::string_view /*frame*/) {}

    pgoutput::Decoder decoder_;
    pgoutput::RelationCache relations_;
    debezium::EventRouter router_;
    bool bound_ = false;
    std::size_t sum_ = 0;
};

void run(std::string_view input) {
    Stream stream;
    ByteReader in(input);
    while (in.remaining() >= sizeof(std::uint32_t)) {
        const std::size_t length = in.u32();
        stream.take(in.bytes(std::min(length, in.remaining())));
    }
}

}  // namespace
}  // namespace holdfast::relay

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    holdfast::relay::run({reinterpret_cast<const char*>(data), size});
    return 0;
}
