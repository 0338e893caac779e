// SPDX-License-Identifier: Apache-2.0
#include "collectors/netns_doorkeeper.h"

#include <sys/socket.h>

#include <array>
#include <thread>

#include "collectors/netns_wire.h"
#include "tests/catch.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

constexpr auto kLong = 30s;  // no test waits for it
constexpr auto kShort = 1ms;

// The other end plays tcpdiagd-netns.
struct Asking {
  Asking() {
    std::array<int, 2> sockets{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()) == 0);
    theirs = FileDescriptor(sockets[1]);
    keeper.emplace(FileDescriptor(sockets[0]), [this] { return now; });
  }
  Result<NetnsDoor> open(std::chrono::milliseconds patience) { return keeper->open(own, patience); }
  /// Asks while the other end answers with `error`.
  Result<NetnsDoor> open_answered(Errc error) {
    std::thread other([&] {
      const auto request = receive_netns_request(theirs.get());
      static_cast<void>(send_netns_answer(
          theirs.get(), {.number = (**request).number, .door = unexpected(error, "told by the other end")}));
    });
    auto door = open(kLong);
    other.join();
    return door;
  }

  TimePoint now{1h};
  Netns own = Netns::open("/proc/self/ns/net").value();
  FileDescriptor theirs;
  std::optional<NetnsDoorkeeper> keeper;
};

}  // namespace

TEST_CASE("what the doorkeeper finds is the outcome, and it is asked again at once") {
  Asking asking;
  CHECK(asking.open_answered(Errc::denied).error().code == Errc::denied);
  CHECK(asking.open_answered(Errc::missing).error().code == Errc::missing);
}

TEST_CASE("a doorkeeper that hangs is left alone for a while") {
  Asking asking;
  const auto late = asking.open(kShort);
  REQUIRE_FALSE(late);
  CHECK(late.error().detail == "tcpdiagd-netns does not answer");
  asking.now += NetnsDoorkeeper::kRest - 1ms;
  CHECK(asking.open(kLong).error().detail == late.error().detail);  // or this would wait
  asking.now += 1ms;
  CHECK(asking.open(kShort).error().code == Errc::timed_out);
}

TEST_CASE("an answer that comes late is not taken for that to the next request") {
  Asking asking;
  REQUIRE_FALSE(asking.open(kShort));
  const auto first = receive_netns_request(asking.theirs.get());
  REQUIRE(send_netns_answer(asking.theirs.get(),
                            {.number = (**first).number, .door = unexpected(Errc::missing, "late")}));
  asking.now += NetnsDoorkeeper::kRest;
  CHECK(asking.open_answered(Errc::denied).error().code == Errc::denied);
}

TEST_CASE("a doorkeeper that has ended is said to have") {
  Asking asking;
  asking.theirs = FileDescriptor();
  CHECK(asking.open(kLong).error().detail == "tcpdiagd-netns has ended; restart tcpdiagd");
}

TEST_CASE("where there is no doorkeeper it is said where it should be") {
  NetnsDoorkeeper keeper("/nonexistent/socket", [] { return TimePoint(1h); });
  const auto door = keeper.open(Netns::open("/proc/self/ns/net").value(), kLong);
  REQUIRE_FALSE(door);
  CHECK(door.error().code == Errc::denied);
  CHECK_THAT(door.error().detail, ContainsSubstring("/nonexistent/socket"));
}
