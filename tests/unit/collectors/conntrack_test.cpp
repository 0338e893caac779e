// SPDX-License-Identifier: Apache-2.0
#include "collectors/conntrack.h"

#include "tests/catch.h"
#include "tests/fake_source.h"

using namespace tcpdiag;

namespace {

// Linux 6.18
constexpr std::string_view kStat =
    "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop "
    "icmp_error  expect_new expect_create expect_delete search_restart\n"
    "00000009  00000001 00000002 00000000 00000000 00000000 00000000 00000000 00000000 0000000a 00000004 "
    "00000000 00000000  00000000 00000000 00000000 00000000\n"
    "00000009  00000001 00000002 00000000 00000000 00000000 00000000 00000000 00000000 00000010 00000001 "
    "00000003 00000000  00000000 00000000 00000000 00000000\n";

// A kernel with nf_conntrack loaded.
struct Loaded : FakeSource {
  Loaded() {
    files["/proc/sys/net/netfilter/nf_conntrack_count"] = std::string("9\n");
    files["/proc/sys/net/netfilter/nf_conntrack_max"] = std::string("262144\n");
    files["/proc/net/stat/nf_conntrack"] = std::string(kStat);
  }
};

}  // namespace

TEST_CASE("drops of connection tracking are hexadecimal and added over the CPUs") {
  const auto conntrack = parse_conntrack_stat(kStat);
  REQUIRE(conntrack);
  CHECK(conntrack->drops == 5);
  CHECK(conntrack->early_drops == 3);
  CHECK(conntrack->insert_failed == 26);
  CHECK_FALSE(conntrack->entries);
}

TEST_CASE("columns of connection tracking are found by name, and what the kernel lacks stays empty") {
  const auto conntrack = parse_conntrack_stat("entries searched drop\n00000001 000000ff 00000002\n");
  REQUIRE(conntrack);
  CHECK(conntrack->drops == 2);
  CHECK_FALSE(conntrack->insert_failed);
}

TEST_CASE("tracked connections are the namespace's, not the sum over CPUs") {
  Loaded source;
  const auto conntrack = read_conntrack(source);
  REQUIRE(conntrack);
  CHECK(conntrack->entries == 9);
  CHECK(conntrack->limit == 262144);
  CHECK(conntrack->drops == 5);
}

TEST_CASE("without nf_conntrack everything about it is empty, and that is no error") {
  FakeSource source;
  const auto conntrack = read_conntrack(source);
  REQUIRE(conntrack);
  CHECK_FALSE(conntrack->entries);
  CHECK_FALSE(conntrack->limit);
  CHECK_FALSE(conntrack->drops);
}

TEST_CASE("where the kernel leaves out the statistics of connection tracking its entries are known") {
  Loaded source;
  source.files.erase("/proc/net/stat/nf_conntrack");
  const auto conntrack = read_conntrack(source);
  REQUIRE(conntrack);
  CHECK(conntrack->entries == 9);
  CHECK_FALSE(conntrack->drops);
}

TEST_CASE("a file of connection tracking that is denied or garbled is an error that names it") {
  for (const std::string path : {"/proc/sys/net/netfilter/nf_conntrack_count",
                                 "/proc/sys/net/netfilter/nf_conntrack_max", "/proc/net/stat/nf_conntrack"}) {
    Loaded source;
    source.deny(path);
    CHECK(read_conntrack(source).error().code == Errc::denied);
    for (const auto* bad : {"", "\n", "9", "-1\n", "9 9\n", "x\n"}) {
      source.files[path] = std::string(bad);
      const auto conntrack = read_conntrack(source);
      REQUIRE_FALSE(conntrack);
      CHECK(conntrack.error().code == Errc::malformed);
      CHECK_THAT(conntrack.error().detail, ContainsSubstring(path + ": "));
    }
  }
}

TEST_CASE("statistics of connection tracking cut at any byte are an error, except between the CPUs") {
  const auto first_end = kStat.find('\n') + 1;
  const auto second_end = kStat.find('\n', first_end) + 1;
  for (std::size_t length = 0; length < kStat.size(); ++length)
    CHECK(parse_conntrack_stat(kStat.substr(0, length)).has_value() == (length == second_end));
}

TEST_CASE("garbled statistics of connection tracking are an error") {
  for (const auto* bad : {"drop\n0 0\n", "drop found\n0\n", "drop\n-1\n", "drop\nzz\n", "drop\n\n", "\n0\n",
                          "drop\n100000000\n"})
    CHECK_FALSE(parse_conntrack_stat(bad));
}
