// SPDX-License-Identifier: Apache-2.0
#include "core/facts/host_config.h"
#include "tests/catch.h"
#include "tests/history.h"
#include "tests/sample_report.h"

using namespace tcpdiag;

namespace {

constexpr auto kTaken = "port-taken-by-client";

// Servers on these ports of a host whose range and reserved ports are these.
HistoryBuilder listening(const std::vector<std::uint16_t>& ports, const std::string& reserved = "",
                         std::vector<std::int64_t> range = {32768, 60999}) {
  Listeners listeners;
  std::uint32_t inode = 1;
  for (const auto port : ports)
    listeners.listeners.push_back(sample_listener("0.0.0.0", port, 0, 128, inode++));
  HistoryBuilder history;
  history.sysctl("net.ipv4.ip_local_port_range", std::move(range));
  auto settings = *history.snapshot().namespaces.front().settings.get();
  settings.sysctls.push_back({"net.ipv4.ip_local_reserved_ports", {0}, reserved});
  history.set(&NetnsView::settings, std::move(settings))
      .set(&NetnsView::listeners, std::move(listeners))
      .set(&Snapshot::config, HostConfig{})
      .set(&Snapshot::processes, Processes{.processes = {{.pid = 7, .comm = "java", .listener_inodes = {1}}}})
      .tick();
  return history;
}

bool clear(const HistoryBuilder& history) { return verdict_of(kTaken, history.history()).is_clear(); }

}  // namespace

TEST_CASE("servers whose ports the kernel gives to clients first are named in one finding") {
  const auto finding = only_finding(kTaken, listening({40000, 50000, 80}, "8080").history());
  CHECK(finding.severity == Severity::info);
  CHECK(finding.subject.name == "net.ipv4.ip_local_reserved_ports");
  CHECK(finding.summary ==
        "2 ports that servers listen on lie within net.ipv4.ip_local_port_range (32768 to 60999) and are not "
        "reserved: 40000 (java), 50000. While a server restarts, an outgoing connection can get its port.");
  REQUIRE(finding.advice.size() == 3);
  CHECK(finding.advice[0].command == "sysctl -w net.ipv4.ip_local_reserved_ports=8080,40000,50000");
  CHECK(finding.advice[1].command ==
        "echo 'net.ipv4.ip_local_reserved_ports = 8080,40000,50000' >> /etc/sysctl.d/zz-tcp.conf");
}

TEST_CASE("with a wide range the ports of usual servers lie in it") {
  const auto finding = only_finding(kTaken, listening({8080, 8080}, "", {1024, 65535}).history());
  CHECK_THAT(finding.summary, ContainsSubstring("1 port that servers listen on lies within"));
}

TEST_CASE("ports outside of the range, reserved ones and those that bind() to port 0 gets are left alone") {
  CHECK(clear(listening({})));
  CHECK(clear(listening({22, 80, 8080, 61000})));
  CHECK(clear(listening({40000}, "40000")));
  CHECK(clear(listening({40001, 33333, 60999})));
  CHECK(clear(listening({40000}, "", {32769, 60999})));
}

TEST_CASE("many ports are counted, and a list too long to be typed is not offered") {
  std::vector<std::uint16_t> ports;
  for (std::uint16_t port = 40000; port < 40600; port += 2) ports.push_back(port);
  const auto finding = only_finding(kTaken, listening(ports).history());
  CHECK_THAT(finding.summary, ContainsSubstring(" and 292 more."));
  CHECK(finding.summary.size() < 400);
  for (const auto& advice : finding.advice) CHECK(advice.command.empty());
}

TEST_CASE("port-taken-by-client cannot tell without listeners, settings or the ports that are reserved") {
  CHECK_FALSE(verdict_of(kTaken, listening({40000}).deny(&NetnsView::listeners).tick().history()).known());
  CHECK_FALSE(verdict_of(kTaken, listening({40000}).deny(&NetnsView::settings).tick().history()).known());
  auto unread = listening({40000});
  auto settings = *unread.snapshot().namespaces.front().settings.get();
  settings.sysctls.pop_back();
  settings.unread.push_back({"net.ipv4.ip_local_reserved_ports", Error{Errc::denied, "test: denied"}});
  CHECK_FALSE(verdict_of(kTaken, unread.set(&NetnsView::settings, settings).tick().history()).known());
}
