#include "postgres/replication_stream.hpp"

#include <array>
#include <charconv>
#include <utility>

#include "base/byte_reader.hpp"
#include "base/poll.hpp"
#include "postgres/output_plugin.hpp"
#include "postgres/sql_error.hpp"

namespace holdfast::relay::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Seconds between the epochs of Unix (1970) and PostgreSQL (2000).
constexpr std::int64_t kPostgresEpochSeconds = 946'684'800;
constexpr milliseconds kDefaultSilence{60'000};

/// What a batch holds at most, but for a longer message: enough to make the server's system calls
/// rare, and little to hold twice.
constexpr std::string_view kBatchBytes = "65536";

enum class Moment { kStarting, kStreaming };

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

std::string quote_identifier(PGconn* connection, const std::string& name) {
    const LibpqString quoted(PQescapeIdentifier(connection, name.data(), name.size()));
    if (!quoted) {
        throw FatalError(ExitCode::kConfig, "not a valid name: " + name);
    }
    return quoted.get();
}

/// Replication commands know no backslash escapes: only the quote is doubled.
std::string quote_literal(std::string_view text) {
    std::string literal = "'";
    for (const char c : text) {
        literal.append(c == '\'' ? 2 : 1, c);
    }
    return literal + "'";
}

[[noreturn]] void throw_stream_error(const SqlError& error, const StreamOptions& options,
                                     Moment moment) {
    const std::string& state = error.sqlstate();
    const std::string& message = error.message();
    if (state == "55006") {
        throw SlotInUseError(message);
    }
    if (state == "42704") {
        // The slot is looked up at the start; the publication when the first change is decoded.
        if (moment == Moment::kStreaming || contains(message, "publication")) {
            throw FatalError(
                ExitCode::kPublicationMissing, message,
                "The slot can only be read with a publication that existed when it was made and "
                "ever since. If it is missing still, make it again with "
                "`holdfast-relay init`; then see \"publication missing\" in docs/operations.md.");
        }
        throw FatalError(ExitCode::kSlotMissing, message,
                         "Nothing knows which events were already sent. If this is a new "
                         "installation, make the slot with: holdfast-relay init. Otherwise see "
                         "\"slot missing\" in docs/operations.md.");
    }
    if (options.batches && moment == Moment::kStarting) {
        throw_if_not_loadable(error, options.slot);
    }
    const bool invalidated = state == "55000" && (contains(message, "can no longer get changes") ||
                                                  contains(message, "invalidated"));
    if (invalidated || state == "58P01") {
        throw FatalError(ExitCode::kSlotLost, message,
                         "The server has removed WAL that slot " + options.slot +
                             " still needed. Raise max_slot_wal_keep_size, then see \"slot "
                             "lost\" in docs/operations.md: events of that time are still in "
                             "the outbox table.");
    }
    if (state == "42501" || state.starts_with("28")) {
        throw FatalError(
            ExitCode::kPermissionDenied, message,
            "The relay's role needs LOGIN and REPLICATION, and a line in pg_hba.conf.");
    }
    if (state == "55000" || state.starts_with("42") || state == "0A000") {
        throw FatalError(ExitCode::kConfig, message,
                         "Run holdfast-relay check: it lists what server, slot and publication "
                         "have to be like.");
    }
    throw RetryableError(std::string(error.what()));
}

}  // namespace

ReplicationStream::ReplicationStream(const ConnectOptions& options, const Clock& clock)
    : connection_(connect(options, ConnectionKind::kReplication)), clock_(clock) {}

SystemIdentity ReplicationStream::identify_system() {
    const ResultHandle result(PQexec(connection_.get(), "IDENTIFY_SYSTEM"));
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) {
        try {
            throw_error(connection_.get(), result.get());
        } catch (const SqlError& error) {
            throw_stream_error(error, options_, Moment::kStarting);
        }
    }
    if (PQntuples(result.get()) != 1 || PQnfields(result.get()) < 4) {
        throw ProtocolError("IDENTIFY_SYSTEM answered with an unknown shape");
    }
    const std::string_view timeline = PQgetvalue(result.get(), 0, 1);
    const auto flushed = Lsn::parse(PQgetvalue(result.get(), 0, 2));
    SystemIdentity identity{.system_identifier = PQgetvalue(result.get(), 0, 0),
                            .timeline = 0,
                            .flushed = flushed.value_or(Lsn{}),
                            .database = PQgetvalue(result.get(), 0, 3)};
    const auto [end, error] =
        std::from_chars(timeline.data(), timeline.data() + timeline.size(), identity.timeline);
    if (error != std::errc() || end != timeline.data() + timeline.size() || !flushed) {
        throw ProtocolError("IDENTIFY_SYSTEM answered with a malformed position");
    }
    return identity;
}

