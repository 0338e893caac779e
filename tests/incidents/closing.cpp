// SPDX-License-Identifier: Apache-2.0
// Connections that one side has closed and the other has not.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <csignal>
#include <thread>

#include "tests/incidents/acceptor.h"
#include "tests/incidents/clients.h"
#include "tests/incidents/server.h"
#include "tests/incidents/stage.h"
#include "tests/incidents/visits.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 5000;

void set_option(int connection, int level, int name, int value) {
  ::setsockopt(connection, level, name, &value, sizeof value);
}

// Clients come and go; the server never closes what they have closed.
void never_closes(Stage& stage) {
  const Acceptor server({.port = kPort});
  Visits clients({.apart = 50ms});
  auto& kernel = stage.kernel();
  stage.evidence("growing CLOSE_WAIT",
                 [&] { return kernel.server(kPort).count(TcpState::close_wait) >= 20; });
  stage.until_found();
  const auto at_the_end = kernel.server(kPort);
  stage.observe("CLOSE_WAIT", at_the_end.count(TcpState::close_wait), 40);
  stage.observe("un-accepted", at_the_end.unaccepted, 0, 1);
  stage.observe("open fds", open_fds(server.pid()), 40);
  clients.end();
  server.let_go();
  stage.until_closed();
}

// A server that sleeps for a while with clients that it has accepted: they give up, others come and wait.
void freezes(Stage& stage) {
  constexpr std::uint32_t kAccepted = 120;
  const Server server({.comm = "redis-server", .port = kPort, .backlog = 20});
  Clients accepted({.port = kPort, .count = kAccepted, .apart = 10ms});
  stage.await("all to be accepted", [&] { return server.accepted() == kAccepted; });
  ::kill(server.pid(), SIGSTOP);
  accepted.end();
  const Clients waiting({.port = kPort, .count = 40});
  auto& kernel = stage.kernel();
  stage.evidence("a full queue", [&] { return kernel.queue_is_full(kPort); });
  stage.until_found();
  std::this_thread::sleep_for(30s);  // as long as a leak would need to be told
  stage.observe("CLOSE_WAIT", kernel.server(kPort).count(TcpState::close_wait), kAccepted);
  ::kill(server.pid(), SIGCONT);
  stage.until_closed();
}

// Clients wait in the accept queue until they give up; there is room for more of them.
void clients_give_up(Stage& stage) {
  Server server({.port = kPort, .backlog = 128, .stuck = true});
  Clients clients({.port = kPort, .count = 60});
  auto& kernel = stage.kernel();
  stage.await("all clients to wait", [&] { return kernel.queue(kPort) == 60; });
  clients.end();
  const auto given_up = [&] { return kernel.server(kPort).count(TcpState::close_wait) == 60; };
  stage.evidence("CLOSE_WAIT that nobody accepted", given_up);
  stage.until_found();
  const auto at_the_end = kernel.server(kPort);
  stage.observe("CLOSE_WAIT", at_the_end.count(TcpState::close_wait), 60, 60);
  stage.observe("un-accepted", at_the_end.unaccepted, 60, 60);
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 0, 0);
  server.get_unstuck();
  stage.until_closed();
}

// The client's end answers keep-alive until its FIN_WAIT2 is over.
void short_fin_timeout(Stage& stage) { stage.sysctl("net.ipv4.tcp_fin_timeout", "1"); }

