// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/http_clients.h"

#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/shell.h"
#include "tests/sockets.h"

namespace tcpdiag::incidents {
namespace {

// The whole answer's length; 0: its head is not there yet, or says nothing of it.
std::size_t length_of(std::string_view answer) {
  constexpr std::string_view kEnd = "\r\n\r\n", kName = "\r\nContent-Length:";
  const auto end = answer.find(kEnd);
  if (end == std::string_view::npos) return 0;
  for (std::size_t at = 0; at < end; ++at)
    if (::strncasecmp(answer.data() + at, kName.data(), kName.size()) == 0)
      return end + kEnd.size() + std::strtoul(answer.data() + at + kName.size(), nullptr, 10);
  return 0;
}

bool ask_on_new_connection(const HttpPlan& plan, FileDescriptor& connection) {
  connection = try_to_connect(plan.address, plan.port).socket;
  const bool answered = connection && ask(connection.get(), plan.path, plan.keep_alive);
  if (!answered || !plan.keep_alive) connection = FileDescriptor();
  return answered;
}

}  // namespace

bool ask(int connection, const std::string& path, bool keep_alive) {
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const auto request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" +
                       (keep_alive ? "" : "Connection: close\r\n") + "\r\n";
  if (::send(connection, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    return false;
  for (std::string answer;;) {
    char bytes[4096];
    const auto received = ::recv(connection, bytes, sizeof bytes, 0);
    if (received <= 0) return false;
    answer.append(bytes, static_cast<std::size_t>(received));
    if (const auto length = length_of(answer); length > 0 && answer.size() >= length)
      return answer.starts_with("HTTP/1.1 200 ");
  }
}

HttpClients::HttpClients(const HttpPlan& plan)
    : actor_("client", plan.netns, [plan](Tally& tally) { ask_on(plan, tally); }) {}

void HttpClients::ask_on(const HttpPlan& plan, Tally& tally) {
  std::vector<FileDescriptor> connections(plan.count);
  auto next_at = now();
  for (std::size_t each = 0;; each = (each + 1) % plan.count, next_at += plan.each_asks_every / plan.count) {
    std::this_thread::sleep_until(next_at);
    auto& connection = connections[each];
    const bool kept = static_cast<bool>(connection);
    bool answered = kept && ask(connection.get(), plan.path, plan.keep_alive);
    if (kept && !answered) ++tally.found_closed;
    if (!answered) answered = ask_on_new_connection(plan, connection);
    ++(answered ? tally.answered : tally.failed);
  }
}

}  // namespace tcpdiag::incidents
