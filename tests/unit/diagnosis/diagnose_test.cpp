// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/diagnose.h"

#include <array>
#include <set>

#include "diagnosis/catalog.h"
#include "tests/catch.h"
#include "tests/history.h"

using namespace tcpdiag;

namespace {

Facts about_port(std::uint16_t port) {
  return {
      .subject = {
          .kind = SubjectKind::listener, .address = "0.0.0.0", .port = port, .process = "nginx", .pid = 7}};
}

Verdict ports_80_and_443(const Window&, const Thresholds&) {
  return Verdict::found({about_port(80), about_port(443)});
}
Verdict port_80(const Window&, const Thresholds&) { return Verdict::found({about_port(80)}); }
Verdict the_namespace(const Window&, const Thresholds&) { return Verdict::found({Facts{}}); }
Verdict cannot_tell(const Window&, const Thresholds&) {
  return Verdict::unknown({Errc::denied, "netstat: Permission denied"});
}

constexpr std::string_view kEffect[] = {"effect"};
constexpr std::string_view kCause[] = {"cause"};
constexpr auto kAdvice = std::to_array<AdviceText>({
    {"Look at {port}.", "ss -ltn '( sport = :{port} )'", "", ""},
    {"Look at the unit.", "systemctl status {unit}", "", ""},
    {"Set it.", "sysctl -w net.core.somaxconn=1", "", ""},
});

Rule rule(std::string_view id, Verdict (*evaluate)(const Window&, const Thresholds&),
          std::span<const std::string_view> explains = {}) {
  return {.info = {.id = id,
                   .family = "test",
                   .summary = "{owner} on {listener}",
                   .advice = kAdvice,
                   .explains = explains},
          .evaluate = evaluate};
}

History one_snapshot() { return HistoryBuilder().tick().history(); }

}  // namespace

TEST_CASE("a rule's facts become findings with their words") {
  const std::array rules = {rule("a", port_80)};
  const auto diagnosis = diagnose(one_snapshot(), rules, {});
  REQUIRE(diagnosis.findings.size() == 1);
  const auto& finding = diagnosis.findings[0];
  CHECK(finding.summary == "nginx[7] on 0.0.0.0:80");
  CHECK(finding.netns == "host");
  REQUIRE(finding.advice.size() == 2);  // the unit is not known
  CHECK(finding.advice[0].command == "ss -ltn '( sport = :80 )'");
}

TEST_CASE("a rule that cannot tell says why, and others go on") {
  const std::array rules = {rule("a", cannot_tell), rule("b", port_80)};
  const auto diagnosis = diagnose(one_snapshot(), rules, {});
  CHECK(diagnosis.unknown == std::vector<Unknown>{{"a", "host", "netstat: Permission denied"}});
  CHECK(diagnosis.findings.size() == 1);
}

TEST_CASE("a cause takes its effect on the same subject as a consequence, and leaves other subjects alone") {
  const std::array rules = {rule("effect", ports_80_and_443), rule("cause", port_80, kEffect)};
  const auto diagnosis = diagnose(one_snapshot(), rules, {});
  REQUIRE(diagnosis.findings.size() == 2);
  std::set<std::string> found;
  for (const auto& finding : diagnosis.findings) found.insert(finding.id + " " + to_string(finding.subject));
  CHECK(found == std::set<std::string>{"cause 0.0.0.0:80", "effect 0.0.0.0:443"});
  for (const auto& finding : diagnosis.findings)
    if (finding.id == "cause") CHECK(finding.consequences == std::vector<std::string>{"effect"});
  REQUIRE(diagnosis.explained.size() == 1);
  CHECK(diagnosis.explained[0].by == "cause");
}

