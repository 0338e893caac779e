// SPDX-License-Identifier: Apache-2.0
#include "cli/listeners.h"

#include "cli/owner_names.h"
#include "core/facts/connections.h"
#include "tests/catch.h"
#include "tests/golden.h"
#include "tests/sample_report.h"

using namespace tcpdiag;

namespace {

/// The sample's host alone, as on a machine without further namespaces.
Report host_alone() {
  auto report = sample_report();
  report.snapshot.namespaces.resize(1);
  return report;
}

template <class T>
void set(Section<T>& section, T value) {
  section.value = std::make_shared<const T>(std::move(value));
}

}  // namespace

TEST_CASE("the table of listeners is the one that was looked at") {
  auto report = host_alone();
  auto listeners = *report.snapshot.namespaces[0].listeners.get();
  listeners.listeners.push_back(sample_listener("2001:db8:85a3::8a2e:370:7334", 8443, 103, 128, 4000));
  listeners.listeners.push_back(sample_listener("127.0.0.1", 9000, 0, 4096, 4001));
  listeners.listeners.back().drops.reset();
  listeners.cut = 3;
  set(report.snapshot.namespaces[0].listeners, std::move(listeners));
  check_committed("tests/unit/cli/listeners.golden.txt", listeners_text(report, {}));
}

TEST_CASE("the fullest queue stands first, and is the one with a colour") {
  const auto text = listeners_text(host_alone(), {.colour = true});
  const auto first = text.substr(text.find('\n') + 1);
  CHECK(first.starts_with("0.0.0.0:80  "));
  CHECK_THAT(first, ContainsSubstring("\x1b[1;31m129/128\x1b[0m"));
  CHECK_THAT(first, ContainsSubstring("2 (1 full)"));
}

TEST_CASE("a namespace has a column when there are several, and an unknown one has no rows") {
  const auto text = listeners_text(sample_report(), {});
  CHECK(text.starts_with("NETNS  ADDRESS"));
  CHECK_THAT(text, !ContainsSubstring("blue"));
}

TEST_CASE("no listeners and listeners that are not known are told apart") {
  auto report = host_alone();
  set(report.snapshot.namespaces[0].listeners, Listeners{});
  CHECK(listeners_text(report, {}) == "Nothing is listening.\n");
  CHECK(listeners_text(report_of_errors(), {}).empty());
}

TEST_CASE("what is not known of a listener is a question mark") {
  auto report = host_alone();
  report.snapshot.processes.value = unexpected(Errc::denied, "/proc: Permission denied");
  report.snapshot.namespaces[0].connections.value = unexpected(Errc::denied, "sock_diag: Permission denied");
  const auto text = listeners_text(report, {});
  CHECK_THAT(text, ContainsSubstring("129/128  100%   129     40          ?  2 (1 full)  ?        ?\n"));
}

TEST_CASE("a listener that no process holds is told from one whose owner may not be seen") {
  auto report = host_alone();
  set(report.snapshot.processes, Processes{.total = 3});
  const auto& listener = report.snapshot.namespaces[0].listeners.get()->listeners[0];
  CHECK(OwnerNames(report.snapshot).process(listener) == "-");
  CHECK(unknown_owners_note(report.snapshot).empty());

  set(report.snapshot.processes, Processes{.total = 3, .unreadable = 1});
  CHECK(OwnerNames(report.snapshot).process(listener) == "?");
  CHECK(OwnerNames(report.snapshot).unit(listener) == "?");
  CHECK(unknown_owners_note(report.snapshot).starts_with("some owners are not known: 1 of 3 processes"));

  set(report.snapshot.processes, Processes{.total = 3, .some_hidden = true});
  CHECK(OwnerNames(report.snapshot).process(listener) == "?");
  CHECK(unknown_owners_note(report.snapshot)
            .starts_with("some owners are not known: /proc hides other "
                         "users' processes"));
}

TEST_CASE("hostile names do not break the table of listeners") {
  const auto text = listeners_text(hostile_report(), {});
  CHECK(std::count(text.begin(), text.end(), '\n') == 3);
  CHECK_THAT(text, !ContainsSubstring("\x1b"));
}
