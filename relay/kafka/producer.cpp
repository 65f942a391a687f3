#include "kafka/producer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/errors.hpp"
#include "base/log.hpp"
#include "base/poll.hpp"
#include "kafka/client_log.hpp"

namespace holdfast::relay::kafka {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// What librdkafka writes into our descriptor: an eventfd takes eight bytes.
constexpr std::uint64_t kWakeUp = 1;

/// How long send_now() waits.
constexpr int kSendNowLimitMs = 5;

// librdkafka does not change what it is given to copy, but its interface takes no const pointer.
void* bytes_of(std::string_view text) {
    static char empty = 0;
    return text.data() == nullptr ? &empty
                                  : const_cast<char*>(text.data());  // NOLINT(*-const-cast)
}

struct HeadersDeleter {
    void operator()(rd_kafka_headers_t* headers) const noexcept {
        rd_kafka_headers_destroy(headers);
    }
};
using HeadersHandle = std::unique_ptr<rd_kafka_headers_t, HeadersDeleter>;

HeadersHandle make_headers(std::span<const Header> headers) {
    if (headers.empty()) {
        return nullptr;
    }
    HeadersHandle list(rd_kafka_headers_new(headers.size()));
    for (const Header& header : headers) {
        const std::string_view value = header.value.value_or(std::string_view());
        rd_kafka_header_add(
            list.get(), header.name.data(), static_cast<ssize_t>(header.name.size()),
            header.value ? bytes_of(value) : nullptr, static_cast<ssize_t>(value.size()));
    }
    return list;
}

}  // namespace

Producer::Producer(const Properties& properties, DirectoryOptions directory) {
    ConfHandle conf = make_conf(properties, ClientKind::kProducer);
    rd_kafka_conf_set_opaque(conf.get(), this);
    rd_kafka_conf_set_dr_msg_cb(
        conf.get(), [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) noexcept {
            static_cast<Producer*>(self)->note(*message);
        });
    rd_kafka_conf_set_error_cb(conf.get(),
                               [](rd_kafka_t*, int code, const char* reason, void* self) noexcept {
                                   static_cast<Producer*>(self)->errors_.push_back(
                                       {static_cast<rd_kafka_resp_err_t>(code), reason});
                               });
    std::array<char, 512> problem{};
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), problem.data(), problem.size()));
    if (!client_) {
        throw FatalError(ExitCode::kConfig, "[kafka]: " + std::string(problem.data()));
    }
    static_cast<void>(conf.release());  // rd_kafka_new() has taken it
    queue_.reset(rd_kafka_queue_get_main(client_.get()));
    rd_kafka_queue_io_event_enable(queue_.get(), wake_.fd(), &kWakeUp, sizeof kWakeUp);
    directory_ =
        std::make_unique<TopicDirectory>(client_.get(), directory, [this] { wake_.signal(); });
    bootstrap_.emplace(client_.get());
    lingers_ = lingers_by_default(properties);
}

Producer::~Producer() {
    directory_.reset();
    // Without this, destroying waits for requests in flight.
    rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_queue_io_event_enable(queue_.get(), -1, nullptr, 0);
}

ProducerTopic& Producer::topic(std::string_view name) {
    for (const auto& known : topics_) {
        if (known->name_ == name) {
            return *known;
        }
    }
    auto added = std::make_unique<ProducerTopic>();
    added->name_ = name;
    // A topic configuration of our own replaces the client's default one, so it starts as its copy.
    rd_kafka_topic_conf_t* conf = rd_kafka_default_topic_conf_dup(client_.get());
    rd_kafka_topic_conf_set_opaque(conf, added.get());
    added->handle_.reset(rd_kafka_topic_new(client_.get(), added->name_.c_str(), conf));
    if (!added->handle_) {
        rd_kafka_topic_conf_destroy(conf);
        throw_error(rd_kafka_last_error(), "topic " + added->name_);
    }
    added->directory_index_ = directory_->add(added->handle_.get());
    return *topics_.emplace_back(std::move(added));
}

std::optional<std::int32_t> Producer::partition_count(const ProducerTopic& topic) {
    return directory_->partitions(topic.directory_index_);
}

