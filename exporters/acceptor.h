// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <functional>
#include <thread>
#include <vector>

namespace tcpdiag {

/// A connection as accept() gives it.
struct Accepted {
  int fd = -1;               ///< whoever is given it closes it
  std::size_t listener = 0;  ///< which of the sockets it came to
  sockaddr_storage peer{};
  socklen_t peer_length = 0;
};

/// Accepts the connections of listening sockets, on a thread of its own. When there is no descriptor or
/// memory left for another one it leaves them waiting, and looks again a hundred times a second.
class Acceptor {
 public:
  /// Called on the thread.
  struct Calls {
    std::function<bool(std::size_t listener)> has_room;  ///< false: its connections have to wait
    std::function<void(const Accepted&)> take;
    std::function<void(int error)> trouble;  ///< of accept(): EMFILE, ...
  };

  /// `listeners` are not blocking and stay open longer than this.
  Acceptor(std::vector<int> listeners, Calls calls);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

 private:
  void run();
  /// False: there may be more, but it has to wait.
  bool accept_some(std::size_t listener);

  const std::vector<int> listeners_;
  const Calls calls_;
  const int stop_;  // an eventfd
  std::thread thread_;
};

}  // namespace tcpdiag
