// SPDX-License-Identifier: Apache-2.0
#include "core/sysctls.h"

#include <set>

#include "tests/catch.h"

using namespace tcpdiag;

TEST_CASE("every sysctl is in the table once, with a sentence of help and fields that fit its form") {
  std::set<std::string_view> names;
  for (const auto& sysctl : sysctl_table()) {
    CAPTURE(sysctl.name);
    CHECK(names.insert(sysctl.name).second);
    CHECK(sysctl.help.ends_with('.'));
    CHECK(sysctl.fields.empty() == (sysctl.form == SysctlForm::word));
    if (sysctl.form == SysctlForm::ports) CHECK(sysctl.fields.size() == 1);
    CHECK(find_sysctl(sysctl.name) == &sysctl);
  }
}

TEST_CASE("a sysctl that is not in the table is not found") {
  CHECK(find_sysctl("net.ipv4.tcp_tw_recycle") == nullptr);
  CHECK(find_sysctl("") == nullptr);
}
