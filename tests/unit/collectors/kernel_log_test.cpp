// SPDX-License-Identifier: Apache-2.0
#include "collectors/kernel_log.h"

#include "tests/catch.h"
#include "tests/fake_source.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

constexpr auto kFlood = "TCP: request_sock_TCP: Possible SYN flooding on port 0.0.0.0:80. Sending cookies.";

std::string record(std::uint64_t sequence, const std::string& text, int priority = 6) {
  return std::to_string(priority) + "," + std::to_string(sequence) + ",5000000,-;" + text + "\n";
}

std::string flood_of_port(std::uint64_t sequence, int port) {
  return record(sequence,
                "TCP: Possible SYN flooding on port " + std::to_string(port) + ". Sending cookies.");
}

// A kernel whose log is read look by look.
struct Log {
  FakeSource source;
  KernelLogReader reader;
  Snapshot previous;

  Result<KernelLog> look(std::vector<std::string> records, bool more = false) {
    source.kernel_log = KernelLogRecords{.records = std::move(records), .more = more};
    return reader({source, TimePoint{}, previous});
  }
  Result<KernelLog> fail() {
    source.kernel_log = unexpected(Errc::denied, "/dev/kmsg: Permission denied");
    return reader({source, TimePoint{}, previous});
  }
};

std::uint64_t floods(const KernelLog& log) {
  return log.counts[static_cast<std::size_t>(KernelEventKind::syn_flood)];
}

}  // namespace

TEST_CASE("a kernel log record is taken apart") {
  const auto parsed =
      parse_kernel_record("30,1234,98765432,-,caller=T77;eth0: up\n SUBSYSTEM=net\n DEVICE=n2\n");
  REQUIRE(parsed);
  CHECK(parsed->facility == 3);
  CHECK(parsed->sequence == 1234);
  CHECK(parsed->at == TimePoint(98765432us));
  CHECK(parsed->escaped == "eth0: up");
  CHECK(parse_kernel_record("6,0,0;no flags in Linux 3.5\n")->escaped == "no flags in Linux 3.5");
  CHECK(parse_kernel_record("6,0,0,c;a;b\n")->escaped == "a;b");
  CHECK(parse_kernel_record("6,0,0,-;\n")->escaped.empty());
}

TEST_CASE("a kernel log record cut at any byte is an error, except between its lines") {
  const std::string_view whole = "6,1234,98765432,-;text\n SUBSYSTEM=net\n";
  const auto end_of_text = whole.find('\n') + 1;
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK(parse_kernel_record(whole.substr(0, length)).has_value() == (length >= end_of_text));
}

TEST_CASE("a garbled kernel log record is an error") {
  for (const auto* bad : {"\n", ";\n", "garbage\n", "6,1;x\n", "-6,1,1,-;x\n", "6,x,1,-;x\n", "6,1,-1,-;x\n",
                          "6,1,18446744073709551615,-;x\n", "99999999999,1,1,-;x\n", "6,1,1,-;tab\tx\n",
                          "6,1,1,-;caf\xc3\xa9\n"}) {
    CAPTURE(bad);
    const auto parsed = parse_kernel_record(bad);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Errc::malformed);
    CHECK_THAT(parsed.error().detail, ContainsSubstring("/dev/kmsg: "));
  }
}

TEST_CASE("escaped bytes of the kernel log are undone, and what is no escape stays") {
  CHECK(unescape("a\\x0ab\\x5cn") == "a\nb\\n");
  CHECK(unescape("caf\\xc3\\xa9") == "caf\xc3\xa9");
  CHECK(unescape("\\") == "\\");
  CHECK(unescape("\\x5") == "\\x5");
  CHECK(unescape("\\xzz\\x-1") == "\\xzz\\x-1");
}

