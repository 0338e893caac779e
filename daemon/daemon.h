// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "collectors/netns_door.h"
#include "core/published.h"
#include "daemon/cycle.h"
#include "daemon/finding_log.h"
#include "daemon/log.h"
#include "daemon/netns_watch.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/web_config_watch.h"
#include "daemon/worker.h"
#include "exporters/http.h"

namespace tcpdiag {

/// What whoever started the daemon gives it.
struct StartedBy {
  std::optional<Journal> journal;  ///< where findings are told; empty: in the log
  ServiceManager manager;
  std::vector<int> sockets;  ///< that listen already, instead of Options::listen_addresses
  OpenDoor open_door;        ///< of other network namespaces
};

/// The service: the cycle on the loop and the worker, the newest report to the HTTP server, changes to the
/// log.
class Daemon {
 public:
  /// `arguments` are read again on SIGHUP. The signals of the loop must be blocked already.
  Daemon(std::vector<std::string> arguments, Options options, Log& log, StartedBy started_by, Clocks clocks);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// Runs until SIGTERM or SIGINT. Errors: a listen address or the web configuration file cannot be used; the
  /// kernel refused a timer.
  Result<void> run();

 private:
  Result<void> serve();
  void warn_of(const WebConfigFile& file);
  Result<void> take_web_config(const Result<WebConfigFile>& file);
  void tick(std::uint64_t missed);
  void finish_batch();
  void publish();
  void log_changes(const Report& report);
  void reload();
  void apply(Options options);

  std::vector<std::string> arguments_;
  Options options_;
  const std::string web_config_path_;  // a new one takes a restart
  Log& log_;
  FindingLog finding_log_;
  ServiceManager manager_;
  std::vector<int> sockets_;
  Clocks clocks_;
  std::atomic<bool> stopping_ = false;
  std::atomic<TimePoint::rep> last_tick_ = 0;
  std::atomic<bool> ready_ = false;
  bool announced_ = false;  // to the service manager
  Published<Report> published_;
  std::shared_ptr<NetnsPaths> netns_paths_ = std::make_shared<NetnsPaths>();
  Cycle cycle_;
  NetnsWatch netns_watch_;
  Worker worker_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<WebConfigWatch> web_config_;  // empty: there is no such file
  TimePoint publish_at_, published_at_;
};

}  // namespace tcpdiag
