// SPDX-License-Identifier: Apache-2.0
#include "collectors/softnet.h"

#include "tests/catch.h"
#include "tests/fake_source.h"

using namespace tcpdiag;

namespace {

// Linux 6.18, with CPU 1 off
constexpr std::string_view kSoftnet =
    "00000010 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
    "00000000 00000000 00000000 00000000\n"
    "0000054b 0000000a 00000002 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
    "00000000 00000002 00000000 00000000\n";

}  // namespace

TEST_CASE("each CPU's line of softnet_stat is hexadecimal and names its CPU") {
  const auto softnet = parse_softnet(kSoftnet);
  REQUIRE(softnet);
  REQUIRE(softnet->cpus.size() == 2);
  CHECK(softnet->cpus[0].cpu == 0);
  CHECK(softnet->cpus[0].processed == 16);
  CHECK(softnet->cpus[1].cpu == 2);
  CHECK(softnet->cpus[1].processed == 0x54b);
  CHECK(softnet->cpus[1].dropped == 10);
  CHECK(softnet->cpus[1].time_squeezed == 2);
}

TEST_CASE("where softnet_stat names no CPU, its lines are counted") {
  const auto line =
      "000000ff 00000001 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000\n";
  const auto softnet = parse_softnet(std::string(line) + line);  // 11 columns: Linux 3.19 to 5.9
  REQUIRE(softnet);
  REQUIRE(softnet->cpus.size() == 2);
  CHECK(softnet->cpus[1].cpu == 1);
  CHECK(softnet->cpus[1].processed == 255);
}

TEST_CASE("softnet_stat cut at any byte is an error, except between its lines") {
  const auto second = kSoftnet.find("0000054b");
  for (std::size_t length = 0; length < kSoftnet.size(); ++length) {
    const auto softnet = parse_softnet(kSoftnet.substr(0, length));
    CHECK(softnet.has_value() == (length == second));
    if (!softnet) CHECK_THAT(softnet.error().detail, ContainsSubstring("/proc/net/softnet_stat: "));
  }
}

TEST_CASE("a garbled softnet_stat is an error") {
  for (const auto* bad : {"\n", "garbage\n", "0 0 0 0 0 0 0 0\n", "0 0 0 0 0 0 0 0 x\n",
                          "-1 0 0 0 0 0 0 0 0\n", "100000000 0 0 0 0 0 0 0 0\n", "0 0 0 0 0 0 0 0 0\n\n"})
    CHECK_FALSE(parse_softnet(bad));
}

namespace {

// A reader and the file that it reads.
struct Looks {
  FakeSource source;
  SoftnetReader reader;

  Result<Softnet> operator()() { return reader({.source = source, .now = {}, .previous = {}}); }
  // Each line's CPU, and the number in all its columns that count.
  Softnet operator()(const std::vector<std::pair<std::string, std::string>>& cpu_and_number) {
    std::string text;
    for (const auto& [cpu, number] : cpu_and_number)
      text += number + " " + number + " " + number + " 0 0 0 0 0 0 0 0 0 " + cpu + "\n";
    source.files["/proc/net/softnet_stat"] = text;
    return (*this)().value();
  }
};

}  // namespace

TEST_CASE("what a CPU received goes on counting when its 32 bits wrap, also while it was off") {
  Looks look;
  CHECK(look({{"0", "1"}, {"1", "fffffff0"}}).cpus.at(1).processed == 0xfffffff0);
  CHECK(look({{"0", "2"}}).cpus.at(0).processed == 2);
  const auto cpu = look({{"0", "2"}, {"1", "10"}}).cpus.at(1);
  CHECK(cpu.cpu == 1);
  CHECK(cpu.processed == std::uint64_t{0x100000010});
  CHECK(cpu.dropped == std::uint64_t{0x100000010});
  CHECK(cpu.time_squeezed == std::uint64_t{0x100000010});
}

TEST_CASE("a softnet_stat that may not be read is an error") {
  Looks look;
  look.source.deny("/proc/net/softnet_stat");
  CHECK(look().error().code == Errc::denied);
}
