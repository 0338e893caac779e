// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/words.h"

#include "diagnosis/known_servers.h"
#include "tests/catch.h"

using namespace tcpdiag;

TEST_CASE("names in braces are replaced, and what is not known is a question mark") {
  CHECK(fill_in("{a} and {b}", {{"a", "1"}}) == "1 and ?");
  CHECK(can_fill_in("{a}", {{"a", "1"}}));
  CHECK_FALSE(can_fill_in("{a} and {b}", {{"a", "1"}}));
}

TEST_CASE("a part in brackets is left out when one of its names is not known") {
  CHECK(fill_in("x[ of {a}[ ({b})]].", {}) == "x.");
  CHECK(fill_in("x[ of {a}[ ({b})]].", {{"a", "1"}}) == "x of 1.");
  CHECK(fill_in("x[ of {a}[ ({b})]].", {{"a", "1"}, {"b", "2"}}) == "x of 1 (2).");
  CHECK(fill_in("x[ of {a}[ ({b})]].", {{"b", "2"}}) == "x.");
  CHECK(can_fill_in("x[ of {a}]", {}));
}

TEST_CASE("a name with a question mark is only asked for") {
  CHECK(fill_in("x[; of {a}{?b}].", {{"a", "1"}}) == "x.");
  CHECK(fill_in("x[; of {a}{?b}].", {{"a", "1"}, {"b", "2"}}) == "x; of 1.");
  CHECK_FALSE(can_fill_in("x{?b}", {}));
  CHECK(as_pattern("x{?b} {a}") == "x <a>");
}

TEST_CASE("of parts with bars the first complete one is taken") {
  CHECK(fill_in("[{owner}|Somebody] waits", {}) == "Somebody waits");
  CHECK(fill_in("[{owner}|Somebody] waits", {{"owner", "nginx"}}) == "nginx waits");
  CHECK(fill_in("[{a}|{b}]", {}) == "");
  CHECK_FALSE(can_fill_in("kill [-KILL {a}|{b}]", {}));  // one of several is needed
  CHECK(can_fill_in("kill [-KILL {a}|{b}]", {{"b", "7"}}));
  CHECK(can_fill_in("[{a}|{b}|]", {}));
}

TEST_CASE("a word fits to its number") {
  constexpr auto kText = "{n} {n:connection was|connections were} reset";
  CHECK(fill_in(kText, {{"n", "1"}}) == "1 connection was reset");
  CHECK(fill_in(kText, {{"n", "21"}}) == "21 connections were reset");
  CHECK(fill_in(kText, {{"n", "0"}}) == "0 connections were reset");
  CHECK(fill_in("a{n:|s}", {{"n", "1"}}) == "a");
  CHECK(fill_in("a{n:|s}", {{"n", "2"}}) == "as");
  CHECK(as_pattern(kText) == "<n> connections were reset");
  CHECK(fill_in("{n:one", {{"n", "1"}}) == "one");
  CHECK(fill_in("{n:one", {{"n", "2"}}) == "");
  CHECK(can_fill_in("{n:one|many}", {{"n", "2"}}));
  CHECK_FALSE(can_fill_in("{n:one|many}", {}));
}

TEST_CASE("a value may hold braces and brackets, and a backslash makes brackets ordinary") {
  CHECK(fill_in("{a}", {{"a", "[::1]:{80}"}}) == "[::1]:{80}");
  CHECK(fill_in(R"('tcp\[tcpflags\]'[ {none}] \{n\} \\n)", {}) == R"('tcp[tcpflags]' {n} \n)");
  CHECK(fill_in("the end\\", {}) == "the end");
}

TEST_CASE("a text that is cut short is rendered as far as it goes") {
  CHECK(fill_in("a {b", {{"b", "1"}}) == "a 1");
  CHECK(fill_in("a [b {c}", {}) == "a ");
  CHECK(fill_in("a ] b", {}) == "a ] b");
  CHECK(fill_in("", {}) == "");
}

TEST_CASE("in the documentation names are patterns") {
  CHECK(as_pattern("{sent} SYNs[ to {listener}]") == "<sent> SYNs to <listener>");
  CHECK(as_pattern("on [port {a}][pid {b}][; {c} more][ {d}].") == "on port <a> / pid <b>; <c> more <d>.");
}

TEST_CASE("a known server's own knob names the backlog") {
  CHECK(server_knob("gunicorn", "2048") == "gunicorn --backlog 2048");
  CHECK(server_knob("redis-server", "1024") == "tcp-backlog 1024 in redis.conf");
  CHECK(server_knob("python3.11", "256")->starts_with("sock.listen(256)"));
  CHECK(server_knob("node", "900") == "server.listen({port, backlog: 900})");
  CHECK_FALSE(server_knob("my-own-server", "256"));
  CHECK_FALSE(server_knob("nginx-debug", "256"));
  CHECK(connection_knob("redis-server") == "maxclients in redis.conf");
  CHECK(connection_knob("php-fpm8.2")->starts_with("pm.max_children"));
  CHECK_FALSE(connection_knob("sshd"));
  CHECK_FALSE(connection_knob("my-own-server"));
}
