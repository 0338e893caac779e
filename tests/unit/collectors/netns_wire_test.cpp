// SPDX-License-Identifier: Apache-2.0
#include "collectors/netns_wire.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "collectors/files.h"
#include "tests/catch.h"

using namespace tcpdiag;

namespace {

struct Connection {
  Connection() {
    std::array<int, 2> sockets{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets.data()) == 0);
    ours = FileDescriptor(sockets[0]);
    theirs = FileDescriptor(sockets[1]);
  }
  void say(std::span<const std::uint32_t> words) const {
    REQUIRE(::send(theirs.get(), words.data(), words.size_bytes(), 0) ==
            static_cast<ssize_t>(words.size_bytes()));
  }

  FileDescriptor ours, theirs;
};

// How many descriptors this process has open.
std::size_t open_files() { return list_directory("/proc/self/fd").value().size(); }

NetnsDoor::Items nothing() {
  NetnsDoor::Items items;
  for (auto& item : items) item = unexpected(Errc::missing, "none");
  return items;
}

// The inode tells one file from another.
std::uint64_t inode(const FileDescriptor& file) { return netns_in_file(file, "a descriptor").value().inode; }

}  // namespace

TEST_CASE("a request brings its namespace and its number") {
  const Connection connection;
  const auto own = open_file("/proc/self/ns/net").value();
  REQUIRE(send_netns_request(connection.theirs.get(), 7, own.get()));
  const auto request = receive_netns_request(connection.ours.get());
  REQUIRE(request);
  REQUIRE(*request);
  CHECK((*request)->number == 7);
  CHECK(inode((*request)->netns) == inode(own));
}

TEST_CASE("an answer brings what is open in its place, and why the rest is not") {
  const Connection connection;
  auto items = nothing();
  items[1] = open_file("/proc/self/ns/net").value();
  items[3] = unexpected(Errc::denied, "not allowed");
  items[12] = open_file("/proc/version").value();
  REQUIRE(send_netns_answer(connection.theirs.get(), {.number = 9, .door = NetnsDoor(std::move(items))}));
  auto answer = receive_netns_answer(connection.ours.get());
  REQUIRE(answer);
  REQUIRE(*answer);
  CHECK((*answer)->number == 9);
  const auto& got = (*answer)->door.value().items();
  CHECK(inode(*got[1]) == inode(open_file("/proc/self/ns/net").value()));
  CHECK(got[3].error().code == Errc::denied);
  CHECK_THAT(got[3].error().detail, ContainsSubstring("/proc/net/if_inet6"));
  CHECK(read_whole(*got[12], "version", 4096).value().starts_with("Linux"));
  CHECK(got[0].error().code == Errc::missing);
}

TEST_CASE("that a namespace cannot be entered is told") {
  const Connection connection;
  REQUIRE(send_netns_answer(connection.theirs.get(),
                            {.number = 1, .door = unexpected(Errc::denied, "setns: not allowed")}));
  const auto answer = receive_netns_answer(connection.ours.get());
  CHECK((**answer).door.error().code == Errc::denied);
}

TEST_CASE("what is no request or no answer is said to be none, and leaves no descriptor open") {
  const Connection connection;
  const auto before = open_files();
  const auto own = open_file("/proc/self/ns/net").value();
  const auto refused = [&](const auto& received) {
    REQUIRE_FALSE(received);
    CHECK(received.error().code == Errc::malformed);
  };
  SECTION("a request without a namespace") {
    connection.say(std::array<std::uint32_t, 2>{kNetnsWireVersion, 1});
    refused(receive_netns_request(connection.ours.get()));
  }
  SECTION("of another version") {
    connection.say(std::array<std::uint32_t, 2>{kNetnsWireVersion + 1, 1});
    refused(receive_netns_request(connection.ours.get()));
  }
  SECTION("too short") {
    connection.say(std::array<std::uint32_t, 1>{kNetnsWireVersion});
    refused(receive_netns_request(connection.ours.get()));
  }
  SECTION("too long") {
    connection.say(std::array<std::uint32_t, 40>{kNetnsWireVersion});
    refused(receive_netns_request(connection.ours.get()));
  }
  SECTION("an answer that is a request, with a descriptor") {
    REQUIRE(send_netns_request(connection.theirs.get(), 1, own.get()));
    refused(receive_netns_answer(connection.ours.get()));
  }
  SECTION("an answer that says that all is open, and brings nothing") {
    connection.say(std::array<std::uint32_t, 3 + kNetnsItems.size()>{kNetnsWireVersion, 1});
    refused(receive_netns_answer(connection.ours.get()));
  }
  CHECK(open_files() == before + 1);
}

TEST_CASE("a closed connection is told from one on which nothing has come yet") {
  Connection connection;
  CHECK(receive_netns_request(connection.ours.get()).error().code == Errc::timed_out);
  connection.theirs = FileDescriptor();
  const auto request = receive_netns_request(connection.ours.get());
  REQUIRE(request);
  CHECK_FALSE(request->has_value());
}
