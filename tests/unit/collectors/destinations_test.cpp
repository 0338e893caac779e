// SPDX-License-Identifier: Apache-2.0
#include "collectors/destinations.h"

#include <cstring>
#include <map>
#include <random>
#include <tuple>

#include "tests/catch.h"
#include "tests/diag_message.h"

using namespace tcpdiag;

namespace {

// The number-th of many destinations.
IpAddress numbered(std::uint32_t number) {
  IpAddress address{.v6 = true};
  std::memcpy(address.bytes.data() + 12, &number, sizeof number);
  return address;
}

const IpAddress kSource = address("10.0.0.1");

}  // namespace

TEST_CASE("sockets are counted per source, destination and port") {
  DestinationCounter counter;
  for (int socket = 0; socket < 3; ++socket) counter.add(kSource, address("10.0.0.2"), 80);
  counter.add(kSource, address("10.0.0.2"), 81);
  counter.add(address("10.0.0.9"), address("10.0.0.2"), 80);
  counter.add(kSource, address("::ffff:10.0.0.2"), 80);
  const auto busiest = counter.busiest(20);
  REQUIRE(busiest.size() == 4);
  CHECK(busiest[0].local_ports == 3);
  CHECK(busiest[0].source == kSource);
  CHECK(busiest[0].destination == address("10.0.0.2"));
  CHECK(busiest[0].port == 80);
  CHECK(counter.undercount() == 0);
}

TEST_CASE("what holds the ports of a destination is counted with them, and never more than there are") {
  DestinationCounter counter;
  for (const auto held_by :
       {&Destination::time_wait, &Destination::fin_wait2_orphaned, &Destination::close_wait}) {
    for (int socket = 0; socket < 3; ++socket) counter.add(kSource, numbered(0), 80, held_by);
    counter.add(kSource, numbered(0), 80, &Destination::time_wait);
  }
  counter.add(kSource, numbered(0), 80);
  const auto exact = counter.busiest(1).at(0);
  CHECK(exact.local_ports == 13);
  CHECK(exact.time_wait == 6);
  CHECK(exact.fin_wait2_orphaned == 3);
  CHECK(exact.close_wait == 3);
  for (std::uint32_t each = 0; each < 10 * DestinationCounter::kCounters; ++each)
    counter.add(kSource, numbered(each + 1), 80);
  REQUIRE(counter.undercount() > 0);
  for (const auto& each : counter.busiest(DestinationCounter::kCounters))
    CHECK(each.time_wait + each.fin_wait2_orphaned + each.close_wait <= each.local_ports);
}

TEST_CASE("of the busiest only as many are told as were asked for, largest first") {
  DestinationCounter counter;
  for (std::uint32_t each = 0; each < 100; ++each)
    for (std::uint32_t socket = 0; socket <= each; ++socket) counter.add(kSource, numbered(each), 80);
  const auto busiest = counter.busiest(3);
  REQUIRE(busiest.size() == 3);
  CHECK(busiest[0].local_ports == 100);
  CHECK(busiest[1].local_ports == 99);
  CHECK(busiest[2].local_ports == 98);
  CHECK(counter.busiest(0).empty());
}

TEST_CASE("equal destinations come in the order of their addresses") {
  DestinationCounter counter;
  for (const auto* each : {"10.0.0.3", "10.0.0.2", "10.0.0.4"}) counter.add(kSource, address(each), 80);
  const auto busiest = counter.busiest(3);
  CHECK(busiest[0].destination == address("10.0.0.2"));
  CHECK(busiest[2].destination == address("10.0.0.4"));
}

TEST_CASE("as many destinations as there are counters are counted exactly") {
  DestinationCounter counter;
  for (int round = 0; round < 3; ++round)
    for (std::uint32_t each = 0; each < DestinationCounter::kCounters; ++each)
      counter.add(kSource, numbered(each), 443);
  const auto busiest = counter.busiest(2 * DestinationCounter::kCounters);
  CHECK(busiest.size() == DestinationCounter::kCounters);
  CHECK(std::all_of(busiest.begin(), busiest.end(), [](const auto& each) { return each.local_ports == 3; }));
  CHECK(counter.undercount() == 0);
}

TEST_CASE("a busy destination does not hide among very many others") {
  DestinationCounter counter;
  constexpr std::uint32_t kOthers = 100000, kBusy = 28000;
  for (std::uint32_t each = 0; each < kOthers; ++each) {
    counter.add(kSource, numbered(each + 1), 80);
    if (each < kBusy) counter.add(kSource, numbered(0), 80);
  }
  const auto busiest = counter.busiest(1);
  REQUIRE(busiest.size() == 1);
  CHECK(busiest[0].destination == numbered(0));
  CHECK(busiest[0].local_ports <= kBusy);
  CHECK(busiest[0].local_ports + counter.undercount() >= kBusy);
  CHECK(counter.undercount() <= (kOthers + kBusy) / DestinationCounter::kCounters);
}

TEST_CASE("no count is too high, and none lower than it is said to be") {
  std::mt19937 random(20240607);
  for (const std::uint32_t different : {10U, 4000U, 9000U, 60000U}) {
    DestinationCounter counter;
    std::map<std::tuple<IpAddress, IpAddress, std::uint16_t>, std::uint32_t> exact;
    constexpr std::uint32_t kSockets = 60000;
    for (std::uint32_t socket = 0; socket < kSockets; ++socket) {
      // The square makes some destinations much busier than others.
      const auto a = random() % different, b = random() % different;
      const auto which = static_cast<std::uint32_t>(std::uint64_t{a} * b / different);
      const auto port = static_cast<std::uint16_t>(which % 3);
      counter.add(kSource, numbered(which / 3), port);
      ++exact[{kSource, numbered(which / 3), port}];
    }
    CHECK(counter.undercount() <= kSockets / DestinationCounter::kCounters);
    if (exact.size() <= DestinationCounter::kCounters) CHECK(counter.undercount() == 0);
    std::map<std::tuple<IpAddress, IpAddress, std::uint16_t>, std::uint32_t> told;
    for (const auto& each : counter.busiest(DestinationCounter::kCounters))
      told[{each.source, each.destination, each.port}] = each.local_ports;
    bool too_high = false, too_low = false;
    for (const auto& [key, count] : told) too_high |= count > exact[key];
    for (const auto& [key, count] : exact) too_low |= told[key] + counter.undercount() < count;
    CHECK_FALSE(too_high);
    CHECK_FALSE(too_low);
  }
}

TEST_CASE("a counter begins anew after it was cleared") {
  DestinationCounter counter;
  for (std::uint32_t each = 0; each < 3 * DestinationCounter::kCounters; ++each)
    counter.add(kSource, numbered(each), 80);
  CHECK(counter.undercount() > 0);
  counter.clear();
  CHECK(counter.undercount() == 0);
  CHECK(counter.busiest(20).empty());
  counter.add(kSource, numbered(1), 80);
  CHECK(counter.busiest(20).size() == 1);
}
