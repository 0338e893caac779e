// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/file_descriptor.h"

namespace tcpdiag::bench {

/// A connection to 127.0.0.1:port, from a chosen loopback address; empty when it was refused.
/// Only another address than 127.0.0.1 is bound: a bound port is taken for connections to everywhere.
inline FileDescriptor connect_to_port(std::uint16_t port, std::uint32_t from = INADDR_LOOPBACK) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in source{.sin_family = AF_INET, .sin_addr = {htonl(from)}};
  const sockaddr_in server{
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  if (from != INADDR_LOOPBACK &&
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0)
    return {};
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) return {};
  return socket;
}

/// A client that keeps its connection and fetches one page again and again.
class HttpClient {
 public:
  HttpClient(std::uint16_t port, std::string_view path, std::string_view headers = {})
      : port_(port),
        request_("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(headers) +
                 "\r\n") {}

  /// The body; empty when the server is gone, does not say 200, or does not give a length.
  std::optional<std::string> fetch() {
    if (!socket_) socket_ = connect_to_port(port_);
    if (!socket_ || ::send(socket_.get(), request_.data(), request_.size(), MSG_NOSIGNAL) < 0)
      return give_up();
    std::string answer;
    std::size_t body = std::string::npos;
    while (body == std::string::npos) {
      if (!receive_more(answer)) return give_up();
      body = answer.find("\r\n\r\n");
    }
    body += 4;
    const auto length = content_length(std::string_view(answer).substr(0, body));
    if (!length || !answer.starts_with("HTTP/1.1 200")) return give_up();
    while (answer.size() < body + *length)
      if (!receive_more(answer)) return give_up();
    return answer.substr(body);
  }

 private:
  bool receive_more(std::string& answer) {
    const auto before = answer.size();
    answer.resize(before + 65536);
    const auto received = ::recv(socket_.get(), answer.data() + before, 65536, 0);
    answer.resize(before + static_cast<std::size_t>(received > 0 ? received : 0));
    return received > 0;
  }
  static std::optional<std::size_t> content_length(std::string_view head) {
    constexpr std::string_view kName = "\r\nContent-Length: ";
    const auto at = head.find(kName);
    std::size_t length = 0;
    if (at == std::string_view::npos) return {};
    const auto digits = head.substr(at + kName.size());
    if (std::from_chars(digits.data(), digits.data() + digits.size(), length).ec != std::errc{}) return {};
    return length;
  }
  std::optional<std::string> give_up() {
    socket_ = FileDescriptor();
    return {};
  }

  std::uint16_t port_;
  std::string request_;
  FileDescriptor socket_;
};

}  // namespace tcpdiag::bench