TEST_CASE("lines that the ring already held are shown but not counted") {
  Log log;
  const auto first = log.look({record(7, kFlood)});
  REQUIRE(first);
  CHECK(floods(*first) == 0);
  CHECK(first->syn_floods.empty());
  REQUIRE(first->recent.size() == 1);
  CHECK(first->recent[0].sequence == 7);
  CHECK(first->recent[0].at == TimePoint(5s));
  CHECK(first->recent[0].text == kFlood);
  CHECK(first->recent[0].address == "0.0.0.0");

  const auto second = log.look({record(8, kFlood)});
  REQUIRE(second);
  CHECK(floods(*second) == 1);
  REQUIRE(second->syn_floods.size() == 1);
  CHECK(second->syn_floods[0].address == "0.0.0.0");
  CHECK(second->syn_floods[0].port == 80);
  CHECK(second->syn_floods[0].count == 1);
  CHECK(second->recent.size() == 2);
  CHECK(second->next_sequence == 9);
}

TEST_CASE("a ring that takes several looks to read is old until its end was reached") {
  Log log;
  REQUIRE(log.look({record(0, kFlood)}, true));
  const auto old = log.look({record(1, kFlood)}, false);
  CHECK(floods(*old) == 0);
  CHECK(old->recent.size() == 2);
  CHECK(floods(*log.look({record(2, kFlood)}, true)) == 1);
}

TEST_CASE("text from user space is never taken for the kernel's") {
  Log log;
  REQUIRE(log.look({}));
  const auto result = log.look({record(0, kFlood, 14), record(1, kFlood, 8), record(2, kFlood, 7)});
  REQUIRE(result);
  CHECK(floods(*result) == 1);
  CHECK(result->recent.size() == 1);
  CHECK(result->lost == 0);
}

TEST_CASE("records that were overwritten before they were read are counted as lost") {
  Log log;
  CHECK(log.look({record(100, "the ring begins late: nobody lost that")})->lost == 0);
  CHECK(log.look({record(101, "x"), record(105, "x"), record(106, "x")})->lost == 3);
  CHECK(log.look({record(110, "x")})->lost == 6);
}

TEST_CASE("a failed read is an error and forgets nothing") {
  Log log;
  REQUIRE(log.look({record(0, kFlood)}));
  REQUIRE(log.look({record(1, kFlood)}));
  const auto failed = log.fail();
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == Errc::denied);

  const auto again =
      log.look({record(0, kFlood), record(1, kFlood), record(2, kFlood)});  // read from its start
  REQUIRE(again);
  CHECK(floods(*again) == 2);
  CHECK(again->recent.size() == 3);
  CHECK(again->lost == 0);
}

TEST_CASE("a garbled record is an error of its look, and the records around it are not lost") {
  Log log;
  REQUIRE(log.look({}));
  REQUIRE_FALSE(log.look({record(0, kFlood), "garbage", record(2, kFlood)}));
  const auto next = log.look({});
  REQUIRE(next);
  CHECK(floods(*next) == 2);
  CHECK(next->lost == 1);
}

TEST_CASE("what the kernel log leaves behind has bounds, and what was cut is counted") {
  Log log;
  REQUIRE(log.look({}));
  std::vector<std::string> records;
  std::uint64_t sequence = 0;
  for (int port = 1; port <= 300; ++port) records.push_back(flood_of_port(sequence++, port));
  records.push_back(flood_of_port(sequence++, 1));
  records.push_back(
      record(sequence++, "swapper/0: page allocation failure: order:2, mode:0x" + std::string(4000, '0')));
  const auto result = log.look(records);
  REQUIRE(result);
  CHECK(floods(*result) == 301);
  CHECK(result->syn_floods.size() == KernelLog::kSynFloodPorts);
  CHECK(result->syn_floods.front().count == 2);
  CHECK(result->syn_floods_cut == 300 - KernelLog::kSynFloodPorts);
  CHECK(result->recent.size() == KernelLog::kRecent);
  CHECK(result->recent.back().kind == KernelEventKind::page_allocation);
  CHECK(result->recent.back().text.size() == KernelLog::kTextBytes);
}

TEST_CASE("a line is understood unescaped and shown as the log has it") {
  Log log;
  const auto result = log.look({record(0, "Out of memory: Killed process 7 (\\x1b[2Jx) total-vm:1kB")});
  REQUIRE(result);
  REQUIRE(result->recent.size() == 1);
  CHECK(result->recent[0].kind == KernelEventKind::out_of_memory_kill);
  CHECK(result->recent[0].text == "Out of memory: Killed process 7 (\\x1b[2Jx) total-vm:1kB");
}
