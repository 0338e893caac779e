// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/diagnose.h"

#include <array>
#include <memory>
#include <set>

#include "core/facts/interfaces.h"
#include "core/facts/listeners.h"
#include "core/facts/netns_list.h"
#include "diagnosis/catalog.h"
#include "tests/catch.h"
#include "tests/history.h"
#include "tests/sample_report.h"

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
  CHECK(diagnosis.unknown ==
        std::vector<Unknown>{
            {.id = "a", .netns = "host", .why = "netstat: Permission denied", .code = Errc::denied}});
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

TEST_CASE("what a process does with a service's connections follows from that service's own trouble") {
  Finding stalled{.subject = {.kind = SubjectKind::listener, .address = "0.0.0.0", .port = 80, .pid = 7}};
  Finding leak{.subject = {.kind = SubjectKind::process, .process = "worker", .pid = 8}};
  CHECK_FALSE(same_subject(stalled, leak));
  leak.known_as = {{.kind = SubjectKind::listener, .port = 80}};
  CHECK(same_subject(stalled, leak));
  leak.known_as[0].port = 81;
  CHECK_FALSE(same_subject(stalled, leak));
}

TEST_CASE("an accept queue at a standstill explains the connections of its process that are not closed") {
  for (const auto* id : {"accept-queue-app-stalled", "accept-queue-one-listener-stuck"}) {
    const auto& explained = rule_of(id).info.explains;
    CHECK(std::ranges::find(explained, "close-wait-leak") != explained.end());
  }
}

TEST_CASE("findings that explain one another do not all vanish") {
  constexpr std::string_view kA[] = {"a"}, kB[] = {"b"};
  const std::array rules = {rule("a", port_80, kB), rule("b", port_80, kA)};
  CHECK(diagnose(one_snapshot(), rules, {}).findings.size() == 2);
}

TEST_CASE("a finding about a whole namespace may be about what another one names") {
  const std::array rules = {rule("effect", the_namespace), rule("cause", port_80, kEffect)};
  CHECK(diagnose(one_snapshot(), rules, {}).findings.size() == 1);
}

