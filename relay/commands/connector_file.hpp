// A Kafka Connect connector's (or worker's) properties, as people keep them: the JSON of Connect's
// REST API, or a Java .properties file.
//
// Sources: Kafka Connect REST interface, POST /connectors and GET /connectors/{name}/config;
// java.util.Properties, load(InputStream).
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace holdfast::relay::commands {

/// By name.  Values are text, as everywhere in Connect.
using ConnectProperties = std::map<std::string, std::string, std::less<>>;

/// Reads either form: JSON when the first character that is no space is "{".  Of
/// {"name": ..., "config": {...}} the config is taken, with the name among its properties.  Throws
/// FatalError(kConfig) when it is neither, when a value is no plain one, and for what would read as
/// properties but is YAML or of Debezium Server; `origin` stands for the file in messages.
[[nodiscard]] ConnectProperties read_connect_properties(std::string_view text,
                                                        const std::string& origin);

}  // namespace holdfast::relay::commands
