// SPDX-License-Identifier: Apache-2.0
#include "core/finding_order.h"

#include "tests/catch.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

const TimePoint kNow{1h};

Incident incident(const char* id, std::uint16_t port, std::vector<std::string> causes = {}) {
  Incident incident{.opened = {.at = kNow - 60s}, .seen = {.at = kNow}};
  incident.finding.id = id;
  incident.finding.netns = "host";
  incident.finding.subject = {.kind = SubjectKind::listener, .address = "::", .port = port};
  incident.finding.causes = std::move(causes);
  return incident;
}

std::vector<std::string> order_of(const std::vector<Incident>& incidents) {
  std::vector<const Incident*> all;
  for (const auto& each : incidents) all.push_back(&each);
  std::vector<std::string> ids;
  for (const auto* each : in_reading_order(all, kNow)) ids.push_back(each->finding.id);
  return ids;
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("what goes on is read before what is past, and otherwise the order stays") {
  std::vector<Incident> incidents = {incident("a", 1), incident("b", 2), incident("c", 3)};
  CHECK(order_of(incidents) == Ids{"a", "b", "c"});
  incidents[0].seen.at = kNow - 2s;
  CHECK(order_of(incidents) == Ids{"b", "c", "a"});
  incidents[0].blind = true;  // whether it goes on cannot be told
  CHECK(order_of(incidents) == Ids{"a", "b", "c"});
}

TEST_CASE("a cause is read before what follows from it, and stays where it is when it is about another") {
  CHECK(order_of({incident("effect", 1, {"cause"}), incident("other", 1), incident("cause", 1)}) ==
        Ids{"cause", "effect", "other"});
  CHECK(order_of({incident("effect", 1, {"cause"}), incident("cause", 2)}) == Ids{"effect", "cause"});
  CHECK(order_of({incident("effect", 1, {"middle"}), incident("middle", 1, {"cause"}),
                  incident("cause", 1)}) == Ids{"cause", "middle", "effect"});
}

TEST_CASE("findings that explain one another are each read once") {
  CHECK(order_of({incident("a", 1, {"b"}), incident("b", 1, {"a"})}) == Ids{"b", "a"});
}

TEST_CASE("an owner's findings belong together whatever they are about, and those without an owner do not") {
  auto effect = incident("effect", 1, {"cause"}), cause = incident("cause", 2);
  effect.finding.subject.process = cause.finding.subject.process = "java";
  CHECK(order_of({effect, cause}) == Ids{"cause", "effect"});
  cause.finding.netns = "blue";
  CHECK(order_of({effect, cause}) == Ids{"effect", "cause"});
}
