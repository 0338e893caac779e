// SPDX-License-Identifier: Apache-2.0
// The files that are made from the catalogue: pages of the documentation, the configuration, man pages,
// completions.
#include "daemon/config_file.h"
#include "daemon/option_table.h"
#include "tests/catch.h"
#include "tests/golden.h"
#include "tests/reference/completions.h"
#include "tests/reference/config_reference.h"
#include "tests/reference/findings_reference.h"
#include "tests/reference/man_pages.h"
#include "tests/reference/metrics_reference.h"

using namespace tcpdiag;

TEST_CASE("the pages of the reference are what the catalogue says") {
  const auto all = catalogue();
  check_committed("docs/reference/metrics.md", metrics_reference(all));
  check_committed("docs/reference/findings.md", findings_reference(all));
  check_committed("docs/reference/config.md", config_reference(all));
}

TEST_CASE("the man pages are what the catalogue says") {
  const auto all = catalogue();
  check_committed("docs/man/tcpdiagd.8", man_page_of_tcpdiagd(all));
  check_committed("docs/man/tcpdiag.1", man_page_of_tcpdiag(all));
}

TEST_CASE("the completions are what the catalogue says") {
  const auto all = catalogue();
  check_committed("completions/tcpdiag", bash_completion_of_tcpdiag(all));
  check_committed("completions/tcpdiagd", bash_completion_of_tcpdiagd(all));
  check_committed("completions/_tcpdiag", zsh_completion(all));
}

TEST_CASE("the configuration that is installed has every key with its default") {
  const auto text = default_config_file(catalogue());
  check_committed("systemd/tcpdiagd.json", text);
  const auto entries = parse_config_file("tcpdiagd.json", text);
  REQUIRE(entries);
  CHECK(entries->size() == option_table().size());
  const auto options = load_options({"--config.file=" TCPDIAG_SOURCE_DIR "/systemd/tcpdiagd.json"});
  REQUIRE(options);
  CHECK(*options == Options{});
}

TEST_CASE("text of a man page is shown as it is") {
  CHECK(man_text(".so -x") == "\\&.so \\-x\n");
  CHECK(man_text("'a\\b") == "\\&'a\\eb\n");
  CHECK(man_item("--x=N", "what") == ".TP\n\\-\\-x=N\nwhat\n");
}
