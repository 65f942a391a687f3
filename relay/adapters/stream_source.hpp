// postgres::ReplicationStream as capture::ChangeSource.
#pragma once

#include "capture/change_source.hpp"
#include "postgres/replication_stream.hpp"

namespace holdfast::relay::adapters {

class StreamSource final : public capture::ChangeSource {
 public:
    /// The stream has been started and must outlive the source.
    explicit StreamSource(postgres::ReplicationStream& stream) : stream_(stream) {}

    capture::SourceMessage next() override;
    void send_status(Lsn received, Lsn confirmed) override;
    [[nodiscard]] int fd() const override { return stream_.fd(); }
    [[nodiscard]] bool wants_write() const override { return stream_.wants_write(); }
    void flush() override { stream_.flush(); }
    [[nodiscard]] std::chrono::milliseconds silence_limit() const override {
        return stream_.wal_sender_timeout();
    }

 private:
    postgres::ReplicationStream& stream_;
};

}  // namespace holdfast::relay::adapters
