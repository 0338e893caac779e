// SPDX-License-Identifier: Apache-2.0
// Debian's nginx and gunicorn on a stage, with a configuration of the scenario's own. ./dev unpacks them.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/incidents/actor.h"
#include "tests/incidents/daemon.h"

namespace tcpdiag::incidents {

/// Where a program is, looked for in PATH; empty: it is not there.
std::filesystem::path find_program(const std::string& name);

/// A master whose children are the workers, and which replaces them on SIGHUP.
class Prefork {
 public:
  [[nodiscard]] pid_t master() const { return program_.pid(); }
  [[nodiscard]] std::vector<pid_t> workers() const;
  /// What it has logged.
  [[nodiscard]] std::string log() const { return program_.log(); }

 protected:
  explicit Prefork(Program program) : program_(std::move(program)) {}

 private:
  Program program_;
};

struct NginxPlan {
  std::uint16_t port = 5000;
  unsigned workers = 2;
  unsigned worker_connections = 1024;
  std::string listen;  ///< further parameters of `listen`: "reuseport backlog=32"
  std::string server;  ///< further lines of the server block: "keepalive_timeout 8s;"
};

/// It answers / with one line, and /large with a megabyte.
struct Nginx : Prefork {
  /// Returns when its workers are there.
  explicit Nginx(const NginxPlan& plan);
};

/// Workers of the kind "sync": one request at a time, and each on a connection of its own.
struct Gunicorn : Prefork {
  /// Returns when its workers are there.
  Gunicorn(std::uint16_t port, unsigned workers);
};

/// Who sends SIGHUP to the master, again and again, each time when the workers of before have gone.
class Reloads {
 public:
  Reloads(const Prefork& server, std::chrono::milliseconds apart);
  /// How often all workers were replaced.
  [[nodiscard]] std::uint32_t done() const { return actor_->done; }

 private:
  struct Tally {
    std::atomic<std::uint32_t> done = 0;
  };
  Actor<Tally> actor_;
};

}  // namespace tcpdiag::incidents
