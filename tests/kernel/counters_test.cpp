// SPDX-License-Identifier: Apache-2.0
#include <sys/socket.h>

#include <map>
#include <sstream>

#include "collectors/netstat.h"
#include "collectors/sockstat.h"
#include "tests/catch.h"
#include "tests/kernel/testbed.h"

using namespace tcpdiag;

namespace {

// The kernel's name to its value, as nstat has them: "TcpExtListenOverflows".
std::map<std::string, std::uint64_t> nstat() {
  std::map<std::string, std::uint64_t> values;
  std::istringstream lines(run("nstat -asz"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#")) continue;
    std::istringstream words(line);
    std::string name;
    words >> name >> values[name];
  }
  return values;
}

std::map<std::string, std::uint64_t> ours(Source& source) {
  const auto counters = read_tcp_counters(source);
  REQUIRE(counters);
  std::map<std::string, std::uint64_t> values;
  for (const auto& field : tcp_counter_table()) {
    std::string name(field.kernel_name);
    name.erase(name.find(':'), 1);
    if (const auto value = (*counters).*field.member) values[name] = *value;
  }
  return values;
}

// Connections, refusals, an overflowing accept queue, resets and half-open connections.
void make_traffic() {
  add_link_to_nowhere();
  const auto listener = listen_on("127.0.0.1", 0, {.backlog = 1});
  const auto port = port_of(listener);
  std::vector<FileDescriptor> clients;
  for (int each = 0; each < 8; ++each) clients.push_back(connect_to("127.0.0.1", port));
  {
    const auto refused = connect_to("127.0.0.1", 1);
  }
  {
    const auto accepted = accept_from(listener);
    REQUIRE(::write(clients[0].get(), "unread", 6) == 6);
    wait_until("data", [&] {
      char byte = 0;
      return ::recv(accepted.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
    });
  }
  const auto half_open = listen_on("192.0.2.1", 0, {.backlog = 2});
  for (std::uint16_t each = 1; each <= 10; ++each)
    send_syn("192.0.2.9", each, "192.0.2.1", port_of(half_open));
}

}  // namespace

TEST_CASE("every TCP counter is what nstat says") {
  FreshNetns netns;
  make_traffic();
  const auto source = live_source();
  const auto [said, oracle] = at_one_moment([&] { return ours(*source); }, nstat);
  CHECK(said.size() > 50);
  for (const auto& field : tcp_counter_table()) {
    std::string name(field.kernel_name);
    name.erase(name.find(':'), 1);
    INFO(name);
    const auto theirs = oracle.find(name);
    const auto our = said.find(name);
    CHECK((theirs == oracle.end()) == (our == said.end()));  // what this kernel lacks, it lacks for both
    if (theirs != oracle.end() && our != said.end()) CHECK(our->second == theirs->second);
  }
  for (const auto* moved :
       {"TcpActiveOpens", "TcpAttemptFails", "TcpOutRsts", "TcpExtListenOverflows", "TcpExtListenDrops",
        "TcpExtTCPAbortOnClose", "TcpExtTCPReqQFullDoCookies", "TcpExtSyncookiesSent"}) {
    INFO(moved);
    CHECK(said.at(moved) > 0);
  }
}

TEST_CASE("a namespace's counters begin at zero, and the host's are others") {
  const auto host = live_source();
  REQUIRE(read_tcp_counters(*host));
  FreshNetns netns;
  const auto source = live_source();
  const auto counters = read_tcp_counters(*source);
  REQUIRE(counters);
  CHECK(counters->active_opens == 0U);
  CHECK(counters->listen_overflows == 0U);
  const auto listener = listen_on("127.0.0.1", 0);
  const auto client = connect_to("127.0.0.1", port_of(listener));
  const auto accepted = accept_from(listener);
  CHECK(read_tcp_counters(*source)->passive_opens == 1U);
}

TEST_CASE("sockets in use and in TIME_WAIT are the namespace's own") {
  FreshNetns netns;
  const auto source = live_source();
  const auto v4 = listen_on("127.0.0.1", 0);
  const auto v6 = listen_on("::1", 0);
  {
    const auto client = connect_to("127.0.0.1", port_of(v4));
    {
      const auto closed_first = accept_from(v4);
    }
    wait_until("the end of the stream", [&] {
      char byte = 0;
      return ::recv(client.get(), &byte, 1, MSG_DONTWAIT) == 0;
    });
  }
  wait_until("TIME_WAIT", [&] { return read_socket_usage(*source)->time_wait == 1U; });
  const auto usage = read_socket_usage(*source);
  CHECK(usage->tcp_in_use == 1U);
  CHECK(usage->tcp6_in_use == 1U);
  CHECK(usage->allocated.value_or(0) >= 2);
  CHECK(ss_in_state("TIME-WAIT").size() == 1);
}