ProduceResult Producer::produce(const ProducerTopic& topic, std::int32_t partition,
                                const OutgoingRecord& record, std::uint64_t opaque) {
    const bool first = partition >= 0 && contact(topic, partition) != Contact::kMade;
    if (first && contact(topic, partition) == Contact::kFirstInFlight) {
        return ProduceResult::kQueueFull;
    }
    HeadersHandle headers = make_headers(record.headers);
    std::array<rd_kafka_vu_t, 8> arguments;  // NOLINT(*-member-init): filled one by one
    std::size_t count = 0;
    const auto next = [&](rd_kafka_vtype_t type) -> auto& {
        arguments[count].vtype = type;
        return arguments[count++].u;
    };
    next(RD_KAFKA_VTYPE_RKT).rkt = topic.handle_.get();
    next(RD_KAFKA_VTYPE_PARTITION).i32 = partition;
    next(RD_KAFKA_VTYPE_MSGFLAGS).i = RD_KAFKA_MSG_F_COPY;
    next(RD_KAFKA_VTYPE_OPAQUE).ptr = reinterpret_cast<void*>(opaque);  // NOLINT
    if (record.key) {
        next(RD_KAFKA_VTYPE_KEY).mem = {bytes_of(*record.key), record.key->size()};
    }
    if (record.value) {
        next(RD_KAFKA_VTYPE_VALUE).mem = {bytes_of(*record.value), record.value->size()};
    }
    if (record.timestamp_ms > 0) {
        next(RD_KAFKA_VTYPE_TIMESTAMP).i64 = record.timestamp_ms;
    }
    if (headers) {
        next(RD_KAFKA_VTYPE_HEADERS).headers = headers.get();
    }
    const ErrorHandle error(rd_kafka_produceva(client_.get(), arguments.data(), count));
    if (!error) {
        static_cast<void>(headers.release());  // now the message's
        if (first) {
            contact(topic, partition) = Contact::kFirstInFlight;
        }
        return ProduceResult::kQueued;
    }
    const rd_kafka_resp_err_t code = rd_kafka_error_code(error.get());
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return ProduceResult::kQueueFull;
    }
    // A client that has failed for good answers with the reason.
    if (a_record_was_refused()) {
        return ProduceResult::kQueueFull;
    }
    if (rd_kafka_fatal_error(client_.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        throw_fatal();
    }
    throw_error(code, "record of " +
                          std::to_string(record.value.value_or(std::string_view()).size()) +
                          " bytes for topic " + topic.name_);
}

void Producer::send_now() {
    if (lingers_) {
        // Lingering ends for as long as this takes.  A time-out means only that something is still
        // unacknowledged.
        static_cast<void>(rd_kafka_flush(client_.get(), kSendNowLimitMs));
    }
}

std::size_t Producer::poll(const std::function<void(const DeliveryReport&)>& report) {
    wake_.drain();
    rd_kafka_poll(client_.get(), 0);
    handed_over_.clear();
    handed_over_.swap(reports_);
    for (const DeliveryReport& delivered : handed_over_) {
        // What only stood behind a record that was refused: that one's report says why.
        if (delivered.code != RD_KAFKA_RESP_ERR__PURGE_QUEUE || !a_record_was_refused()) {
            report(delivered);
        }
    }
    for (const ClientError& error : std::exchange(errors_, {})) {
        handle(error);
    }
    bootstrap_->poll(connected());
    return handed_over_.size();
}

void Producer::note(const rd_kafka_message_t& message) {
    const bool delivered = message.err == RD_KAFKA_RESP_ERR_NO_ERROR;
    const auto* topic = static_cast<const ProducerTopic*>(rd_kafka_topic_opaque(message.rkt));
    if (delivered) {
        contact(*topic, message.partition) = Contact::kMade;
    }
    reports_.push_back({.opaque = reinterpret_cast<std::uint64_t>(message._private),  // NOLINT
                        .topic = topic,
                        .partition = message.partition,
                        .offset = delivered ? message.offset : -1,
                        .bytes = message.len + message.key_len,
                        .code = message.err,
                        .error = classify(message.err)});
}

void Producer::handle(const ClientError& error) {
    if (error.code == RD_KAFKA_RESP_ERR__FATAL) {
        if (a_record_was_refused()) {
            return;
        }
        throw_fatal();
    }
    if (error.code == RD_KAFKA_RESP_ERR__AUTHENTICATION && !connected()) {
        throw_error(error.code, error.reason);
    }
    if (error.code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        directory_->doubt();
        bootstrap_->all_brokers_down();
    }
    log_client_line(log::Level::kWarn, "kafka_error", rd_kafka_err2name(error.code), error.reason);
}

Producer::Contact& Producer::contact(const ProducerTopic& topic, std::int32_t partition) {
    if (contacts_.size() <= topic.directory_index_) {
        contacts_.resize(topic.directory_index_ + 1);
    }
    std::vector<Contact>& partitions = contacts_[topic.directory_index_];
    const auto index = static_cast<std::size_t>(partition);
    if (partitions.size() <= index) {
        partitions.resize(index + 1, Contact::kNone);
    }
    return partitions[index];
}

// Then the producer takes and sends no more.  The cause is in that record's delivery report.
bool Producer::a_record_was_refused() {
    return rd_kafka_fatal_error(client_.get(), nullptr, 0) == RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE;
}

void Producer::throw_fatal() {
    std::array<char, 512> reason{};
    const rd_kafka_resp_err_t code =
        rd_kafka_fatal_error(client_.get(), reason.data(), reason.size());
    throw FatalError(ExitCode::kInternal,
                     "the Kafka producer has failed: " + std::string(reason.data()) + " (" +
                         rd_kafka_err2name(code) + ")");
}

bool Producer::flush(milliseconds limit, const std::function<void(const DeliveryReport&)>& report) {
    const auto until = steady_clock::now() + limit;
    while (true) {
        poll(report);
        if (outstanding() == 0) {
            return true;
        }
        const auto left = std::chrono::duration_cast<microseconds>(until - steady_clock::now());
        if (left <= microseconds(0)) {
            return false;
        }
        std::array<pollfd, 1> wait{pollfd{fd(), POLLIN, 0}};
        wait_for(wait, left);
    }
}

std::size_t Producer::outstanding() const {
    return static_cast<std::size_t>(std::max(0, rd_kafka_outq_len(client_.get()))) +
           reports_.size();
}

}  // namespace holdfast::relay::kafka
