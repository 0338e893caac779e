// SPDX-License-Identifier: Apache-2.0
#include "daemon/incident_book.h"

#include <array>

#include "tests/catch.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

Verdict sees_a_beginning(const Window& window, const Thresholds&) {
  if (window.span() < 3s)
    return Verdict::unknown({Errc::too_early, "it stands for 1 s; a stall shows after 3 s"});
  return Verdict::clear();
}

Verdict cannot_read(const Window&, const Thresholds&) { return Verdict::unknown({Errc::denied, "no"}); }

Snapshot at(std::chrono::seconds time) {
  Snapshot snapshot;
  snapshot.at = TimePoint(time);
  snapshot.namespaces.resize(1);
  snapshot.namespaces[0].name = kHostNetns;
  return snapshot;
}

bool is_undecided(const Rule& rule, std::chrono::seconds until) {
  IncidentBook book(std::span(&rule, 1));
  for (auto time = 0s; time <= until; ++time) book.observe(at(time), {TimePoint(time), {}});
  return book.is_undecided();
}

}  // namespace

TEST_CASE("a diagnosis is undecided while a rule has to look for longer") {
  const Rule rule{.info = {.id = "a"}, .evaluate = sees_a_beginning};
  CHECK(is_undecided(rule, 1s));
  CHECK_FALSE(is_undecided(rule, 4s));
}

TEST_CASE("a diagnosis that cannot read its source does not become decided by waiting") {
  const Rule rule{.info = {.id = "a"}, .evaluate = cannot_read};
  CHECK_FALSE(is_undecided(rule, 1s));
}
