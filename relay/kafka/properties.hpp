// librdkafka properties: what the user gives, what the relay sets by default, what it never lets
// go; checks, and the version of the library.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kafka/handles.hpp"

namespace holdfast::relay::kafka {

/// Names and values as librdkafka takes them.
using Properties = std::vector<std::pair<std::string, std::string>>;

enum class ClientKind { kProducer, kConsumer };

/// A property that librdkafka does not take, and why.
struct PropertyProblem {
    std::string name;
    std::string message;
};

/// Tries each property on a configuration that is thrown away.  Empty = all are good.
[[nodiscard]] std::vector<PropertyProblem> validate_properties(const Properties& properties);

/// Defaults, then the user's properties that concern this kind of client (a property of the other
/// kind is left out without a word), then what the relay owns.  Throws FatalError(kConfig).
/// Log lines of the library go to our log (event "kafka_client"), without secrets.
[[nodiscard]] ConfHandle make_conf(const Properties& properties, ClientKind kind);

/// Whether linger.ms is ours, not the user's.
[[nodiscard]] bool lingers_by_default(const Properties& properties);

/// What is known about the librdkafka that is linked.
enum class LibraryVerdict { kGood, kWarn, kRefuse };
struct LibraryVersion {
    std::string text;  ///< "2.14.2"
    LibraryVerdict verdict = LibraryVerdict::kGood;
    std::string reason;  ///< for kWarn and kRefuse
};
[[nodiscard]] LibraryVersion library_version();
/// The table behind library_version(); `version` as rd_kafka_version(): 0x020e02ff.
[[nodiscard]] LibraryVersion judge_version(int version);

}  // namespace holdfast::relay::kafka
