// Logical decoding messages (pg_logical_emit_message) as events: the parts around `source` and
// `transaction`, and which prefixes are let through.
//
// Source: Debezium, LogicalDecodingMessageMonitor; docs/message-format.md, "Change events".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "debezium/connector_options.hpp"
#include "debezium/java_pattern.hpp"
#include "debezium/payload_frame.hpp"
#include "pgoutput/messages.hpp"

namespace holdfast::relay::debezium {

/// Not thread-safe.
class MessageEvents {
 public:
    /// Throws JavaPatternError.
    explicit MessageEvents(const ConnectorOptions& options);

    /// message.prefix.include.list and message.prefix.exclude.list.  Throws FatalError
    /// (kMalformedEvent) when there is a list and the prefix is too long to be held against it.
    bool included(std::string_view prefix);

    /// The whole key.
    void append_key(const pgoutput::LogicalMessage& message, std::string& json) const;
    /// The value, up to where `source` begins.
    void append_before_source(std::int64_t now_ms, std::string& json) const;
    /// The value, from where `transaction` has ended.
    void append_after_transaction(const pgoutput::LogicalMessage& message, std::string& json) const;

    /// For SourceBlock::append().
    [[nodiscard]] const std::string& source_members() const noexcept { return source_members_; }

 private:
    void append_content(std::string_view content, std::string& json) const;

    PatternList include_;
    PatternList exclude_;
    std::unordered_map<std::string, bool> answers_;  ///< so that few messages cost expressions
    std::string prefix_;
    BinaryHandling binary_;
    std::string source_members_;
    PayloadFrame key_frame_;
    PayloadFrame value_frame_;
};

}  // namespace holdfast::relay::debezium
