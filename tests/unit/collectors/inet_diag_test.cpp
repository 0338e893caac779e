// SPDX-License-Identifier: Apache-2.0
#include "collectors/inet_diag.h"

#include "tests/catch.h"
#include "tests/diag_message.h"

using namespace tcpdiag;

namespace {

Result<DiagSocket> parse(const std::string& payload) {
  const std::vector<char> exact(payload.begin(), payload.end());
  return parse_inet_diag(std::as_bytes(std::span(exact)));
}

DiagSocket a_listener() {
  return {.state = TcpState::listen,
          .source = address("2001:db8::1"),
          .destination = address("::"),
          .source_port = 443,
          .interface = 3,
          .cookie = 0x1122334455667788,
          .receive_queue = 5,
          .send_queue = 4096,
          .uid = 33,
          .inode = 4711,
          .drops = 90,
          .v6_only = true};
}

void check_malformed(const Result<DiagSocket>& socket) {
  REQUIRE_FALSE(socket);
  CHECK(socket.error().code == Errc::malformed);
  CHECK_THAT(socket.error().detail, ContainsSubstring("sock_diag message: "));
}

}  // namespace

TEST_CASE("an IPv6 listener is read with its attributes") {
  const auto socket = parse(to_message(a_listener()));
  REQUIRE(socket);
  CHECK(socket->state == TcpState::listen);
  CHECK(to_string(socket->source) == "2001:db8::1");
  CHECK(socket->source_port == 443);
  CHECK(socket->interface == 3);
  CHECK(socket->cookie == 0x1122334455667788);
  CHECK(socket->receive_queue == 5);
  CHECK(socket->send_queue == 4096);
  CHECK(socket->uid == 33);
  CHECK(socket->inode == 4711);
  CHECK(socket->drops == 90);
  CHECK(socket->v6_only == true);
}

TEST_CASE("an IPv4 connection is read, and nothing of its unused address bytes") {
  auto message = to_message({.state = TcpState::close_wait,
                             .source = address("127.0.0.1"),
                             .destination = address("127.0.0.2"),
                             .source_port = 80,
                             .destination_port = 65535,
                             .inode = 1});
  std::memset(message.data() + offsetof(inet_diag_msg, id.idiag_src) + 4, 0x5a, 12);
  const auto socket = parse(message);
  REQUIRE(socket);
  CHECK(socket->source == address("127.0.0.1"));
  CHECK(socket->destination == address("127.0.0.2"));
  CHECK(socket->destination_port == 65535);
  CHECK_FALSE(socket->drops.has_value());
  CHECK_FALSE(socket->v6_only.has_value());
}

TEST_CASE("a message cut at any byte is an error, except where an attribute ends") {
  const auto whole = to_message(a_listener());
  const auto v6_only_ends = sizeof(inet_diag_msg) + sizeof(rtattr) + 4;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    INFO("cut at " << length);
    const auto socket = parse(whole.substr(0, length));
    // An attribute's padding may be left out at the end of a message.
    const bool whole_attributes =
        length == sizeof(inet_diag_msg) || (length >= v6_only_ends - 3 && length <= v6_only_ends);
    CHECK(socket.has_value() == whole_attributes);
    if (!whole_attributes) check_malformed(socket);
  }
}

TEST_CASE("an unknown family or state is an error") {
  for (const auto family : {0, 1, 3, 255}) {
    auto message = to_message(a_listener());
    message[offsetof(inet_diag_msg, idiag_family)] = static_cast<char>(family);
    check_malformed(parse(message));
  }
  for (const auto state : {0, 12, 13, 255}) {
    auto message = to_message(a_listener());
    message[offsetof(inet_diag_msg, idiag_state)] = static_cast<char>(state);
    check_malformed(parse(message));
  }
}

TEST_CASE("an attribute whose length lies is an error") {
  const auto head = to_message({.state = TcpState::listen, .source = address("0.0.0.0"), .source_port = 80});
  for (const auto length : {0, 1, 3, 9, 0xffff}) {
    const rtattr lying{.rta_len = static_cast<unsigned short>(length), .rta_type = INET_DIAG_SKMEMINFO};
    check_malformed(parse(head + bytes_of(lying) + "abcd"));
  }
}

TEST_CASE("drops are not known where the kernel's socket memory ends before them") {
  const auto head = to_message({.state = TcpState::listen, .source = address("0.0.0.0"), .source_port = 80});
  const auto before_4_7 = attribute(INET_DIAG_SKMEMINFO, std::string(8 * 4, '\1'));
  const auto one_short = attribute(INET_DIAG_SKMEMINFO, std::string(9 * 4 - 1, '\1'));
  const auto longer = attribute(INET_DIAG_SKMEMINFO, std::string(12 * 4, '\1'));
  CHECK_FALSE(parse(head + before_4_7).value().drops.has_value());
  CHECK_FALSE(parse(head + one_short).value().drops.has_value());
  CHECK(parse(head + longer).value().drops == 0x01010101);
}

TEST_CASE("attributes that we do not know or that are empty are passed over") {
  auto listener = a_listener();
  listener.v6_only.reset();
  const auto socket =
      parse(to_message(listener) + attribute(999, "something new") + attribute(INET_DIAG_SKV6ONLY, "") +
            attribute(INET_DIAG_SKMEMINFO, "") + attribute(INET_DIAG_SHUTDOWN, "x"));
  REQUIRE(socket);
  CHECK(socket->drops == 90);
  CHECK_FALSE(socket->v6_only.has_value());
}

TEST_CASE("when a connection sent its last data is read from tcp_info, as far as the kernel tells") {
  tcp_info info{};
  info.tcpi_last_data_sent = 47123;
  const auto head = to_message({.state = TcpState::established});
  const auto last = [](const std::string& message) {
    return parse_last_data_sent(std::as_bytes(std::span(message)));
  };
  CHECK(last(head + attribute(INET_DIAG_INFO, bytes_of(info))) == std::chrono::milliseconds(47123));
  CHECK_FALSE(last(head));
  CHECK_FALSE(last(head + attribute(INET_DIAG_INFO, bytes_of(info).substr(0, 40))));
  const auto whole = head + attribute(INET_DIAG_INFO, bytes_of(info));
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK_FALSE(last(whole.substr(0, size)));
}

TEST_CASE("when a connection received its last data is read from tcp_info, too") {
  const auto message = to_message({.state = TcpState::established}) + activity(47123, 1500);
  const auto bytes = std::as_bytes(std::span(message));
  CHECK(parse_last_data_sent(bytes) == std::chrono::milliseconds(47123));
  CHECK(parse_last_data_received(bytes) == std::chrono::milliseconds(1500));
}

TEST_CASE("what the kernel waits for at a socket is read, whatever number it is") {
  for (const auto timer : {DiagTimer::none, DiagTimer::retransmit, DiagTimer::keep_alive,
                           DiagTimer::window_probe, static_cast<DiagTimer>(200)})
    CHECK(parse(to_message({.state = TcpState::established, .timer = timer})).value().timer == timer);
}

TEST_CASE("how often the timer has fired is read") {
  const DiagSocket socket{.state = TcpState::established, .timer = DiagTimer::retransmit, .retransmits = 10};
  CHECK(parse(to_message(socket)).value().retransmits == 10);
}
