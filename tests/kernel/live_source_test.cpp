// SPDX-License-Identifier: Apache-2.0
#include "collectors/live_source.h"

#include <sys/resource.h>

#include "collectors/listeners.h"
#include "collectors/netstat.h"
#include "tests/catch.h"
#include "tests/kernel/testbed.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

TEST_CASE("a dump that takes too long is given up, and what it left does not answer the next one") {
  FreshNetns netns;
  std::vector<FileDescriptor> listening;  // more than one datagram of them
  for (int each = 0; each < 400; ++each) listening.push_back(listen_on("127.0.0.1", 0));
  TimePoint clock;
  std::chrono::seconds passes = 0s;
  const auto source = make_live_source({.clock = [&] { return clock += passes; }, .dump_deadline = 10s});
  ListenersReader reader;
  CHECK(look(reader, *source).value().listeners.size() == 400);
  passes = 11s;
  CHECK(look(reader, *source).error().code == Errc::timed_out);
  passes = 0s;
  listening.resize(3);
  CHECK(look(reader, *source).value().listeners.size() == 3);
}

TEST_CASE("a dump ends when the program stops") {
  FreshNetns netns;
  const auto listener = listen_on("127.0.0.1", 0);
  bool stopping = true;
  const auto source = make_live_source({.clock = now, .stopping = [&] { return stopping; }});
  ListenersReader reader;
  CHECK_FALSE(look(reader, *source).has_value());
  stopping = false;
  CHECK(look(reader, *source).value().listeners.size() == 1);
}

TEST_CASE("without a free descriptor every read is an error, and all goes on when there is one") {
  FreshNetns netns;
  const auto source = live_source();
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  std::vector<FileDescriptor> filling;
  const rlimit few{.rlim_cur = 64, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  for (int fd = 0; (fd = ::dup(0)) >= 0;) filling.emplace_back(fd);
  ListenersReader reader;
  const auto counters = read_tcp_counters(*source);
  const auto listeners = look(reader, *source);
  const auto log = source->read_kernel_log();
  filling.clear();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK_FALSE(counters.has_value());
  CHECK_FALSE(listeners.has_value());
  CHECK_FALSE(log.has_value());
  CHECK(read_tcp_counters(*source).has_value());
  CHECK(look(reader, *source).has_value());
}
