// kafka::Consumer as inbox::RecordSource.
#pragma once

#include <chrono>
#include <span>
#include <string>

#include "inbox/record_source.hpp"
#include "kafka/consumer.hpp"

namespace holdfast::relay::adapters {

class ConsumerSource final : public inbox::RecordSource {
 public:
    /// Joins the group without waiting.  Throws FatalError(kConfig).
    ConsumerSource(const kafka::Properties& properties, const std::string& group,
                   std::span<const std::string> topics)
        : consumer_(properties, group, topics) {}

    [[nodiscard]] int fd() const override { return consumer_.fd(); }
    std::optional<inbox::SourceEvent> poll() override;
    inbox::Watermarks watermarks(const inbox::Partition& partition) override;
    std::optional<std::int64_t> known_high(const inbox::Partition& partition) override;
    void assign(std::span<const inbox::Position> positions) override;
    void pause(const inbox::Partition& partition) override;
    void resume(const inbox::Partition& partition) override;
    void seek(const inbox::Position& position) override;
    void commit(std::span<const inbox::Position> positions) override;

 private:
    kafka::Consumer consumer_;
};

}  // namespace holdfast::relay::adapters
