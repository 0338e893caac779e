// SPDX-License-Identifier: Apache-2.0
#include "collectors/netstat.h"

#include "tests/catch.h"
#include "tests/fake_source.h"

using namespace tcpdiag;

namespace {

constexpr auto kSnmp =
    "Ip: Forwarding DefaultTTL\nIp: 1 64\n"
    "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens OutRsts\nTcp: 1 200 120000 -1 13 2\n";
constexpr auto kNetstat =
    "TcpExt: SyncookiesSent ListenOverflows NotKnownToUs IPReversePathFilter\nTcpExt: 4 392 7 164\n"
    "IpExt: InNoRoutes\nIpExt: 0\n";

}  // namespace

TEST_CASE("counters are found by name, and what the kernel lacks stays empty") {
  const auto counters = parse_tcp_counters(kSnmp, kNetstat);
  REQUIRE(counters);
  CHECK(counters->active_opens == 13);
  CHECK(counters->out_rsts == 2);
  CHECK(counters->syncookies_sent == 4);
  CHECK(counters->listen_overflows == 392);
  CHECK(counters->ip_reverse_path_filter == 164);
  CHECK_FALSE(counters->listen_drops.has_value());
}

TEST_CASE("a counter of the same name in another group is not taken") {
  const auto counters = parse_tcp_counters(kSnmp, "TcpExt: TW\nTcpExt: 1\nIpExt: ListenDrops\nIpExt: 9\n");
  REQUIRE(counters);
  CHECK_FALSE(counters->listen_drops.has_value());
}

TEST_CASE("a counter file cut at any byte is an error, except between its groups") {
  const std::string_view whole = kNetstat;
  const auto end_of_tcp = whole.find("IpExt: InNoRoutes");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto counters = parse_tcp_counters(kSnmp, whole.substr(0, length));
    CHECK(counters.has_value() == (length == end_of_tcp));
    if (!counters) CHECK(counters.error().code == Errc::malformed);
  }
}

TEST_CASE("counter files that are empty, garbled or without TCP name the file") {
  for (const auto* bad : {"", "\n\n", "garbage", "IpExt: A\nIpExt: 1\n", "TcpExt: TW\nIpExt: 1\n",
                          "TcpExt: TW\nTcpExt: -1\n", "TcpExt: TW\nTcpExt: 99999999999999999999\n",
                          "TcpExt: TW\nTcpExt: 1 2\n", "TcpExt: TW TWKilled\nTcpExt: 1\n"}) {
    const auto counters = parse_tcp_counters(kSnmp, bad);
    REQUIRE_FALSE(counters);
    CHECK_THAT(counters.error().detail, ContainsSubstring("/proc/net/netstat: "));
  }
}

TEST_CASE("a counter file that may not be read is the section's error") {
  FakeSource source;
  source.files["/proc/net/snmp"] = kSnmp;
  source.deny("/proc/net/netstat");
  const auto counters = read_tcp_counters(source);
  REQUIRE_FALSE(counters);
  CHECK(counters.error().code == Errc::denied);
}
