// SPDX-License-Identifier: Apache-2.0
#include "collectors/kernel_log.h"

#include <fcntl.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "collectors/netstat.h"
#include "tests/catch.h"
#include "tests/kernel/testbed.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

// The newest line about that port, if it came at `since` or later: the ring still has those of earlier runs.
std::optional<KernelEvent> flood_of(const Result<KernelLog>& log, std::uint16_t port, std::uint64_t since) {
  REQUIRE(log);
  const auto found = std::find_if(log->recent.rbegin(), log->recent.rend(), [&](const KernelEvent& event) {
    return event.kind == KernelEventKind::syn_flood && event.port == port && event.sequence >= since;
  });
  if (found == log->recent.rend()) return std::nullopt;
  return *found;
}

// Reads all that the ring holds: what comes after that is new.
KernelLog caught_up(KernelLogReader& reader, Source& source) {
  Result<KernelLog> log = look(reader, source);
  if (!log && log.error().code == Errc::denied) skip(log.error().detail);
  for (std::uint64_t seen = 0; log && log->next_sequence != std::exchange(seen, log->next_sequence);)
    log = look(reader, source);
  REQUIRE(log);
  return *log;
}

std::uint64_t floods_counted(const KernelLog& log) {
  return log.counts[static_cast<std::size_t>(KernelEventKind::syn_flood)];
}

// More SYNs than the listener's queue of half-open connections holds.
void flood(std::uint16_t port) {
  for (std::uint16_t each = 1; each <= 50; ++each) send_syn("192.0.2.9", each, "192.0.2.1", port);
}

}  // namespace

// A listener brings its line once in its life, and the machine prints at most ten such lines in five seconds,
// whoever causes them. So a line that does not come was somebody else's: then another listener tries.
TEST_CASE("the line of a real SYN flood arrives with its address and port, and is counted once") {
  FreshNetns netns;
  add_link_to_nowhere();
  const auto source = live_source();
  KernelLogReader reader;
  const auto before = caught_up(reader, *source);

  for (std::uint16_t port = 7101; port <= 7104; ++port) {
    const auto listener = listen_on("192.0.2.1", port, {.backlog = 4});
    flood(port);
    const auto counters = read_tcp_counters(*source);
    REQUIRE(counters);
    CHECK(counters->req_q_full_do_cookies > std::uint64_t{0});  // the flood was one
    Result<KernelLog> log;
    std::optional<KernelEvent> event;
    const auto line_is_there = [&] {
      event = flood_of(log = look(reader, *source), port, before.next_sequence);
      return event.has_value();
    };
    if (!holds_within(6s, line_is_there)) continue;
    CHECK_THAT(event->text, ContainsSubstring("ossible SYN flooding on port"));
    if (!event->address.empty()) CHECK(event->address == "192.0.2.1");  // kernels from 6.2 on
    CHECK((event->cookies == true));
    CHECK(event->sequence < log->next_sequence);
    CHECK(floods_counted(*log) > floods_counted(before));
    const auto reports = std::find_if(log->syn_floods.begin(), log->syn_floods.end(),
                                      [&](const SynFloodReports& each) { return each.port == port; });
    REQUIRE(reports != log->syn_floods.end());
    CHECK(reports->count == 1);
    return;
  }
  FAIL("none of four floods brought a line within 6 s");
}

TEST_CASE("text that a program writes into the kernel log is no event") {
  const FileDescriptor kmsg(::open("/dev/kmsg", O_WRONLY | O_CLOEXEC));
  if (!kmsg) skip("writing to /dev/kmsg");
  const auto source = live_source();
  KernelLogReader reader;
  const std::string lie =
      "<6>TCP: request_sock_TCP: Possible SYN flooding on port 192.0.2.1:7199. Sending cookies.\n";
  const auto before = caught_up(reader, *source);
  REQUIRE(::write(kmsg.get(), lie.data(), lie.size()) == static_cast<ssize_t>(lie.size()));
  wait_until("the record", [&] { return look(reader, *source)->next_sequence > before.next_sequence; });
  CHECK_FALSE(flood_of(look(reader, *source), 7199, before.next_sequence).has_value());
}
