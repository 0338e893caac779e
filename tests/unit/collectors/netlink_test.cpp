// SPDX-License-Identifier: Apache-2.0
#include "collectors/netlink.h"

#include <cerrno>
#include <climits>

#include "tests/catch.h"
#include "tests/diag_message.h"

using namespace tcpdiag;

namespace {

constexpr std::uint32_t kSequence = 7;

struct Parsed {
  Result<DumpProgress> progress;
  std::vector<std::string> payloads;
};

// Every byte is copied to a buffer of exactly that size, so that a sanitizer sees the first one read too far.
Parsed parse(const std::string& datagram) {
  const std::vector<char> exact(datagram.begin(), datagram.end());
  Parsed parsed;
  parsed.progress =
      parse_dump(std::as_bytes(std::span(exact)), kSequence, [&](std::span<const std::byte> payload) {
        parsed.payloads.emplace_back(reinterpret_cast<const char*>(payload.data()), payload.size());
      });
  return parsed;
}

std::string socket_message(std::uint64_t cookie) {
  return to_message({.state = TcpState::listen,
                     .source = address("10.0.0.1"),
                     .source_port = 80,
                     .cookie = cookie,
                     .drops = 3});
}

std::string done(int status) { return netlink_message(NLMSG_DONE, kSequence, bytes_of(status)); }

std::string with_length(std::string message, std::uint32_t length) {
  std::memcpy(message.data(), &length, sizeof length);
  return message;
}

}  // namespace

TEST_CASE("a datagram of a dump shows the payload of each of its messages") {
  const auto parsed = parse(netlink_message(TCPDIAG_GETSOCK, kSequence, socket_message(1)) +
                            netlink_message(TCPDIAG_GETSOCK, kSequence, socket_message(2)));
  CHECK(parsed.progress == DumpProgress::more);
  CHECK(parsed.payloads == std::vector{socket_message(1), socket_message(2)});
}

TEST_CASE("a dump is over with its done message, and nothing behind it counts") {
  const auto parsed = parse(netlink_message(TCPDIAG_GETSOCK, kSequence, socket_message(1)) + done(0) +
                            netlink_message(TCPDIAG_GETSOCK, kSequence, socket_message(2)));
  CHECK(parsed.progress == DumpProgress::done);
  CHECK(parsed.payloads.size() == 1);
}

TEST_CASE("a datagram cut at any byte is an error, except between its messages") {
  const auto first = netlink_message(TCPDIAG_GETSOCK, kSequence, socket_message(1));
  const auto second = netlink_message(TCPDIAG_GETSOCK, kSequence, socket_message(2));
  const auto whole = first + second + done(0);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    INFO("cut at " << length);
    const auto parsed = parse(whole.substr(0, length));
    const bool between = length == 0 || length == first.size() || length == first.size() + second.size();
    CHECK(parsed.progress.has_value() == between);
    if (between) CHECK(parsed.progress == DumpProgress::more);
    if (!parsed.progress) CHECK(parsed.progress.error().code == Errc::malformed);
    CHECK(parsed.payloads.size() <= 2);
  }
}

TEST_CASE("a message whose length lies is an error and shows nothing") {
  const auto message = netlink_message(TCPDIAG_GETSOCK, kSequence, socket_message(1));
  const auto size = static_cast<std::uint32_t>(message.size());
  for (const auto length : {0U, 1U, 15U, size + 1, size + 4, 0x7fffffffU, 0xfffffffdU, 0xffffffffU}) {
    const auto parsed = parse(with_length(message, length));
    REQUIRE_FALSE(parsed.progress);
    CHECK(parsed.progress.error().code == Errc::malformed);
    CHECK_THAT(parsed.progress.error().detail, ContainsSubstring("sock_diag dump: "));
    CHECK(parsed.payloads.empty());
  }
}

TEST_CASE("a last message without its padding is whole") {
  auto message = netlink_message(TCPDIAG_GETSOCK, kSequence, "abcde");
  message.resize(sizeof(nlmsghdr) + 5);
  const auto parsed = parse(message);
  CHECK(parsed.progress == DumpProgress::more);
  CHECK(parsed.payloads == std::vector<std::string>{"abcde"});
}

TEST_CASE("what an earlier dump left behind is passed over, its end and its errors too") {
  const int denied = -EPERM;
  const auto parsed = parse(netlink_message(TCPDIAG_GETSOCK, kSequence - 1, socket_message(1)) +
                            netlink_message(NLMSG_ERROR, kSequence - 1, bytes_of(denied)) +
                            netlink_message(NLMSG_DONE, kSequence - 1, bytes_of(int{0})) +
                            netlink_message(TCPDIAG_GETSOCK, kSequence, socket_message(2)));
  CHECK(parsed.progress == DumpProgress::more);
  CHECK(parsed.payloads == std::vector{socket_message(2)});
}

TEST_CASE("an error of the kernel is the dump's, whether it comes alone or with the end") {
  struct Case {
    int status;
    Errc code;
  };
  for (const auto& [status, code] : {Case{-EPERM, Errc::denied}, Case{-ENOENT, Errc::missing},
                                     Case{-ENOBUFS, Errc::failed}, Case{-4095, Errc::failed}}) {
    for (const auto type : {NLMSG_ERROR, NLMSG_DONE}) {
      const auto parsed = parse(netlink_message(type, kSequence, bytes_of(status)));
      REQUIRE_FALSE(parsed.progress);
      CHECK(parsed.progress.error().code == code);
    }
  }
}

TEST_CASE("an acknowledgement is no error and no end") {
  CHECK(parse(netlink_message(NLMSG_ERROR, kSequence, bytes_of(int{0}))).progress == DumpProgress::more);
  CHECK(parse(netlink_message(NLMSG_NOOP, kSequence, "")).progress == DumpProgress::more);
}

TEST_CASE("an error message without its number or with an impossible one is malformed") {
  for (const auto type : {NLMSG_ERROR, NLMSG_DONE}) {
    for (const auto& payload : {std::string(), std::string("abc"), bytes_of(int{1}), bytes_of(int{-4096}),
                                bytes_of(INT_MAX), bytes_of(INT_MIN)}) {
      const auto parsed = parse(netlink_message(type, kSequence, payload));
      REQUIRE_FALSE(parsed.progress);
      CHECK(parsed.progress.error().code == Errc::malformed);
    }
  }
}

TEST_CASE("messages that the kernel lost are an error") {
  const auto parsed = parse(netlink_message(NLMSG_OVERRUN, kSequence, ""));
  REQUIRE_FALSE(parsed.progress);
  CHECK(parsed.progress.error().code == Errc::failed);
}