TEST_CASE("what follows from a cause is explained by it also when it was seen before and is over") {
  const std::array rules = {rule("cause", port_80, kEffect)};
  const auto diagnosis = diagnose(one_snapshot(), rules, {});
  REQUIRE(diagnosis.explained.size() == 1);
  CHECK(diagnosis.explained[0].id == "effect");
  CHECK(diagnosis.explained[0].by == "cause");
  CHECK(to_string(diagnosis.explained[0].subject) == "0.0.0.0:80");
}

TEST_CASE("what a cause explains that is itself explained goes to the first cause") {
  const std::array rules = {rule("effect", port_80), rule("cause", port_80, kEffect),
                            rule("root", port_80, kCause)};
  const auto diagnosis = diagnose(one_snapshot(), rules, {});
  REQUIRE(diagnosis.findings.size() == 1);
  CHECK(diagnosis.findings[0].id == "root");
  CHECK(diagnosis.findings[0].consequences == std::vector<std::string>{"effect", "cause"});
}

TEST_CASE("what the catalogue's rules explain exists, and no two explain one another") {
  const auto explains = [](const Rule& cause, std::string_view effect) {
    return std::ranges::find(cause.info.explains, effect) != cause.info.explains.end();
  };
  for (const auto& cause : rule_catalog())
    for (const auto effect : cause.info.explains) {
      INFO(cause.info.id << " explains " << effect);
      REQUIRE(find_rule(effect) != nullptr);
      CHECK_FALSE(explains(*find_rule(effect), cause.info.id));
    }
}

TEST_CASE("what is counted by port is about any address of the service, other listeners are other subjects") {
  const auto subject = [](std::string address, std::uint16_t port, std::optional<std::int32_t> pid = {}) {
    return Finding{
        .subject = {.kind = SubjectKind::listener, .address = std::move(address), .port = port, .pid = pid}};
  };
  CHECK(same_subject(subject("::", 80), subject("", 80)));
  CHECK(same_subject(subject("", 80), subject("::", 80)));
  CHECK(same_subject(subject("::", 80, 7), subject("0.0.0.0", 80, 7)));
  CHECK_FALSE(same_subject(subject("::", 80, 7), subject("0.0.0.0", 80, 8)));
  CHECK_FALSE(same_subject(subject("::", 80), subject("0.0.0.0", 80)));
  CHECK_FALSE(same_subject(subject("::", 80, 7), subject("::", 81, 7)));
}

TEST_CASE("a finding about a whole namespace may be about what another one names") {
  const std::array rules = {rule("effect", the_namespace), rule("cause", port_80, kEffect)};
  CHECK(diagnose(one_snapshot(), rules, {}).findings.size() == 1);
}

TEST_CASE("every namespace is judged, a rule about the machine once, commands run where the finding is") {
  HistoryBuilder history;
  history.snapshot().namespaces.push_back({.name = "blue"});
  auto machine = rule("machine", port_80);
  machine.scope = RuleScope::machine;
  const std::array rules = {rule("netns", port_80), machine};
  const auto diagnosis = diagnose(history.tick().history(), rules, {});
  REQUIRE(diagnosis.findings.size() == 3);
  CHECK(diagnosis.findings[0].netns == "host");
  CHECK(diagnosis.findings[1].netns == "blue");
  CHECK(diagnosis.findings[1].advice.back().command == "ip netns exec blue sysctl -w net.core.somaxconn=1");
  CHECK(diagnosis.findings[2].netns.empty());
}

TEST_CASE("no history, no diagnosis") {
  const auto diagnosis = diagnose({}, rule_catalog(), {});
  CHECK(diagnosis.findings.empty());
}

TEST_CASE("a history of one snapshot of nothing makes every rule say that it cannot tell") {
  const auto diagnosis = diagnose(one_snapshot(), rule_catalog(), {});
  CHECK(diagnosis.findings.empty());
  // With one namespace there is nothing that it could differ from.
  CHECK(diagnosis.unknown.size() == rule_catalog().size() - 1);
  for (const auto& unknown : diagnosis.unknown) CHECK(unknown.id != "netns-sysctl-mismatch");
}
