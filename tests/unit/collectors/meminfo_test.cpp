// SPDX-License-Identifier: Apache-2.0
#include "collectors/meminfo.h"

#include "tests/catch.h"
#include "tests/fake_source.h"

using namespace tcpdiag;

namespace {

constexpr std::string_view kLinux618 =
    "MemTotal:       24684092 kB\n"
    "MemFree:        20458556 kB\n"
    "MemAvailable:   22614996 kB\n"
    "Buffers:           11864 kB\n"
    "HugePages_Total:       0\n"
    "Hugepagesize:       2048 kB\n";

}  // namespace

TEST_CASE("the machine's memory is read in bytes") {
  const auto memory = parse_meminfo(kLinux618);
  REQUIRE(memory);
  CHECK(memory->total_bytes == 24684092ULL * 1024);
  CHECK(memory->available_bytes == 22614996ULL * 1024);
}

TEST_CASE("a kernel that does not say how much memory is available leaves it unknown") {
  const auto memory =
      parse_meminfo("MemTotal:        1020096 kB\nMemFree:           12000 kB\n");  // Linux 3.10
  REQUIRE(memory);
  CHECK(memory->total_bytes == 1020096ULL * 1024);
  CHECK_FALSE(memory->available_bytes);
}

TEST_CASE("meminfo cut at any byte is an error, or lacks what stood behind") {
  for (std::size_t length = 0; length < kLinux618.size(); ++length) {
    const auto memory = parse_meminfo(kLinux618.substr(0, length));
    CAPTURE(length);
    if (memory)
      CHECK(memory->total_bytes == 24684092ULL * 1024);
    else
      CHECK(memory.error().code == Errc::malformed);
  }
}

TEST_CASE("a garbled meminfo is an error that names the file") {
  for (const auto* bad :
       {"\n", "garbage\n", "MemFree: 1 kB\n", "MemTotal: kB\n", "MemTotal: 12\n", "MemTotal: -1 kB\n",
        "MemTotal: 1 MB\n", "MemTotal: 1 kB 2\n", "MemTotal: 99999999999999999999 kB\n",
        "MemTotal: 18446744073709551615 kB\n", "MemTotal: 1 kB\nMemAvailable: much kB\n"}) {
    CAPTURE(bad);
    const auto memory = parse_meminfo(bad);
    REQUIRE_FALSE(memory);
    CHECK(memory.error().code == Errc::malformed);
    CHECK_THAT(memory.error().detail, ContainsSubstring("/proc/meminfo: "));
  }
}

TEST_CASE("a meminfo that may not be read is an error") {
  FakeSource source;
  source.deny("/proc/meminfo");
  CHECK(read_meminfo(source).error().code == Errc::denied);
}
