// SPDX-License-Identifier: Apache-2.0
#include "collectors/self.h"

#include <unistd.h>

#include "tests/catch.h"
#include "tests/fake_source.h"

using namespace tcpdiag;

namespace {

constexpr auto kStat =
    "77 (tcpdiagd) S 1 77 77 0 -1 4194560 96 0 0 0 700 300 0 0 20 0 4 0 97550 3133440 363 1\n";
constexpr auto kLimits = "Max open files            1024                 524288               files     \n";
constexpr auto kProcStat = "cpu  4325 0 3249 185388\nintr 5 0\nbtime 1795248650\nprocesses 5643\n";

struct Kernel : FakeSource {
  Kernel() {
    files["/proc/self/stat"] = std::string(kStat);
    files["/proc/self/limits"] = std::string(kLimits);
    files["/proc/stat"] = std::string(kProcStat);
    sizes["/proc/self/fd"] = 12U;
  }
};

}  // namespace

TEST_CASE("the daemon's own usage is read in seconds and bytes") {
  Kernel kernel;
  const auto usage = read_self_usage(kernel);
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  REQUIRE(usage);
  CHECK(usage->pid == 77);
  CHECK(usage->cpu_seconds == 1000 / ticks);
  CHECK(usage->start_time_seconds == 1795248650 + 97550 / ticks);
  CHECK(usage->resident_bytes == 363 * 4096);
  CHECK(usage->virtual_bytes == 3133440);
  CHECK(usage->open_fds == 12);
  CHECK(usage->max_fds == 1024);
  CHECK(usage->threads == 4);
}

TEST_CASE("where the directory of descriptors has no size they are counted without the one that lists them") {
  Kernel kernel;
  kernel.sizes["/proc/self/fd"] = 0U;
  kernel.directories["/proc/self/fd"] = std::vector<std::string>{"0", "1", "2", "3"};
  CHECK(read_self_usage(kernel)->open_fds == 3);
}

TEST_CASE("descriptors that may not be counted are not zero, and the rest is known") {
  Kernel kernel;
  kernel.deny("/proc/self/fd");
  const auto usage = read_self_usage(kernel);
  REQUIRE(usage);
  CHECK_FALSE(usage->open_fds);
  CHECK(usage->threads == 4);
}

TEST_CASE("a file about the daemon itself that is missing or garbled is an error that names it") {
  for (const std::string path : {"/proc/self/stat", "/proc/self/limits", "/proc/stat"}) {
    Kernel kernel;
    for (const auto* bad : {"", "\n", "garbage\n"}) {
      kernel.files[path] = std::string(bad);
      const auto usage = read_self_usage(kernel);
      REQUIRE_FALSE(usage);
      CHECK(usage.error().code == Errc::malformed);
      CHECK_THAT(usage.error().detail, ContainsSubstring(path + ": "));
    }
    kernel.files.erase(path);
    CHECK(read_self_usage(kernel).error().code == Errc::missing);
  }
}

TEST_CASE("more resident pages than 64 bits hold as bytes are an error") {
  Kernel kernel;
  kernel.files["/proc/self/stat"] =
      std::string("7 (t) S 1 7 7 0 -1 0 0 0 0 0 1 1 0 0 20 0 4 0 9 8192 4503599627370496\n");
  CHECK_FALSE(read_self_usage(kernel));
}

TEST_CASE("the boot time cut before the end of its line is an error") {
  const std::string_view whole = kProcStat;
  const auto end_of_line = whole.find("processes");
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK(parse_boot_time(whole.substr(0, length)).has_value() == (length >= end_of_line));
}

TEST_CASE("a garbled boot time is an error") {
  for (const auto* bad : {"btime\n", "btime -1\n", "btime x\n", "btime 1 2\n", "btimes 1\n"})
    CHECK_FALSE(parse_boot_time(bad));
}
