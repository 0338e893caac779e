// SPDX-License-Identifier: Apache-2.0
#include "cli/namespaces.h"

#include "core/facts/netns_list.h"
#include "tests/catch.h"
#include "tests/sample_report.h"

using namespace tcpdiag;

TEST_CASE("namespaces are shown with what is in them, as far as that is known") {
  const auto text = namespaces_text(sample_report(), {.columns = 160});
  CHECK(text ==
        "NAME  KIND     PID  PROCESSES  LISTENERS  CONNECTIONS  DETAILS\n"
        "host  host       1        120          2          227\n"
        "blue  docker  4711          5          ?            ?  nginx:1.27, 7eb263389e5e, project shop, "
        "/run/docker/netns/3f1c0a9b2d4e\n"
        "Namespaces of 1 process are not known: that takes root or CAP_SYS_PTRACE.\n");
}

TEST_CASE("what is not known of namespaces is not shown, what is left out is counted") {
  CHECK(namespaces_text(Report{}, {}).empty());
  Report report;
  report.snapshot.netns_list.value = std::make_shared<const NetnsList>(
      NetnsList{.namespaces = {{.name = "shop", .kind = NetnsKind::named}}, .cut = 2});
  CHECK_THAT(namespaces_text(report, {}), ContainsSubstring("\nAnd 2 more namespaces.\n"));
}