void ReplicationStream::start(const StreamOptions& options) {
    options_ = options;
    try {
        const ResultHandle setting(PQexec(connection_.get(),
                                          "SELECT setting::bigint FROM pg_catalog.pg_settings "
                                          "WHERE name = 'wal_sender_timeout'"));
        if (PQresultStatus(setting.get()) != PGRES_TUPLES_OK) {
            throw_error(connection_.get(), setting.get());
        }
        std::int64_t timeout_ms = 0;
        if (PQntuples(setting.get()) == 1) {
            const std::string_view digits = PQgetvalue(setting.get(), 0, 0);
            std::from_chars(digits.data(), digits.data() + digits.size(), timeout_ms);
        }
        sender_timeout_ = milliseconds(timeout_ms);
        silence_limit_ = options.silence > milliseconds(0)   ? options.silence
                         : sender_timeout_ > milliseconds(0) ? sender_timeout_
                                                             : kDefaultSilence;
        const std::string command =
            "START_REPLICATION SLOT " + quote_identifier(connection_.get(), options.slot) +
            " LOGICAL " + options.start.to_string() + " (proto_version '1', publication_names " +
            quote_literal(quote_identifier(connection_.get(), options.publication)) +
            ", messages 'true'" +
            (options.batches ? ", batch_bytes " + quote_literal(kBatchBytes) : "") + ")";
        const ResultHandle started(PQexec(connection_.get(), command.c_str()));
        if (PQresultStatus(started.get()) != PGRES_COPY_BOTH) {
            throw_error(connection_.get(), started.get());
        }
    } catch (const SqlError& error) {
        throw_stream_error(error, options_, Moment::kStarting);
    }
    if (PQsetnonblocking(connection_.get(), 1) != 0) {
        throw RetryableError("connection to PostgreSQL lost");
    }
    last_heard_ = clock_.now();
}

StreamMessage ReplicationStream::next() {
    if (!options_.batches) {
        return read_message();
    }
    while (true) {
        if (std::optional<StreamMessage> message = next_of_batch()) {
            return *message;
        }
        StreamMessage message = read_message();
        if (message.kind != StreamMessage::Kind::kWalData) {
            message.wal_end = batch_.believable(message.wal_end);
            return message;
        }
        batch_.open(message.payload);
        batch_time_us_ = message.server_time_us;
    }
}

std::optional<StreamMessage> ReplicationStream::next_of_batch() {
    const std::optional<Batch::Frame> frame = batch_.next();
    if (!frame) {
        return std::nullopt;
    }
    StreamMessage message;
    message.kind =
        frame->message.empty() ? StreamMessage::Kind::kKeepalive : StreamMessage::Kind::kWalData;
    message.wal_start = frame->lsn;
    message.wal_end = frame->lsn;
    message.server_time_us = batch_time_us_;
    message.payload = frame->message;
    return message;
}

StreamMessage ReplicationStream::read_message() {
    // What libpq has read already comes first; the socket is read only when that is used up.
    if (!read_row()) {
        if (PQconsumeInput(connection_.get()) == 0) {
            throw RetryableError("connection to PostgreSQL lost: " +
                                 one_line(PQerrorMessage(connection_.get())));
        }
        if (!read_row()) {
            if (silence() > 2 * silence_limit_) {
                throw RetryableError("PostgreSQL has been silent for too long");
            }
            return {};
        }
        last_heard_ = clock_.now();
    }
    return decode_stream_message({row_.get(), row_size_});
}

bool ReplicationStream::read_row() {
    char* buffer = nullptr;
    row_.reset();
    const int size = PQgetCopyData(connection_.get(), &buffer, 1);
    row_.reset(buffer);
    if (size > 0) {
        row_size_ = static_cast<std::size_t>(size);
        return true;
    }
    if (size == 0) {
        return false;
    }
    end_of_stream();
}

