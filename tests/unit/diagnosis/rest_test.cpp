// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/rest.h"

#include "core/sections.h"
#include "daemon/incident_book.h"
#include "tests/catch.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

constexpr NetnsId kShop{1}, kBlog{2};

/// Every section of it is known.
NetnsView container(NetnsId id, const std::string& name) {
  NetnsView netns{.id = id, .generation = 1, .name = name};
  netns.tcp.value = std::make_shared<const TcpCounters>();
  netns.sockets.value = std::make_shared<const SocketUsage>();
  netns.listeners.value = std::make_shared<const Listeners>();
  netns.connections.value = std::make_shared<const Connections>();
  netns.settings.value = std::make_shared<const Settings>();
  netns.conntrack.value = std::make_shared<const Conntrack>();
  netns.interfaces.value = std::make_shared<const Interfaces>();
  return netns;
}

struct Host {
  Snapshot snapshot;
  Rest rest;

  Host() {
    snapshot.at = TimePoint(1h);
    snapshot.namespaces = {container(NetnsId::host, kHostNetns), container(kShop, "shop"),
                           container(kBlog, "blog")};
  }
  NetnsView& shop() { return snapshot.namespaces[1]; }
  std::set<NetnsId> resting() { return rest.of(snapshot); }
  void judge(const Diagnosis& diagnosis = {}) {
    rest.judged(snapshot, resting(), diagnosis);
    snapshot.at += 1s;
  }
};

}  // namespace

TEST_CASE("a namespace rests once it was judged and clear, but never the daemon's own") {
  Host host;
  CHECK(host.resting().empty());
  host.judge();
  CHECK(host.resting() == std::set{kShop, kBlog});
}

TEST_CASE("one in which any section changes is judged at once") {
  const auto changes = [](auto change) {
    Host host;
    host.judge();
    change(host.shop());
    return host.resting() == std::set{kBlog};
  };
  CHECK(changes([](auto& netns) { netns.tcp.value = std::make_shared<const TcpCounters>(); }));
  CHECK(changes([](auto& netns) { netns.listeners.value = std::make_shared<const Listeners>(); }));
  CHECK(changes([](auto& netns) { netns.interfaces.value = std::make_shared<const Interfaces>(); }));
  CHECK(changes([](auto& netns) { netns.connections.value = unexpected(Errc::denied, "no"); }));
  const auto uses = [](const SocketUsage& usage) {
    return [usage](auto& netns) { netns.sockets.value = std::make_shared<const SocketUsage>(usage); };
  };
  CHECK(changes(uses({.tcp_in_use = 1})));
  CHECK_FALSE(changes(uses({.allocated = 1})));                        // the machine's
  CHECK_FALSE(changes([](auto& netns) { netns.tcp.read_at += 2s; }));  // the same, read again
}

TEST_CASE("one about which there is something to say, or that is not known, does not rest") {
  const Finding finding{.id = "a", .netns = "shop"};
  const Unknown unknown{.id = "a", .netns = "shop"};
  const Explained explained{.id = "a", .netns = "shop"};
  for (const auto& diagnosis : {Diagnosis{.findings = {finding}}, Diagnosis{.explained = {explained}},
                                Diagnosis{.unknown = {unknown}}}) {
    Host host;
    host.judge(diagnosis);
    CHECK(host.resting() == std::set{kBlog});
  }
  Host cut;
  cut.judge({.cut = 1});
  CHECK(cut.resting().empty());
  Host young;
  young.shop().settings.value = tl::unexpected<Error>(Error{});
  young.judge();
  CHECK(young.resting() == std::set{kBlog});
}

TEST_CASE("each is judged again after a minute") {
  Host host;
  host.judge();
  int rests = 0;
  for (; rests < 100 && !host.resting().empty(); ++rests) host.judge();
  CHECK(rests == 59);
  host.judge();
  CHECK(host.resting().size() == 2);
}

TEST_CASE("another namespace of the same name is judged") {
  Host host;
  host.judge();
  host.snapshot.namespaces.erase(host.snapshot.namespaces.begin() + 1);
  host.judge();
  host.snapshot.namespaces.push_back(container(NetnsId{3}, "shop"));
  CHECK(host.resting() == std::set{kBlog});
}

TEST_CASE("rules are not asked about a namespace that rests, and at once when something moves in it") {
  static std::vector<std::string> asked;
  const Rule rule{.info = {.id = "a"}, .evaluate = [](const Window& window, const Thresholds&) {
                    asked.push_back(window.netns().name);
                    return Verdict::clear();
                  }};
  IncidentBook book(std::span(&rule, 1));
  Host host;
  const auto names_asked = [&] {
    asked.clear();
    book.observe(host.snapshot, {host.snapshot.at, {}});
    host.snapshot.at += 1s;
    return asked;
  };
  CHECK(names_asked() == std::vector<std::string>{"host", "shop", "blog"});
  CHECK(names_asked() == std::vector<std::string>{"host"});
  host.shop().tcp.value = std::make_shared<const TcpCounters>();
  CHECK(names_asked() == std::vector<std::string>{"host", "shop"});
}
