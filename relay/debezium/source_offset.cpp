#include "debezium/source_offset.hpp"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <limits>

#include "base/errors.hpp"

namespace holdfast::relay::debezium {
namespace {

using Json = rapidjson::Value;

[[noreturn]] void malformed(const std::string& what) {
    throw FatalError(ExitCode::kConfig, "the stored offset cannot be read: " + what,
                     "Check that it belongs to a PostgreSQL connector of Debezium's, and that the "
                     "connector has stopped.");
}

std::string text_of(const Json& value) {
    return {value.GetString(), value.GetStringLength()};
}

/// A number without fraction and sign; Connect's converter writes nothing else.
std::uint64_t number(const std::string& name, const Json& value) {
    if (!value.IsUint64()) {
        malformed("\"" + name + "\" is no whole number");
    }
    return value.GetUint64();
}

/// Debezium writes an unknown position as 0.
std::optional<Lsn> position(const std::string& name, const Json& value) {
    const std::uint64_t lsn = number(name, value);
    return lsn == 0 ? std::nullopt : std::optional(Lsn{lsn});
}

Xid transaction(const std::string& name, const Json& value) {
    const std::uint64_t id = number(name, value);
    if (id > std::numeric_limits<std::uint32_t>::max()) {
        malformed("\"" + name + "\" is no transaction id");
    }
    return Xid{static_cast<std::uint32_t>(id)};
}

bool flag(const std::string& name, const Json& value) {
    if (!value.IsBool()) {
        malformed("\"" + name + "\" is neither true nor false");
    }
    return value.GetBool();
}

}  // namespace

std::optional<SourceOffsetKey> SourceOffsetKey::parse(std::string_view json) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseValidateEncodingFlag>(json.data(), json.size());
    if (document.HasParseError() || !document.IsArray() || document.Size() != 2 ||
        !document[0].IsString() || !document[1].IsObject() || document[1].MemberCount() != 1) {
        return std::nullopt;
    }
    const auto server = document[1].MemberBegin();
    if (text_of(server->name) != "server" || !server->value.IsString()) {
        return std::nullopt;
    }
    return SourceOffsetKey{text_of(document[0]), text_of(server->value)};
}

SourceOffset SourceOffset::parse(std::string_view json) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseValidateEncodingFlag>(json.data(), json.size());
    if (document.HasParseError()) {
        malformed(std::string(rapidjson::GetParseError_En(document.GetParseError())) + " at byte " +
                  std::to_string(document.GetErrorOffset()));
    }
    if (!document.IsObject()) {
        malformed("it is no JSON object");
    }
    SourceOffset offset;
    for (rapidjson::SizeType i = 0; i < document.MemberCount(); ++i) {
        const auto& member = document.MemberBegin()[i];
        const std::string name = text_of(member.name);
        const Json& value = member.value;
        // The same name twice leaves open which is meant.
        if (&document.FindMember(member.name)->value != &value) {
            malformed("\"" + name + "\" appears twice");
        }
        if (value.IsNull()) {
            continue;
        }
        if (name == "lsn") {
            offset.lsn = position(name, value);
        } else if (name == "lsn_proc") {
            offset.lsn_proc = position(name, value);
        } else if (name == "lsn_commit") {
            offset.lsn_commit = position(name, value);
        } else if (name == "txId") {
            offset.tx_id = transaction(name, value);
        } else if (name == "lsn_events_processed") {
            offset.lsn_events_processed = number(name, value);
        } else if (name == "messageType") {
            if (!value.IsString()) {
                malformed("\"messageType\" is no string");
            }
            offset.message_type = text_of(value);
        } else if (name == "snapshot") {
            // A name since 2.7, true before; "false" has never been written.
            offset.in_snapshot = !value.IsBool() || value.GetBool();
        } else if (name == "last_snapshot_record") {
            offset.last_snapshot_record = flag(name, value);
        } else if (name == "snapshot_completed") {
            offset.snapshot_completed = flag(name, value);
        } else if (name == "incremental_snapshot_primary_key" ||
                   name == "incremental_snapshot_collections") {
            offset.in_incremental_snapshot = true;
        }
    }
    return offset;
}

}  // namespace holdfast::relay::debezium