void ReplicationStream::end_of_stream() {
    const ResultHandle result(PQgetResult(connection_.get()));
    if (PQresultStatus(result.get()) != PGRES_FATAL_ERROR) {
        throw RetryableError("PostgreSQL has ended the stream");
    }
    try {
        throw_error(connection_.get(), result.get());
    } catch (const SqlError& error) {
        throw_stream_error(error, options_, Moment::kStreaming);
    }
}

std::chrono::steady_clock::duration ReplicationStream::silence() const {
    return clock_.now() - last_heard_;
}

void ReplicationStream::send_status(Lsn received, Lsn flushed, Lsn applied) {
    // While our statuses arrive in time, a server with nothing to send says nothing at all: it has
    // to be asked, or a dead connection would look like an idle one.
    const Reply reply = silence() > silence_limit_ ? Reply::kRequested : Reply::kNotNeeded;
    const std::int64_t time_us = clock_.system_time().count() - kPostgresEpochSeconds * 1'000'000;
    const auto status = encode_status(received, flushed, applied, time_us, reply);
    // 0 = no room now: the next status says the same and more.
    if (PQputCopyData(connection_.get(), status.data(), static_cast<int>(status.size())) < 0) {
        throw RetryableError("connection to PostgreSQL lost: " +
                             one_line(PQerrorMessage(connection_.get())));
    }
    flush();
}

void ReplicationStream::flush() {
    const int pending = PQflush(connection_.get());
    if (pending < 0) {
        throw RetryableError("connection to PostgreSQL lost: " +
                             one_line(PQerrorMessage(connection_.get())));
    }
    wants_write_ = pending > 0;
}

void ReplicationStream::stop(milliseconds deadline) noexcept {
    try {
        const auto until = steady_clock::now() + deadline;
        if (PQputCopyEnd(connection_.get(), nullptr) != 1) {
            return;
        }
        while (steady_clock::now() < until) {
            flush();
            char* buffer = nullptr;
            const int size = PQgetCopyData(connection_.get(), &buffer, 1);
            const LibpqString row(buffer);
            if (size < 0) {
                return;
            }
            if (size > 0) {
                continue;
            }
            std::array<pollfd, 1> wait{
                pollfd{fd(), static_cast<short>(wants_write_ ? POLLIN | POLLOUT : POLLIN), 0}};
            wait_for(wait, std::chrono::duration_cast<std::chrono::microseconds>(
                               until - steady_clock::now()));
            if (PQconsumeInput(connection_.get()) == 0) {
                return;
            }
        }
    } catch (...) {
        // The connection is about to be closed: the server notices that as well.
        return;
    }
}

std::array<char, 34> encode_status(Lsn received, Lsn flushed, Lsn applied,
                                   std::int64_t client_time_us, Reply reply) {
    std::array<char, 34> bytes{};
    std::size_t at = 0;
    const auto put = [&](std::uint64_t value) {
        for (int shift = 56; shift >= 0; shift -= 8) {
            bytes[at++] = static_cast<char>((value >> static_cast<unsigned>(shift)) & 0xFFU);
        }
    };
    bytes[at++] = 'r';
    put(received.value);
    put(flushed.value);
    put(applied.value);
    put(static_cast<std::uint64_t>(client_time_us));
    bytes[at] = reply == Reply::kRequested ? 1 : 0;
    return bytes;
}

StreamMessage decode_stream_message(std::string_view row) {
    ByteReader reader(row);
    StreamMessage message;
    const char tag = static_cast<char>(reader.u8());
    switch (tag) {
        case 'w':
            message.kind = StreamMessage::Kind::kWalData;
            message.wal_start = Lsn{reader.u64()};
            message.wal_end = Lsn{reader.u64()};
            message.server_time_us = reader.i64();
            message.payload = reader.bytes(reader.remaining());
            return message;
        case 'k':
            message.kind = StreamMessage::Kind::kKeepalive;
            message.wal_end = Lsn{reader.u64()};
            message.server_time_us = reader.i64();
            message.reply_requested = reader.u8() != 0;
            return message;
        default:
            throw ProtocolError("unknown message in the replication stream, tag " +
                                std::to_string(static_cast<int>(tag)) + ", " +
                                std::to_string(row.size()) + " bytes");
    }
}

}  // namespace holdfast::relay::postgres
