// SPDX-License-Identifier: Apache-2.0
// What the daemon tells systemd about itself (sd_notify(3)), without libsystemd.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "core/file_descriptor.h"
#include "core/time_point.h"

namespace tcpdiag {

/// Tells the service manager how the daemon is. Nobody waits for its socket: what that does not take
/// because it is full is sent with the next ticked() or status().
class ServiceManager {
 public:
  /// Nobody is told anything.
  ServiceManager() = default;
  /// `notify_socket`: a path, or a name in the abstract namespace behind an '@'; of any other form: nobody is
  /// told. `watchdog`: after how long without ticked() the manager thinks that the loop hangs; empty: never.
  explicit ServiceManager(std::string_view notify_socket,
                          std::optional<std::chrono::microseconds> watchdog = std::nullopt);

  void ready();
  /// The configuration is read again. ready() is to follow, in any case.
  void reloading(TimePoint now);
  void stopping();
  /// One line for `systemctl status`; sent when it is another one than was sent before.
  void status(const std::string& line);
  /// The loop goes round. The watchdog hears of it twice within its time.
  void ticked(TimePoint now);

 private:
  void send_due();
  /// Whether the socket took it.
  bool send(const std::string& message);

  std::string address_;  // as the kernel wants it; empty: nobody is told
  FileDescriptor socket_;
  std::optional<std::chrono::microseconds> watchdog_;
  std::optional<TimePoint> told_;  // when ticked() was sent
  std::string status_;             // as it was sent
  std::deque<std::string> due_;    // states that could not be told yet, in their order; two at most
};

/// The watchdog's time, from the variables WATCHDOG_USEC and WATCHDOG_PID (nullptr: not set). Empty: nobody
/// watches, or another process than `own_pid`.
std::optional<std::chrono::microseconds> parse_watchdog(const char* usec, const char* pid, long own_pid);

/// The one that started this process, as the environment names it.
ServiceManager service_manager_of_this_process();

}  // namespace tcpdiag
