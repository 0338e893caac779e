// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "exporters/acceptor.h"
#include "exporters/tls.h"

namespace tcpdiag {

/// Speaks TLS with clients, on a thread of its own, and hands what they say to a server of plain HTTP over a
/// pair of sockets. The HTTP library could do that, too; but it spins while it waits for the rest of a
/// handshake, and keeps connections that were reset in the middle of one.
class TlsRelay {
 public:
  /// A handshake is done: `fd`, whose closing is up to whoever is called, speaks plain HTTP for the client.
  using Serve = std::function<void(const Accepted& client, int fd)>;
  /// Called before the client's descriptor is closed.
  using Closing = std::function<void(const Accepted& client)>;

  /// Both functions are called on the thread.
  TlsRelay(Serve serve, Closing closing);
  /// Sends what the HTTP server has said last, as far as that does not take waiting, and closes all.
  ~TlsRelay();
  TlsRelay(const TlsRelay&) = delete;
  TlsRelay& operator=(const TlsRelay&) = delete;

  /// Takes over a client that begins a handshake. From any thread.
  void add(const Accepted& client, std::shared_ptr<const TlsServer> tls);

 private:
  class Connection;

  void run();
  void take_new();
  void advance(std::uint64_t id);
  void watch(int fd, std::uint64_t id) const;

  const Serve serve_;
  const Closing closing_;
  const int epoll_, wake_;
  std::mutex mutex_;  ///< guards what follows
  std::vector<std::unique_ptr<Connection>> new_;
  bool stop_ = false;

  std::map<std::uint64_t, std::unique_ptr<Connection>> connections_;  ///< from here on: of the thread alone
  std::vector<std::uint64_t> busy_;                                   ///< those that could go on at once
  std::uint64_t last_id_ = 0;
  std::thread thread_;
};

}  // namespace tcpdiag
