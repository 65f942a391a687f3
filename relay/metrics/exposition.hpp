// RelayMetrics as Prometheus text (exposition format 0.0.4), written by prometheus-cpp's
// serializer. The library stays behind this header: pipelines never see it.
#pragma once

#include <string>
#include <vector>

#include "metrics/relay_metrics.hpp"

namespace holdfast::relay::metrics {

/// The Content-Type that goes with exposition().
inline constexpr const char* kExpositionContentType = "text/plain; version=0.0.4; charset=utf-8";

/// Samples every number now and renders it.  Safe from any thread.
[[nodiscard]] std::string exposition(const RelayMetrics& metrics);

/// Name, kind and help of each metric family in the order of exposition(); docs/metrics.md is
/// checked against it.
struct FamilyDescription {
    std::string name;
    std::string kind;  ///< counter, gauge or histogram
    std::string help;
};
[[nodiscard]] std::vector<FamilyDescription> metric_families();

}  // namespace holdfast::relay::metrics
