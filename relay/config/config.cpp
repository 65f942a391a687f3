#include "config/config.hpp"

#include <utility>

namespace holdfast::relay::config {
namespace {

std::string join(const std::vector<Problem>& problems) {
    std::string text = problems.size() == 1
                           ? std::string()
                           : std::to_string(problems.size()) + " problems in the configuration";
    for (const Problem& problem : problems) {
        text += (text.empty() ? "" : "\n") + problem.to_string();
    }
    return text;
}

}  // namespace

std::string Problem::to_string() const {
    return origin.empty() ? message : origin + ": " + message;
}

ConfigError::ConfigError(std::vector<Problem> problems)
    : FatalError(ExitCode::kConfig, join(problems)), problems_(std::move(problems)) {}

std::optional<std::string> kafka_property(const Config& config, std::string_view name) {
    for (const KafkaProperty& property : config.kafka) {
        if (property.name == name) {
            return property.value;
        }
    }
    return std::nullopt;
}

}  // namespace holdfast::relay::config
