// SPDX-License-Identifier: Apache-2.0
#include "collectors/sockstat.h"

#include "tests/catch.h"
#include "tests/fake_source.h"

using namespace tcpdiag;

namespace {

// Linux 6.18
constexpr std::string_view kSockstat =
    "sockets: used 13\n"
    "TCP: inuse 5 orphan 2 tw 7 alloc 9 mem 187\n"
    "UDP: inuse 1 mem 3\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n";
constexpr std::string_view kSockstat6 =
    "TCP6: inuse 4\nUDP6: inuse 2\nUDPLITE6: inuse 0\nRAW6: inuse 0\nFRAG6: inuse 0 memory 0\n";

}  // namespace

TEST_CASE("the use of TCP sockets is read, and memory is in bytes") {
  const auto usage = parse_socket_usage(kSockstat, kSockstat6, 4096);
  REQUIRE(usage);
  CHECK(usage->tcp_in_use == 5);
  CHECK(usage->tcp6_in_use == 4);
  CHECK(usage->orphans == 2);
  CHECK(usage->time_wait == 7);
  CHECK(usage->allocated == 9);
  CHECK(usage->memory_bytes == 187 * 4096);
  CHECK(usage->page_bytes == 4096U);
  CHECK(parse_socket_usage(kSockstat, kSockstat6, 65536)->memory_bytes == 187 * 65536);
}

TEST_CASE("what the line about TCP sockets does not name stays empty") {
  const auto usage = parse_socket_usage("TCP: inuse 5 later 1\n", "", 4096);
  REQUIRE(usage);
  CHECK(usage->tcp_in_use == 5);
  CHECK_FALSE(usage->orphans);
  CHECK_FALSE(usage->memory_bytes);
  CHECK_FALSE(usage->page_bytes);
}

TEST_CASE("a kernel without IPv6 has no number of IPv6 sockets, and that is no error") {
  FakeSource source;
  source.files["/proc/net/sockstat"] = std::string(kSockstat);
  const auto usage = read_socket_usage(source);
  REQUIRE(usage);
  CHECK(usage->tcp_in_use == 5);
  CHECK_FALSE(usage->tcp6_in_use);
}

TEST_CASE("socket usage that may not be read, or is empty, is an error that names the file") {
  for (const std::string path : {"/proc/net/sockstat", "/proc/net/sockstat6"}) {
    FakeSource source;
    source.files["/proc/net/sockstat"] = std::string(kSockstat);
    source.files["/proc/net/sockstat6"] = std::string(kSockstat6);
    source.files[path] = std::string();
    auto usage = read_socket_usage(source);
    REQUIRE_FALSE(usage);
    CHECK(usage.error().code == Errc::malformed);
    CHECK_THAT(usage.error().detail, ContainsSubstring(path + ": "));
    source.deny(path);
    usage = read_socket_usage(source);
    REQUIRE_FALSE(usage);
    CHECK(usage.error().code == Errc::denied);
  }
}

TEST_CASE("socket usage cut at any byte is an error, except between the lines after TCP's") {
  const auto end_of_tcp = kSockstat.find("UDP:");
  for (std::size_t length = 0; length < kSockstat.size(); ++length) {
    const auto cut = kSockstat.substr(0, length);
    const bool whole_lines = cut.ends_with('\n') && length >= end_of_tcp;
    CHECK(parse_socket_usage(cut, "", 4096).has_value() == whole_lines);
  }
  const auto end_of_tcp6 = kSockstat6.find("UDP6:");
  for (std::size_t length = 1; length < kSockstat6.size(); ++length) {
    const auto cut = kSockstat6.substr(0, length);
    const bool whole_lines = cut.ends_with('\n') && length >= end_of_tcp6;
    CHECK(parse_socket_usage(kSockstat, cut, 4096).has_value() == whole_lines);
  }
}

TEST_CASE("garbled socket usage is an error") {
  for (const auto* bad : {"\n", "garbage\n", "TCP6: inuse 1\n", "TCP: inuse\n", "TCP: inuse -1\n",
                          "TCP: inuse 1 orphan\n", "TCP: inuse 0x1\n", "TCP: inuse 99999999999999999999\n"}) {
    const auto usage = parse_socket_usage(bad, "", 4096);
    REQUIRE_FALSE(usage);
    CHECK(usage.error().code == Errc::malformed);
  }
}

TEST_CASE("more pages than 64 bits hold as bytes are an error, not a small number") {
  CHECK_FALSE(parse_socket_usage("TCP: mem 4503599627370496\n", "", 4096));
  CHECK(parse_socket_usage("TCP: mem 4503599627370495\n", "", 4096)->memory_bytes == 18446744073709547520U);
}
