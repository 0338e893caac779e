// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <microhttpd.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace tcpdiag {

/// Runs an MHD daemon that was started with epoll and without a thread of its own, and hands connections over
/// to it in the same thread. MHD's own threads can overlook a connection that is handed over while they take
/// in another one: it is then not served, and MHD cannot be stopped.
class MhdLoop {
 public:
  /// Takes the daemon over. Throws when there is no descriptor or thread left.
  explicit MhdLoop(MHD_Daemon* daemon);
  /// Closes all connections.
  ~MhdLoop();
  MhdLoop(const MhdLoop&) = delete;
  MhdLoop& operator=(const MhdLoop&) = delete;

  /// A connection that MHD serves from now on, and closes. `refused` is called, in any thread, when MHD does
  /// not take it; it is closed by then.
  void add(int fd, const sockaddr_storage& peer, socklen_t peer_length, std::function<void()> refused);

  /// After MHD_resume_connection(): MHD looks at the connection again.
  void wake() const;

 private:
  struct Stop {
    void operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }
  };
  struct Arrival {
    int fd;
    sockaddr_storage peer;
    socklen_t peer_length;
    std::function<void()> refused;
  };
  void run();
  void take_arrivals();

  std::unique_ptr<MHD_Daemon, Stop> daemon_;
  int wake_;  ///< an eventfd: somebody has arrived, or it is to stop
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::vector<Arrival> arrivals_;
  std::thread thread_;
};

}  // namespace tcpdiag
