// SPDX-License-Identifier: Apache-2.0
#include "cli/netns_choice.h"

#include "core/snapshot.h"
#include "tests/catch.h"
#include "tests/sample_report.h"

using namespace tcpdiag;

namespace {

using Names = std::vector<std::string>;

NetnsList machine() {
  return {.namespaces = {{.inode = 4026531840, .name = "host", .kind = NetnsKind::host},
                         {.inode = 1, .generation = 1, .anchor_pid = 7, .name = "shop"},
                         {.inode = 2, .generation = 2, .anchor_pid = 8, .name = "payments/checkout-7d9f"},
                         {.inode = 3, .generation = 3, .anchor_pid = 9, .name = "payments/ledger-5c44"}}};
}

NetnsChoice chosen(const Names& given, bool may_enter = true) {
  const auto choice = choose_netns(given, machine(), may_enter);
  REQUIRE(choice);
  return *choice;
}

std::string complaint(const std::string& given) {
  const auto choice = choose_netns({given}, machine(), true);
  REQUIRE_FALSE(choice);
  return choice.error().detail;
}

}  // namespace

TEST_CASE("without a name a command looks everywhere") {
  const auto choice = chosen({});
  CHECK(choice.own);
  CHECK(choice.found);
  CHECK(choice.filter == NetnsFilter{});
}

TEST_CASE("a command looks where it is told to, and nowhere else") {
  const auto shop = chosen({"shop"});
  CHECK_FALSE(shop.own);
  CHECK(shop.found);
  CHECK(shop.filter.include == Names{"shop"});
  const auto own = chosen({"host"});
  CHECK(own.own);
  CHECK_FALSE(own.found);
  const auto both = chosen({"host", "payments/*"});
  CHECK(both.own);
  CHECK(both.filter.include == Names{"payments/checkout-7d9f", "payments/ledger-5c44"});
  CHECK(chosen({"shop", "s*"}).filter.include == Names{"shop"});
}

TEST_CASE("a path need not be found") {
  const auto choice = chosen({"/proc/999999999/ns/net"});
  CHECK_FALSE(choice.own);
  CHECK_FALSE(choice.found);
  CHECK(choice.paths == Names{"/proc/999999999/ns/net"});
}

TEST_CASE("what may not be entered is reached by its file, so that the reason is told") {
  const auto choice = chosen({"shop"}, false);
  CHECK_FALSE(choice.found);
  CHECK(choice.paths == Names{"/proc/7/ns/net"});
}

TEST_CASE("a name that nothing has is refused with those that are close") {
  CHECK(complaint("shpo") ==
        "no network namespace is called \"shpo\"; there is \"shop\"; tcpdiag namespaces lists them");
  CHECK(
      complaint("checkout") ==
      "no network namespace is called \"checkout\"; there is \"payments/checkout-7d9f\"; tcpdiag namespaces "
      "lists them");
  CHECK(complaint("default/checkout") ==
        "no network namespace is called \"default/checkout\"; there is \"payments/checkout-7d9f\"; tcpdiag "
        "namespaces lists them");
  CHECK(complaint("zzzzzzzz") ==
        "no network namespace is called \"zzzzzzzz\"; tcpdiag namespaces lists them");
  CHECK(complaint("b*") == "no network namespace matches \"b*\"; tcpdiag namespaces lists them");
}

TEST_CASE("a report is narrowed to what was chosen and what is the machine's") {
  auto report = sample_report();
  const auto findings = report.incidents.size();
  narrow(report, {});
  CHECK(report.incidents.size() == findings);
  CHECK(report.snapshot.namespaces.size() == 2);
  NetnsChoice blue{.own = false, .filter = {.include = {"blue"}}};
  narrow(report, blue);
  REQUIRE(report.snapshot.namespaces.size() == 1);
  CHECK(report.snapshot.namespaces[0].name == "blue");
  for (const auto& incident : report.incidents) CHECK(incident.finding.netns != "host");
  for (const auto& run : report.runs) CHECK(run.netns != "host");
  for (const auto& rule : report.rules)
    for (const auto& unknown : rule.unknown) CHECK(unknown.netns != "host");
  REQUIRE(report.snapshot.netns_list.get()->namespaces.size() == 1);
  CHECK(report.snapshot.netns_list.get()->namespaces[0].name == "blue");
  CHECK(report.snapshot.netns_list.get()->unreadable == 0);
}
