// A PostgreSQL server of the test's own: made in a temporary directory, reached through a socket
// there, gone afterwards.  Runs as user postgres when the test runs as root.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "postgres/connect_options.hpp"
#include "postgres/session.hpp"

namespace holdfast::relay::postgres::testing {

class ScratchServer {
 public:
    /// nullptr when there is no PostgreSQL to start; made once per test program.
    static ScratchServer* instance() {
        static const std::unique_ptr<ScratchServer> server = make();
        return server.get();
    }
    ~ScratchServer() {
        run(bin_ + "/pg_ctl -D " + data() + " -m immediate -w stop");
        std::filesystem::remove_all(directory_);
    }
    ScratchServer(const ScratchServer&) = delete;
    ScratchServer& operator=(const ScratchServer&) = delete;

    [[nodiscard]] ConnectOptions options(const std::string& database = "postgres") const {
        return {.dsn = "host=" + directory_ + " port=5432 user=postgres dbname=" + database,
                .password = {},
                .passfile = {},
                .application_name = "test"};
    }
    [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
    ScratchServer(std::string bin, std::string directory)
        : bin_(std::move(bin)), directory_(std::move(directory)) {}

    [[nodiscard]] std::string data() const { return directory_ + "/data"; }

    bool run(const std::string& command) const {
        const std::string as =
            geteuid() == 0 ? "setpriv --reuid=postgres --regid=postgres --clear-groups " : "";
        return std::system(  // NOLINT(cert-env33-c): test code
                   ("cd / && " + as + command + " >>" + directory_ + "/log 2>&1").c_str()) == 0;
    }

    static std::unique_ptr<ScratchServer> make() {
        std::string bin;
        if (FILE* pipe = popen("pg_config --bindir 2>/dev/null", "r")) {  // NOLINT(cert-env33-c)
            std::array<char, 256> line{};
            if (std::fgets(line.data(), line.size(), pipe) != nullptr) {
                bin = line.data();
                bin.pop_back();
            }
            pclose(pipe);
        }
        if (bin.empty() || !std::filesystem::exists(bin + "/initdb")) {
            return nullptr;
        }
        std::string pattern = "/tmp/holdfast-postgres-XXXXXX";
        std::unique_ptr<ScratchServer> server(
            new ScratchServer(bin, mkdtemp(pattern.data())));  // NOLINT: private constructor
        std::filesystem::permissions(server->directory_, std::filesystem::perms::all);
        const bool started =
            server->run(bin + "/initdb -N -A trust -U postgres -D " + server->data()) &&
            server->run(bin + "/pg_ctl -w -t 60 -D " + server->data() +
                        " -o \"-c wal_level=logical -c listen_addresses='' -c fsync=off "
                        "-c max_wal_senders=6 -c max_replication_slots=10 "
                        "-c wal_sender_timeout=4s -c unix_socket_directories=" +
                        server->directory_ + "\" start");
        return started ? std::move(server) : nullptr;
    }

    std::string bin_;
    std::string directory_;
};

/// A test with a database of its own.
class DatabaseTest : public ::testing::Test {
 protected:
    void SetUp() override {
        server_ = ScratchServer::instance();
        if (server_ == nullptr) {
            FAIL() << "no PostgreSQL server can be started here";
        }
        static int count = 0;
        database_ = "test" + std::to_string(++count);
        Session(server_->options()).exec(("CREATE DATABASE " + database_).c_str());
        session_.emplace(options());
    }
    [[nodiscard]] ConnectOptions options() const { return server_->options(database_); }
    Result sql(const std::string& statement) { return session_->exec(statement.c_str()); }

    ScratchServer* server_ = nullptr;
    std::string database_;
    std::optional<Session> session_;
};

}  // namespace holdfast::relay::postgres::testing
