// SPDX-License-Identifier: Apache-2.0
// What is installed beside the programs and made from their tables.
#include "cli/completion.h"
#include "cli/man_page.h"
#include "daemon/man_page.h"
#include "tests/catch.h"
#include "tests/golden.h"

using namespace tcpdiag;

TEST_CASE("the man pages are what the tables say") {
  check_committed("docs/man/tcpdiagd.8", daemon_man_page());
  check_committed("docs/man/tcpdiag.1", man_page());
}

TEST_CASE("the completions are what the tables say") {
  check_committed("completions/tcpdiag", bash_completion_of_tcpdiag());
  check_committed("completions/tcpdiagd", bash_completion_of_tcpdiagd());
  check_committed("completions/_tcpdiag", zsh_completion());
}

TEST_CASE("text of a man page is shown as it is") {
  CHECK(man_text(".so -x") == "\\&.so \\-x\n");
  CHECK(man_text("'a\\b") == "\\&'a\\eb\n");
  CHECK(man_item("--x=N", "what") == ".TP\n\\-\\-x=N\nwhat\n");
}
