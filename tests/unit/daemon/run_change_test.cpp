// SPDX-License-Identifier: Apache-2.0
#include "daemon/run_change.h"

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

const Result<void> kNeverRan = tl::unexpected<Error>(Error{});
const Result<void> kGood{};

Result<void> failure(Errc code, const std::string& detail) { return unexpected(code, detail); }

std::string line(const Result<void>& before, const Result<void>& after, const std::string& netns = "") {
  const auto change =
      change_of_run(before, CollectorRun{.collector = "netstat", .netns = netns, .outcome = after});
  if (!change) return {};
  return to_logfmt({{}, change->level, change->message, change->fields})
      .substr(std::string("ts=1970-01-01T00:00:00.000Z ").size());
}

}  // namespace

TEST_CASE("a collector that goes on as before is not logged") {
  CHECK(line(kNeverRan, kNeverRan).empty());
  CHECK(line(kNeverRan, kGood).empty());
  CHECK(line(kGood, kGood).empty());
  CHECK(line(kGood, kNeverRan).empty());
  const auto denied = failure(Errc::denied, "/dev/kmsg: Permission denied");
  CHECK(line(denied, denied).empty());
}

TEST_CASE("a collector that begins to fail, fails in another way and recovers is one line each") {
  const auto denied = failure(Errc::denied, "/proc/net/snmp: Permission denied");
  const auto garbled = failure(Errc::malformed, "/proc/net/snmp: unpaired \"line\"");
  CHECK(line(kNeverRan, denied) ==
        R"(level=warn msg="collector fails" collector=netstat error="/proc/net/snmp: Permission denied")");
  CHECK(line(kGood, denied) == line(kNeverRan, denied));
  CHECK(line(denied, garbled, "blue") ==
        R"(level=warn msg="collector fails in another way" collector=netstat netns=blue )"
        R"(error="/proc/net/snmp: unpaired \"line\"")");
  CHECK(line(garbled, kGood, "blue") ==
        R"(level=info msg="collector recovered" collector=netstat netns=blue)");
}

TEST_CASE("failures that differ in a number alone are not logged again") {
  CHECK(line(failure(Errc::malformed, "x: line 3"), failure(Errc::malformed, "x: line 14")).empty());
  CHECK_FALSE(line(failure(Errc::malformed, "x: line 3"), failure(Errc::failed, "x: line 3")).empty());
}

TEST_CASE("the runs of two reports are compared by name, whatever is new or gone in between") {
  const auto failing = failure(Errc::denied, "no");
  const auto run = [](const std::string& netns, const Result<void>& outcome) {
    return CollectorRun{.collector = "netstat", .netns = netns, .outcome = outcome};
  };
  const std::vector before{run("host", kGood), run("gone", kGood), run("shop", failing), run("blog", kGood)};
  const std::vector now{run("host", kGood), run("shop", failing), run("new", failing), run("blog", failing)};
  std::vector<std::string> lines;
  for (const auto& line : changes_of_runs(before, now))
    lines.push_back(std::string(line.message) + " in " + line.fields.at(1).value);
  CHECK(lines == std::vector<std::string>{"collector fails in new", "collector fails in blog"});
  CHECK(changes_of_runs(now, now).empty());
  CHECK(changes_of_runs({}, now).size() == 3);
}
