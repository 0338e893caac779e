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

TEST_CASE(
    "a few counters of IP and ICMP are read, and what is wrong with others of them costs no counter of TCP") {
  const auto counters = parse_tcp_counters(
      "Ip: Forwarding InDiscards OutNoRoutes\nIp: 1 5 6\nIcmp: InMsgs InDestUnreachs\nIcmp: x 7\n"
      "Tcp: ActiveOpens\nTcp: 13\n",
      "TcpExt: TW\nTcpExt: 1\nIpExt: InNoRoutes Odd\nIpExt: 8 -1 9\n");
  REQUIRE(counters);
  CHECK(counters->ip_in_discards == 5);
  CHECK(counters->ip_out_no_routes == 6);
  CHECK(counters->icmp_in_dest_unreachs == 7);
  CHECK(counters->ip_in_no_routes == 8);
  CHECK(counters->active_opens == 13);
}

TEST_CASE("a counter file cut at any byte is an error, except between its groups and behind its names") {
  const std::string_view whole = kNetstat;
  const auto end_of_tcp = whole.find("IpExt: InNoRoutes"), end_of_names = whole.find('\n') + 1;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto counters = parse_tcp_counters(kSnmp, whole.substr(0, length));
    CHECK(counters.has_value() == (length == end_of_tcp || length == end_of_names));
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

TEST_CASE("a netstat of names without values costs none of the other file's counters") {
  const auto counters = parse_tcp_counters(kSnmp, "TcpExt: SyncookiesSent ListenOverflows\n");
  REQUIRE(counters);
  CHECK(counters->active_opens == 13);
  CHECK_FALSE(counters->listen_overflows.has_value());
}

TEST_CASE("a counter of 32 bits that wraps goes on counting") {
  Snapshot previous;
  FakeSource source;
  TcpCountersReader reader;
  const auto look = [&](std::uint64_t segments) {
    source.files["/proc/net/snmp"] = "Tcp: InSegs OutSegs\nTcp: " + std::to_string(segments) + " 7\n";
    source.files["/proc/net/netstat"] = kNetstat;
    return reader({source, {}, previous}).value();
  };
  constexpr std::uint64_t kRange = std::uint64_t{1} << 32;
  CHECK(look(kRange - 10).in_segs == kRange - 10);
  CHECK(look(5).in_segs == kRange + 5);
  CHECK(look(kRange / 4).in_segs == kRange + kRange / 4);
  CHECK(look(kRange / 2).in_segs == kRange + kRange / 2);
  CHECK(look(kRange - 1).in_segs == 2 * kRange - 1);
  CHECK(look(0).in_segs == 2 * kRange);
  CHECK(look(0).out_segs == 7U);
  source.netns_generation = 1;
  CHECK(look(3).in_segs == 3U);
}

TEST_CASE("a counter that begins anew is no wrap") {
  LongCounter counter;
  CHECK(counter.advance(1000) == 1000);
  CHECK(counter.advance(10) == 10);
  constexpr std::uint64_t kFarBeyond = std::uint64_t{1} << 40;
  CHECK(counter.advance(kFarBeyond) == kFarBeyond);
  CHECK(counter.advance(10) == 10);
  CHECK(counter.advance(~std::uint64_t{0}) == ~std::uint64_t{0});
  CHECK(counter.advance(0) == 0);
}

TEST_CASE("a counter file that may not be read is the section's error") {
  FakeSource source;
  source.files["/proc/net/snmp"] = kSnmp;
  source.deny("/proc/net/netstat");
  const auto counters = read_tcp_counters(source);
  REQUIRE_FALSE(counters);
  CHECK(counters.error().code == Errc::denied);
}

TEST_CASE("while snmp stays what it was, netstat is not read where it may rest") {
  using namespace std::chrono_literals;
  FakeSource source;
  source.files["/proc/net/snmp"] = kSnmp;
  source.files["/proc/net/netstat"] = kNetstat;
  const Snapshot nothing;
  TcpCountersReader reader;
  TimePoint now(1h);
  const auto read = [&](bool may_rest) {
    return reader({.source = source, .now = now += 2s, .previous = nothing, .may_rest = may_rest});
  };
  const auto overflows = [&](bool may_rest = true) { return read(may_rest).value().listen_overflows; };
  CHECK(overflows() == 392U);
  source.files["/proc/net/netstat"] = "TcpExt: ListenOverflows\nTcpExt: 393\n";
  CHECK(overflows() == 392U);
  CHECK(overflows(false) == 393U);

  source.files["/proc/net/netstat"] = "TcpExt: ListenOverflows\nTcpExt: 394\n";
  source.files["/proc/net/snmp"] = "Tcp: InSegs\nTcp: 1\n";
  CHECK(overflows() == 394U);  // a segment came

  source.files["/proc/net/netstat"] = "TcpExt: ListenOverflows\nTcpExt: 395\n";
  for (int look = 0; look < 29; ++look) CHECK(overflows() == 394U);
  CHECK(overflows() == 395U);  // a minute later

  source.files["/proc/net/netstat"] = "TcpExt: ListenOverflows\nTcpExt: 1\n";
  source.netns_generation = 2;
  CHECK(overflows() == 1U);  // another namespace's

  source.deny("/proc/net/snmp");
  CHECK_FALSE(read(true));
  source.files["/proc/net/snmp"] = "Tcp: InSegs\nTcp: 1\n";
  source.files["/proc/net/netstat"] = "TcpExt: ListenOverflows\nTcpExt: 2\n";
  CHECK(overflows() == 2U);  // what happened meanwhile is not known
}
