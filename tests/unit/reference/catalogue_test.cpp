// SPDX-License-Identifier: Apache-2.0
#include "tests/reference/catalogue.h"

#include "tests/catch.h"
#include "tests/golden.h"

using namespace tcpdiag;

namespace {

const Json& named(const Json& rows, const char* key, std::string_view name) {
  for (const auto& row : rows)
    if (text_of(row, key) == name) return row;
  FAIL("there is no " << name);
  return rows;
}

}  // namespace

TEST_CASE("the catalogue is what the tables of the programs say") {
  check_committed("docs/reference/catalogue.json", catalogue().dump(2) + "\n");
}

TEST_CASE("the unit of a metric in the catalogue is the one in its name") {
  const auto metrics = catalogue().at("metrics");
  const auto unit_of = [&](const char* name) { return text_of(named(metrics, "name", name), "unit"); };
  CHECK(unit_of("process_cpu_seconds_total") == "seconds");
  CHECK(unit_of("tcpdiag_tcp_memory_bytes") == "bytes");
  CHECK(unit_of("tcpdiag_process_fd_usage_ratio") == "ratio");
  CHECK(unit_of("tcpdiag_finding_active").empty());
}
