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

Result<Conntrack> look(ConntrackReader& reader, Source& source) {
  return reader({.source = source, .now = {}, .previous = {}});
}

Result<Conntrack> read_once(Source& source) {
  ConntrackReader reader;
  return look(reader, source);
}

}  // namespace

TEST_CASE("drops of connection tracking are hexadecimal, a line for each CPU") {
  const auto cpus = parse_conntrack_stat(kStat);
  REQUIRE(cpus);
  REQUIRE(cpus->size() == 2);
  CHECK((*cpus)[0].drops == 4U);
  CHECK((*cpus)[0].early_drops == 0U);
  CHECK((*cpus)[0].insert_failed == 10U);
  CHECK((*cpus)[1].drops == 1U);
  CHECK((*cpus)[1].early_drops == 3U);
  CHECK((*cpus)[1].insert_failed == 16U);
}

TEST_CASE("drops of connection tracking are added over the CPUs") {
  Loaded source;
  const auto conntrack = read_once(source);
  REQUIRE(conntrack);
  CHECK(conntrack->drops == 5U);
  CHECK(conntrack->early_drops == 3U);
  CHECK(conntrack->insert_failed == 26U);
}

TEST_CASE("drops of connection tracking go on counting when 32 bits of a CPU wrap") {
  Loaded source;
  ConntrackReader reader;
  const auto drops = [&](const std::string& first, const std::string& second) {
    source.files["/proc/net/stat/nf_conntrack"] = "drop\n" + first + "\n" + second + "\n";
    return look(reader, source).value().drops;
  };
  CHECK(drops("fffffff0", "00000005") == 0xfffffff5U);
  CHECK(drops("fffffff8", "00000006") == 0xfffffffeU);
  CHECK(drops("00000002", "00000006") == std::uint64_t{0x100000008});
  CHECK(drops("00000003", "00000006") == std::uint64_t{0x100000009});
}

TEST_CASE("counters of connection tracking that begin anew add what they have counted since") {
  Loaded source;
  ConntrackReader reader;
  const auto drops = [&](const std::string& text) {
    source.files["/proc/net/stat/nf_conntrack"] = "drop\n" + text + "\n";
    return look(reader, source).value().drops;
  };
  CHECK(drops("00000100") == 0x100U);
  CHECK(drops("00000003") == 0x103U);  // the module was loaded again between two looks
  SECTION("but not those of another namespace") { ++source.netns_generation; }
  SECTION("nor after a look that found none") {
    source.files.erase("/proc/net/stat/nf_conntrack");
    CHECK_FALSE(look(reader, source).value().drops.has_value());
  }
  CHECK(drops("00000004") == 4U);
}

TEST_CASE("columns of connection tracking are found by name, and what the kernel lacks stays empty") {
  const auto cpus = parse_conntrack_stat("entries searched drop\n00000001 000000ff 00000002\n");
  REQUIRE(cpus);
  REQUIRE(cpus->size() == 1);
  CHECK(cpus->front().drops == 2U);
  CHECK_FALSE(cpus->front().insert_failed);
}

TEST_CASE("tracked connections are the namespace's, not the sum over CPUs") {
  Loaded source;
  const auto conntrack = read_once(source);
  REQUIRE(conntrack);
  CHECK(conntrack->entries == 9);
  CHECK(conntrack->limit == 262144);
  CHECK(conntrack->drops == 5);
}

TEST_CASE("without nf_conntrack everything about it is empty, and that is no error") {
  FakeSource source;
  const auto conntrack = read_once(source);
  REQUIRE(conntrack);
  CHECK_FALSE(conntrack->entries);
  CHECK_FALSE(conntrack->limit);
  CHECK_FALSE(conntrack->drops);
}

TEST_CASE("where the kernel leaves out the statistics of connection tracking its entries are known") {
  Loaded source;
  source.files.erase("/proc/net/stat/nf_conntrack");
  const auto conntrack = read_once(source);
  REQUIRE(conntrack);
  CHECK(conntrack->entries == 9);
  CHECK_FALSE(conntrack->drops);
}

TEST_CASE("a file of connection tracking that is denied or garbled is an error that names it") {
  for (const std::string path : {"/proc/sys/net/netfilter/nf_conntrack_count",
                                 "/proc/sys/net/netfilter/nf_conntrack_max", "/proc/net/stat/nf_conntrack"}) {
    Loaded source;
    source.deny(path);
    CHECK(read_once(source).error().code == Errc::denied);
    for (const auto* bad : {"", "\n", "9", "-1\n", "9 9\n", "x\n"}) {
      source.files[path] = std::string(bad);
      const auto conntrack = read_once(source);
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
