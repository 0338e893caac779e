// SPDX-License-Identifier: Apache-2.0
#include "collectors/collector.h"

#include <set>

#include "collectors/catalog.h"
#include "core/sections.h"
#include "tests/catch.h"
#include "tests/fake_source.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

Result<KernelLog> read_log(Source& source) {
  return source.size("/lost").map([](std::uint64_t lost) { return KernelLog{.lost = lost}; });
}
Result<Settings> read_settings_file(Source& source) {
  return source.read("/somaxconn").map([](const std::string& text) {
    return Settings{.sysctls = {{"net.core.somaxconn", {}, text}}, .unread = {}};
  });
}

// The snapshot after one more run.
Snapshot after(const Collector& collector, Source& source, Snapshot snapshot) {
  const auto now = snapshot.at += 1s;
  collector.run(Reading{source, now, snapshot}).store(snapshot);
  return snapshot;
}

}  // namespace

TEST_CASE("a value that did not change is shared with the one before, and is as new as its reading") {
  FakeSource source;
  source.sizes["/lost"] = 3;
  const auto collector = make_stateless_collector<&Snapshot::kernel_log, read_log>(NetnsId::host);
  const auto first = after(collector, source, {}), second = after(collector, source, first);
  CHECK(second.kernel_log.get() == first.kernel_log.get());
  CHECK(second.kernel_log.read_at == first.kernel_log.read_at + 1s);

  source.sizes["/lost"] = 4;
  const auto third = after(collector, source, second);
  CHECK(third.kernel_log.get() != second.kernel_log.get());
  CHECK(third.kernel_log.get()->lost == 4);
  CHECK(second.kernel_log.get()->lost == 3);
}

TEST_CASE("every section names a collector of the catalogue, and every collector fills one") {
  std::set<std::string_view> of_sections, of_catalog;
  const auto add = [&]<class T>(const auto&, const Section<T>&) {
    of_sections.insert(collector_of(Type<T>{}));
  };
  for_each_section(Snapshot{}, add);
  for_each_section(NetnsView{}, add);
  for (const auto& spec : collector_catalog()) of_catalog.insert(spec.name);
  CHECK(of_sections == of_catalog);
}

TEST_CASE("a namespace's value is shared with its own of before, not with an error") {
  FakeSource source;
  source.files["/somaxconn"] = "4096";
  const auto collector = make_stateless_collector<&NetnsView::settings, read_settings_file>(NetnsId(1));
  Snapshot start;
  start.namespaces = {{.name = kHostNetns}, {.id = NetnsId(1), .name = "web"}};
  const auto first = after(collector, source, start), second = after(collector, source, first);
  CHECK(second.namespaces[1].settings.get() == first.namespaces[1].settings.get());
  CHECK_FALSE(second.namespaces[0].settings.known());

  source.deny("/somaxconn");
  const auto denied = after(collector, source, second);
  CHECK_FALSE(denied.namespaces[1].settings.known());
  source.files["/somaxconn"] = "4096";
  CHECK(after(collector, source, denied).namespaces[1].settings.known());
}

TEST_CASE("what still holds is shared, as of when that is known, and asked for only where it may rest") {
  struct Holds {
    TimePoint known_at{};
    Result<KernelLog> operator()(const Reading& reading) {
      known_at = reading.now;
      return KernelLog{.lost = static_cast<std::uint64_t>(reading.now.time_since_epoch().count())};
    }
    std::optional<TimePoint> still_holds(const Reading& reading) {
      if (reading.now == known_at + 2s) return std::nullopt;
      return known_at - 1s;  // no news: it is not older for it
    }
  };
  FakeSource source;
  const auto collector = make_collector<&Snapshot::kernel_log, Holds>(NetnsId::host);
  Snapshot snapshot;
  const auto run = [&](bool may_rest) {
    snapshot.at += 1s;
    const auto* before = snapshot.kernel_log.get();
    collector.run({.source = source, .now = snapshot.at, .previous = snapshot, .may_rest = may_rest})
        .store(snapshot);
    return snapshot.kernel_log.get() == before;
  };
  CHECK_FALSE(run(true));  // nothing is known yet
  const auto first = snapshot.at;
  CHECK(run(true));
  CHECK(snapshot.kernel_log.read_at == first);
  CHECK_FALSE(run(true));
  CHECK_FALSE(run(false));
}

TEST_CASE(
    "what was read of the daemon's own namespace stands longest, that of others no less than half of it") {
  CHECK(longest_rest(60s, NetnsId::host) == 60s);
  std::set<std::int64_t> seconds;
  for (std::uint32_t id = 1; id <= 200; ++id) {
    const auto rest = longest_rest(60s, NetnsId{id});
    CHECK(rest >= 30s);
    CHECK(rest < 60s);
    seconds.insert(rest / 1s);
  }
  CHECK(seconds.size() == 30);  // evenly spread
}
