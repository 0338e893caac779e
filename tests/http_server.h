// SPDX-License-Identifier: Apache-2.0
// For tests of the HTTP server over loopback, on a port that the kernel chooses.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "exporters/http.h"
#include "tests/catch.h"

namespace tcpdiag {

inline const ListenAddress kLoopback{IpAddress{.v6 = false, .bytes = {127, 0, 0, 1}}, 0};

inline const HttpLog kNoLog{.warn = [](const std::string&) {}, .debug = [](const std::string&) {}};

inline std::unique_ptr<HttpServer> start(const Published<Report>& reports, HttpOptions options = {},
                                         HttpLog log = kNoLog) {
  if (options.listen == HttpOptions{}.listen) options.listen = {kLoopback};
  auto server = HttpServer::start(options, reports, [] { return Health{true, true}; }, std::move(log));
  if (!server) FAIL(server.error().detail);
  return std::move(*server);
}

/// A connection from 127.0.0.1, or from another address of the loopback network.
class Client {
 public:
  explicit Client(const HttpServer& server, const char* from = "127.0.0.1")
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{.sin_family = AF_INET};
    inet_pton(AF_INET, from, &address.sin_addr);
    bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    address.sin_port = htons(server.addresses().front().port);
    connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const timeval patience{.tv_sec = 20};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { close(fd_); }

  [[nodiscard]] int fd() const { return fd_; }
  void send(const std::string& text) const { ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }

  /// All that comes until the server closes the connection.
  [[nodiscard]] std::string read_to_end() const {
    std::string answer;
    while (read_some(answer)) {
    }
    return answer;
  }
  /// What comes until its end is there; empty when the connection was closed before.
  [[nodiscard]] std::string read_until(const std::string& end) const {
    std::string answer;
    while (!answer.ends_with(end))
      if (!read_some(answer)) return {};
    return answer;
  }

 private:
  bool read_some(std::string& answer) const {
    char buffer[4096];
    const auto count = recv(fd_, buffer, sizeof buffer, 0);
    if (count > 0) answer.append(buffer, static_cast<std::size_t>(count));
    return count > 0;
  }

  int fd_;
};

inline std::string request(const std::string& first_line,
                           const std::string& headers = "Connection: close\r\n") {
  return first_line + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n";
}

inline std::string ask(const HttpServer& server, const std::string& text) {
  const Client client(server);
  client.send(text);
  return client.read_to_end();
}

}  // namespace tcpdiag