// As never_closes(), but keep-alive finds out after two seconds: the sockets are gone, the descriptors stay.
void keeps_closed_sockets(Stage& stage) {
  const auto keep_alive = [](int connection) {
    set_option(connection, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(connection, IPPROTO_TCP, TCP_KEEPIDLE, 1);
    set_option(connection, IPPROTO_TCP, TCP_KEEPINTVL, 1);
    return true;
  };
  const Acceptor server({.port = kPort, .treat = keep_alive});
  Visits clients({.count = 100, .apart = 10ms});
  auto& kernel = stage.kernel();
  stage.evidence("CLOSE_WAIT that went away by itself", [&] {
    return clients.made() == 100 && kernel.server(kPort).count(TcpState::close_wait) == 0;
  });
  stage.until_found();
  stage.observe("CLOSE_WAIT", kernel.server(kPort).count(TcpState::close_wait), 0, 0);
  stage.observe("accepted", server.accepted(), 100, 100);
  stage.observe("open fds", open_fds(server.pid()), 104, 104);
  stage.observe("aborted by keep-alive", kernel.increase(&TcpCounters::estab_resets), 100);
  server.let_go();
  stage.until_closed();
}

// The server closes with a reset: because it has not read all, or because it wants to.
void server_resets(Stage& stage, const AcceptorPlan& plan, bool speak, Count TcpCounters::* aborts) {
  const Acceptor server(plan);
  Visits clients({.apart = 20ms, .speak = speak, .server_ends_first = true});
  auto& kernel = stage.kernel();
  stage.evidence("aborted connections", [&] { return kernel.increase(aborts) >= 5; });
  stage.until_found();
  stage.await("many of them", [&] { return kernel.increase(aborts) >= 120 && clients.reset() >= 120; });
  stage.observe("aborted", kernel.increase(aborts));
  stage.observe("clients reset", clients.reset());
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 0, 0);
  clients.end();
  stage.until_closed();
}

bool leave_data(int connection) {
  char byte = 0;
  (void)::recv(connection, &byte, 1, MSG_PEEK);  // returns when there is some
  return false;
}

bool linger_not(int connection) {
  const linger none{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  return false;
}

}  // namespace

std::vector<Scenario> closing_scenarios() {
  const auto resets = [](const char* id, const char* name, auto treat, bool speak,
                         Count TcpCounters::* aborts, const char* severity) {
    return Scenario{
        .id = id,
        .name = name,
        .play = [treat, speak, aborts](
                    Stage& stage) { server_resets(stage, {.port = kPort, .treat = treat}, speak, aborts); },
        .expected = {{.id = "app-reset", .severity = severity}},
        .look_alikes = {"accept-overflow-*", "idle-reuse-reset"}};
  };
  return {
      {.id = "17",
       .name = "close-wait-held",
       .play = never_closes,
       .expected = {{.id = "close-wait-leak", .process = "gunicorn", .severity = "warning", .within = 50s}},
       .look_alikes = {"close-wait-unaccepted", "closed-socket-fd-leak", "accept-queue-*"}},
      {.id = "17b",
       .name = "frozen-with-accepted-clients",
       .play = freezes,
       .expected = {{.id = "accept-queue-app-stalled", .port = kPort, .process = "redis-server"}},
       .look_alikes = {"close-wait-leak"},
       .allowed = {{.id = "accept-queue-waiting", .why = "on the way there"},
                   {.id = "accept-overflow-late-reset", .why = "the first to wait are not let in"}}},
      {.id = "18",
       .name = "close-wait-in-the-queue",
       .play = clients_give_up,
       .expected = {{.id = "accept-queue-waiting", .port = kPort, .process = "gunicorn"}},
       .look_alikes = {"close-wait-leak", "accept-queue-backlog-small"},
       .allowed = {{.id = "close-wait-unaccepted", .why = "it follows from that"}}},
      {.id = "19",
       .name = "closed-sockets-held",
       .play = keeps_closed_sockets,
       .expected = {{.id = "closed-socket-fd-leak", .process = "gunicorn", .severity = "warning"}},
       .look_alikes = {"close-wait-*"},
       .before_daemon = short_fin_timeout},
      resets("20", "unread-data-reset", leave_data, true, &TcpCounters::abort_on_close, "warning"),
      resets("20b", "no-linger-reset", linger_not, false, &TcpCounters::abort_on_data, "info")};
}

}  // namespace tcpdiag::incidents