TEST_CASE("every namespace is judged, a rule about the machine once, commands run where the finding is") {
  HistoryBuilder history;
  history.snapshot().namespaces.push_back({.id = NetnsId(1), .name = "blue"});
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

TEST_CASE("a unit and a namespace that somebody named to do harm come into no command as they are") {
  constexpr auto kRestart = std::to_array<AdviceText>({
      {"Restart it.", "[systemctl restart -- {service}]", "", ""},
      {"Look at {listener}.", "ss -ltn '( sport = :{port} )'", "", ""},
  });
  auto restart = rule("a", [](const Window&, const Thresholds&) {
    auto facts = about_port(80);
    facts.subject.owner = system_unit("x;touch PWNED;.service");
    return Verdict::found({facts});
  });
  restart.info.advice = kRestart;
  HistoryBuilder history;
  history.snapshot().namespaces.push_back({.id = NetnsId(1), .name = "x;touch PWNED"});
  history.snapshot().namespaces.push_back({.id = NetnsId(2), .name = "--help"});
  const auto diagnosis = diagnose(history.tick().history(), {&restart, 1}, {});
  REQUIRE(diagnosis.findings.size() == 3);
  for (const auto& finding : diagnosis.findings) {
    REQUIRE(finding.advice.size() == 2);
    CHECK(finding.advice[0].command.empty());
  }
  CHECK(diagnosis.findings[1].advice[1].command == "ip netns exec 'x;touch PWNED' ss -ltn '( sport = :80 )'");
  CHECK(diagnosis.findings[2].advice[1].command.empty());
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

namespace {

Facts about(std::uint32_t user, const std::string& process, std::uint16_t port) {
  return {.subject = {.kind = SubjectKind::listener,
                      .address = "0.0.0.0",
                      .port = port,
                      .process = process,
                      .uid = user}};
}

Verdict six_hundred_and_one(const Window&, const Thresholds&) {
  std::vector<Facts> facts;
  for (std::uint16_t port = 1000; port < 1600; ++port) facts.push_back(about(1000, "toy", port));
  facts.push_back(about(33, "nginx", 80));
  return Verdict::found(std::move(facts));
}

// Each under a name of its own.
Verdict six_hundred_names_and_one(const Window&, const Thresholds&) {
  std::vector<Facts> facts;
  for (std::uint16_t port = 1000; port < 1600; ++port)
    facts.push_back(about(1000, "toy" + std::to_string(port), port));
  facts.push_back(about(33, "nginx", 80));
  return Verdict::found(std::move(facts));
}

const Finding* at_port(const Diagnosis& diagnosis, std::uint16_t port) {
  const auto found = std::ranges::find(
      diagnosis.findings, port, [](const Finding& finding) { return finding.subject.port.value_or(0); });
  return found == diagnosis.findings.end() ? nullptr : &*found;
}

Incident open_about(const Finding& finding) { return {.finding = finding}; }

}  // namespace

TEST_CASE("of very many alike at one owner a few stand for all, with how many there are") {
  const std::array rules = {rule("a", six_hundred_and_one)};
  const auto diagnosis = diagnose(one_snapshot(), rules, {});
  CHECK(diagnosis.findings.size() == kAlikeShown + 1);
  REQUIRE(at_port(diagnosis, 1000) != nullptr);
  CHECK(at_port(diagnosis, 1000)->alike == 600 - kAlikeShown);
  CHECK(at_port(diagnosis, 1000)->summary ==
        "toy on 0.0.0.0:1000 The same is true of 597 more listeners of toy.");
  CHECK(at_port(diagnosis, 1001)->alike == 0);
  REQUIRE(at_port(diagnosis, 80) != nullptr);
  CHECK(at_port(diagnosis, 80)->summary == "nginx on 0.0.0.0:80");
  CHECK(diagnosis.cut == 0);
}

TEST_CASE("a flood of findings of one user leaves those of others, and what is left out is counted") {
  const std::array rules = {rule("a", six_hundred_names_and_one)};
  const auto diagnosis = diagnose(one_snapshot(), rules, {});
  CHECK(diagnosis.findings.size() == kMostFindings);
  CHECK(diagnosis.cut == 601 - kMostFindings);
  CHECK(at_port(diagnosis, 80) != nullptr);
}

TEST_CASE("a critical finding is not left out for the sake of any number of warnings") {
  std::array rules = {rule("a", six_hundred_names_and_one), rule("b", port_80)};
  rules[1].info.severity = Severity::critical;
  const auto diagnosis = diagnose(one_snapshot(), rules, {});
  CHECK(diagnosis.findings.front().id == "b");
}

TEST_CASE("what an incident is about already stays when others come") {
  const std::array rules = {rule("a", six_hundred_and_one)};
  auto known = *at_port(diagnose(one_snapshot(), rules, {}), 1002);
  known.subject.port = 1500;
  const std::array incidents = {open_about(known)};
  const auto diagnosis = diagnose(one_snapshot(), rules, {}, incidents);
  CHECK(at_port(diagnosis, 1500) != nullptr);
  CHECK(at_port(diagnosis, 1002) == nullptr);
}

TEST_CASE("a rule about accept queues cannot tell about listeners that are waited for and not kept") {
  std::array rules = {rule("a", port_80)};
  rules[0].info.judges_queues = true;
  HistoryBuilder history;
  history.set(&NetnsView::listeners, Listeners{.cut = 9}).tick();
  CHECK(diagnose(history.history(), rules, {}).unknown.empty());
  history.set(&NetnsView::listeners, Listeners{.cut = 9, .waited_on_cut = 3}).tick();
  const auto diagnosis = diagnose(history.history(), rules, {});
  CHECK(diagnosis.findings.size() == 1);
  REQUIRE(diagnosis.unknown.size() == 1);
  CHECK(diagnosis.unknown[0].in_part);
  CHECK(diagnosis.unknown[0].why ==
        "listeners: only each user's fullest are looked at; 3 more with connections in their queue are not");
}

TEST_CASE("what is not known of a container because it has just begun, or ended, is not listed") {
  const auto unknown_after = [](int seconds, Errc code, std::uint64_t generation) {
    static Errc why;
    why = code;
    const std::array rules = {rule("a", [](const Window& window, const Thresholds&) {
      return window.netns().name == "shop" ? Verdict::unknown({why, "netstat: only one reading"})
                                           : Verdict::clear();
    })};
    HistoryBuilder history;
    history.ticks(30);
    history.snapshot().namespaces.push_back({.id = NetnsId(1), .generation = generation, .name = "shop"});
    history.ticks(seconds);
    return diagnose(history.history(), rules, {}).unknown.size();
  };
  CHECK(unknown_after(2, Errc::not_read, 5) == 0);
  CHECK(unknown_after(20, Errc::not_read, 5) == 1);
  CHECK(unknown_after(2, Errc::denied, 5) == 1);
  CHECK(unknown_after(2, Errc::too_early, 5) == 1);  // something may be beginning
  CHECK(unknown_after(20, Errc::no_netns, 5) == 0);
  CHECK(unknown_after(20, Errc::no_netns, 0) == 1);  // one that is configured
  CHECK(unknown_after(2, Errc::not_read, 0) == 1);
}

TEST_CASE("what a proxy of a published port does follows from the container behind it") {
  auto effect = rule("b", [](const Window& window, const Thresholds&) {
    if (window.netns().id != NetnsId::host) return Verdict::clear();
    return Verdict::found({{.subject = {.kind = SubjectKind::listener,
                                        .address = "0.0.0.0",
                                        .port = 8080,
                                        .process = "docker-proxy"}}});
  });
  auto cause = rule("a", [](const Window& window, const Thresholds&) {
    if (window.netns().id == NetnsId::host) return Verdict::clear();
    return Verdict::found({{.subject = {.kind = SubjectKind::listener, .address = "0.0.0.0", .port = 5000}}});
  });
  const auto ip = [](const char* text) { return sample_listener(text, 1, 0, 0, 0).endpoint.address; };
  const auto said = [&](std::uint16_t host_port) {
    HistoryBuilder history;
    NetnsView shop{.id = NetnsId(1), .generation = 1, .name = "shop"};
    const auto at = history.now();
    shop.interfaces = {std::make_shared<const Interfaces>(Interfaces{.addresses = {ip("172.17.0.2")}}), at};
    shop.listeners = {std::make_shared<const Listeners>(
                          Listeners{.listeners = {sample_listener("0.0.0.0", 5000, 0, 128, 77)}}),
                      at};
    history.snapshot().namespaces.push_back(shop);
    history
        .set(&Snapshot::netns_list,
             NetnsList{.namespaces = {{.generation = 1, .name = "shop"}},
                       .published = {{ip("0.0.0.0"), host_port, ip("172.17.0.2"), 5000}}})
        .tick();
    const std::array rules = {effect, cause};
    return diagnose(history.history(), rules, {}).findings;
  };
  CHECK(said(8080).size() == 2);
  cause.info.explains_clients = true;
  REQUIRE(said(8080).size() == 1);
  CHECK(said(8080)[0].id == "a");
  CHECK(said(8080)[0].consequences.back() == "b");
  CHECK(said(8081).size() == 2);
}
