// SPDX-License-Identifier: Apache-2.0
#include "collectors/listeners.h"
#include "collectors/netns.h"
#include "collectors/netstat.h"
#include "collectors/sysctl.h"
#include "tests/catch.h"
#include "tests/kernel/testbed.h"

using namespace tcpdiag;

TEST_CASE("a named namespace is read from outside, each with its own counters and settings") {
  const FreshNames names;
  run("ip netns add test && ip netns add other");
  const auto test = live_source("test"), other = live_source("/run/netns/other"), host = live_source();
  in_netns("sysctl -q -w net.core.somaxconn=17");
  in_netns("ip link set lo up");
  in_netns("bash -c '! : </dev/tcp/127.0.0.1/1'");  // a connection that is refused
  CHECK(read_tcp_counters(*test).value().attempt_fails == 1U);
  CHECK(read_tcp_counters(*other).value().attempt_fails == 0U);
  CHECK(read_settings(*test, SysctlScope::netns).value().find("net.core.somaxconn")->text == "17");
  CHECK(read_settings(*other, SysctlScope::netns).value().find("net.core.somaxconn")->text != "17");
  ListenersReader listeners;
  CHECK(look(listeners, *test).value().listeners.empty());
  CHECK(read_tcp_counters(*host).has_value());
}

TEST_CASE("a named namespace that vanishes is missing, and is read again when it is back") {
  const FreshNames names;
  const auto source = live_source("test");
  ListenersReader listeners;
  CHECK(read_tcp_counters(*source).error().code == Errc::no_netns);
  CHECK(look(listeners, *source).error().code == Errc::no_netns);

  run("ip netns add test");
  in_netns("ip link set lo up");
  in_netns("bash -c '! : </dev/tcp/127.0.0.1/1'");
  CHECK(read_tcp_counters(*source).value().attempt_fails == 1U);
  CHECK(look(listeners, *source).has_value());

  run("ip netns del test");
  const auto gone = read_tcp_counters(*source);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == Errc::no_netns);
  CHECK_THAT(gone.error().detail, ContainsSubstring("/run/netns/test"));
  CHECK(look(listeners, *source).error().code == Errc::no_netns);

  run("ip netns add test");
  CHECK(read_tcp_counters(*source).value().attempt_fails == 0U);  // another one of that name
  CHECK(look(listeners, *source).has_value());

  run("ip netns del test && ip netns add test");  // between two looks
  CHECK(read_tcp_counters(*source).error().code == Errc::no_netns);
  CHECK(read_tcp_counters(*source).has_value());
}

TEST_CASE(
    "the history of a listener ends with its namespace, whichever collector sees that it was replaced") {
  const FreshNames names;
  const auto source = live_source("test");
  ListenersReader reader;
  const auto listener_with = [&](int connections) {
    std::vector<FileDescriptor> sockets;
    const auto ran = Netns::open("test").value().run_inside([&] {
      sockets.push_back(listen_on("127.0.0.1", 80));
      for (int i = 0; i < connections; ++i) sockets.push_back(connect_to("127.0.0.1", 80));
    });
    REQUIRE(ran);
    Listener listener;
    wait_until("the connections are in the queue", [&] {
      const auto listeners = look(reader, *source).value().listeners;
      listener = listeners.at(0);
      return listener.fullest().queue_length == static_cast<std::uint32_t>(connections);
    });
    return listener;
  };
  run("ip netns add test");
  in_netns("ip link set lo up");
  CHECK(listener_with(3).peak_length == 3);
  run("ip netns del test && ip netns add test");
  in_netns("ip link set lo up");
  REQUIRE(read_tcp_counters(*source).error().code == Errc::no_netns);
  const auto listener = listener_with(0);
  CHECK(listener.peak_length == 0);
  CHECK(listener.fill.samples[0] == 1);
}

TEST_CASE("a name that leads to something else is an error and not the host") {
  const FreshNames names;
  run("echo text > /run/netns/file && ln -s /proc/self/ns/mnt /run/netns/mount");
  for (const auto* name : {"file", "mount", "/run/netns/file", "/dev/null", "/run/netns/none"}) {
    INFO(name);
    const auto source = live_source(name);
    ListenersReader listeners;
    CHECK_FALSE(read_tcp_counters(*source).has_value());
    CHECK_FALSE(look(listeners, *source).has_value());
  }
}

TEST_CASE("no thread is left in another namespace") {
  const FreshNames names;
  run("ip netns add test");
  const auto before = run("readlink /proc/self/ns/net");
  const auto source = live_source("test");
  REQUIRE(read_tcp_counters(*source));
  ListenersReader listeners;
  REQUIRE(look(listeners, *source));
  CHECK(run("readlink /proc/self/ns/net") == before);
  CHECK(run("for t in /proc/" + std::to_string(::getpid()) + "/task/*; do readlink $t/ns/net; done") ==
        before);
}
