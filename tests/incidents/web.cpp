// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/web.h"

#include <poll.h>
#include <sys/socket.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "tests/shell.h"
#include "tests/sockets.h"

namespace tcpdiag::incidents {
namespace {

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", kEnd = "\r\n\r\n";

std::string page() {
  const std::string body(4096, 'x');
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// False when the connection is over.
bool send_all(int socket, std::string_view text) {
  return ::send(socket, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

bool receive(int socket, std::string& into) {
  char bytes[16384];
  const auto length = ::recv(socket, bytes, sizeof bytes, 0);
  if (length > 0) into.append(bytes, static_cast<std::size_t>(length));
  return length > 0;
}

void serve(std::uint16_t port, std::atomic<bool>& listening) {
  const auto listener = listen_on("0.0.0.0", port, {.backlog = 511});
  listening = true;
  std::vector<FileDescriptor> connections;
  std::vector<std::string> requests;
  std::vector<pollfd> polled{{.fd = listener.get(), .events = POLLIN}};
  for (;;) {
    ::poll(polled.data(), polled.size(), -1);
    for (std::size_t at = 0; at < connections.size(); ++at) {
      if (polled[at + 1].revents == 0) continue;
      if (!receive(connections[at].get(), requests[at])) return;  // the clients have ended
      for (auto end = requests[at].find(kEnd); end != std::string::npos; end = requests[at].find(kEnd)) {
        requests[at].erase(0, end + kEnd.size());
        if (!send_all(connections[at].get(), page())) return;
      }
    }
    if (polled[0].revents == 0) continue;
    connections.push_back(accept_from(listener));
    requests.emplace_back();
    polled.push_back({.fd = connections.back().get(), .events = POLLIN});
  }
}

void ask(std::uint16_t port, unsigned clients, std::atomic<std::uint32_t>& pages) {
  const auto length = page().size();
  std::vector<FileDescriptor> connections;
  std::vector<std::string> answers(clients);
  std::vector<pollfd> polled;
  for (unsigned each = 0; each < clients; ++each) {
    connections.push_back(try_to_connect("127.0.0.1", port).socket);
    polled.push_back({.fd = connections.back().get(), .events = POLLIN});
    (void)send_all(connections.back().get(), kRequest);
  }
  for (;;) {
    ::poll(polled.data(), polled.size(), -1);
    for (std::size_t at = 0; at < connections.size(); ++at) {
      if (polled[at].revents == 0) continue;
      if (!receive(connections[at].get(), answers[at])) throw std::runtime_error("the web server closed");
      if (answers[at].size() < length) continue;
      answers[at].clear();
      ++pages;
      (void)send_all(connections[at].get(), kRequest);
    }
  }
}

}  // namespace

BusyWeb::BusyWeb(std::uint16_t port, unsigned clients)
    : server_("nginx", "", [port](Served& served) { serve(port, served.listening); }),
      clients_("client", "", [port, clients, this](Got& got) {
        wait_until("the web server to listen", [this] { return server_->listening.load(); });
        ask(port, clients, got.pages);
      }) {}

}  // namespace tcpdiag::incidents
