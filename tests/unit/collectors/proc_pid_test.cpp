// SPDX-License-Identifier: Apache-2.0
#include "collectors/proc_pid.h"

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

// Linux 6.18
constexpr std::string_view kStat =
    "5642 (cat) R 5636 5636 3689 0 -1 4194304 96 0 0 0 7 3 0 0 20 0 1 0 97550 3133440 363 "
    "18446744073709551615 93839343050752 93839343070633 140729850615728 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 "
    "93839343086640 93839343088256 93839519940608 140729850624650 140729850624670 140729850624670 "
    "140729850626027 0\n";
constexpr std::string_view kLimits =
    "Limit                     Soft Limit           Hard Limit           Units     \n"
    "Max cpu time              unlimited            unlimited            seconds   \n"
    "Max processes             96365                96365                processes \n"
    "Max open files            1024                 524288               files     \n"
    "Max locked memory         8388608              8388608              bytes     \n";

std::string stat_of(const std::string& comm) {
  return "12 (" + comm + ") S 1 12 12 0 -1 0 0 0 0 0 5 6 0 0 20 0 9 0 400 8192 2\n";
}

}  // namespace

TEST_CASE("the stat of a process is read by position after its name") {
  const auto stat = parse_pid_stat(kStat);
  REQUIRE(stat);
  CHECK(stat->comm == "cat");
  CHECK(stat->state == 'R');
  CHECK(stat->user_ticks == 7);
  CHECK(stat->system_ticks == 3);
  CHECK(stat->threads == 1);
  CHECK(stat->start_ticks == 97550);
  CHECK(stat->virtual_bytes == 3133440);
  CHECK(stat->resident_pages == 363);
}

TEST_CASE("a kernel thread is told from a process by its flags") {
  CHECK_FALSE(parse_pid_stat(kStat)->kernel_thread);
  CHECK_FALSE(parse_pid_stat(kStat)->exiting);
  // Linux 6.18
  const auto thread = parse_pid_stat(
      "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 3 0 0 18446744073709551615 0 0 0\n");
  REQUIRE(thread);
  CHECK(thread->kernel_thread);
  CHECK_FALSE(parse_pid_stat("2 (kthreadd) S 0 0 0 0 -1 x 0 0 0 0 0 0 0 0 20 0 1 0 3 0 0\n"));
}

TEST_CASE("a process name may hold anything, even what follows a name") {
  for (const std::string comm : {"a b", ")", "(sd-pam)", "x) R 7 7", " (", "", "two\nlines", "tab\tbed"}) {
    const auto stat = parse_pid_stat(stat_of(comm));
    CAPTURE(comm);
    REQUIRE(stat);
    CHECK(stat->comm == comm);
    CHECK(stat->user_ticks == 5);
    CHECK(stat->start_ticks == 400);
  }
}

TEST_CASE("a state that is no letter is an error") {
  for (const std::string state : {"", "SS", "1", "\x01", "-"}) {
    CAPTURE(state);
    CHECK_FALSE(parse_pid_stat("12 (a) " + state + " 1 12 12 0 -1 0 0 0 0 0 5 6 0 0 20 0 9 0 400 8192 2\n"));
  }
}

TEST_CASE("a wait channel is the name of a kernel function, and anything else is none") {
  CHECK(parse_wait_channel("inet_csk_accept") == "inet_csk_accept");
  CHECK(parse_wait_channel("do_wait.isra.0") == "do_wait.isra.0");
  CHECK(parse_wait_channel("ep_poll\n") == "ep_poll");
  for (const std::string text : {"", "0", "0\n", "two words", "a\"b", "\x01", "ep_poll\xff"})
    CHECK(parse_wait_channel(text).empty());
  CHECK(parse_wait_channel(std::string(4096, 'a')).empty());
}

TEST_CASE("the user of a process is the real one, and none where the file is cut or another") {
  CHECK(parse_pid_user("Name:\tsudo\nUid:\t1000\t0\t0\t0\nGid:\t1000\t0\t0\t0\n") == 1000U);
  CHECK(parse_pid_user("Uid:\t4294967295\t0\t0\t0\n") == 4294967295U);
  for (const std::string text :
       {"", "Uid:", "Uid:\t", "Uid:\t10", "Uid:\tx\t0\t0\t0\n", "Gid:\t0\t0\t0\t0\n"})
    CHECK_FALSE(parse_pid_user(text));
}

TEST_CASE("the stat of a process cut at any byte is an error") {
  const auto whole = stat_of("nginx");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto stat = parse_pid_stat(std::string_view(whole).substr(0, length));
    REQUIRE_FALSE(stat);
    CHECK(stat.error().code == Errc::malformed);
  }
}

TEST_CASE("a garbled stat of a process is an error") {
  for (const auto* bad : {"garbage\n", ") (\n", "1 () \n", "1 (x)\n", "1 (x) SS 1\n",
                          "1 (x) S 1 1 1 0 -1 0 0 0 0 0 5 6 0 0 20 0 - 0 400 8192 2\n",
                          "1 (x) S 1 1 1 0 -1 0 0 0 0 0 -5 6 0 0 20 0 9 0 400 8192 2\n",
                          "1 (x) S 1 1 1 0 -1 0 0 0 0 0 5 6 0 0 20 0 9 0 99999999999999999999 8192 2\n"})
    CHECK_FALSE(parse_pid_stat(bad));
}

TEST_CASE("the limits of open files are found by name") {
  const auto limits = parse_fd_limits(kLimits);
  REQUIRE(limits);
  CHECK(limits->soft == 1024);
  CHECK(limits->hard == 524288);
}

TEST_CASE("an unlimited number of open files is no number") {
  const auto limits =
      parse_fd_limits("Max open files            unlimited            unlimited            files \n");
  REQUIRE(limits);
  CHECK_FALSE(limits->soft);
  CHECK_FALSE(limits->hard);
}

TEST_CASE("limits cut before the end of the line of open files are an error") {
  const auto end_of_line = kLimits.find("Max locked");
  for (std::size_t length = 0; length < kLimits.size(); ++length)
    CHECK(parse_fd_limits(kLimits.substr(0, length)).has_value() == (length >= end_of_line));
}

TEST_CASE("garbled limits of open files are an error") {
  for (const auto* bad : {"\n\n", "Max open files\n", "Max open files -1 1024 files\n",
                          "Max open files 1024 files\n", "Max open files many many files\n"})
    CHECK_FALSE(parse_fd_limits(bad));
}

TEST_CASE("a socket link is its inode and nothing else is one") {
  CHECK(parse_socket_link("socket:[123]") == 123U);
  CHECK(parse_socket_link("socket:[4294967295]") == 4294967295U);
  for (const auto* text :
       {"", "socket:[", "socket:]", "socket:[]", "socket:[12", "socket:[-1]", "socket:[1 ]",
        "socket:[4294967296]", "pipe:[123]", "/tmp/socket:[1]", "anon_inode:[eventpoll]"})
    CHECK_FALSE(parse_socket_link(text));
}
