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

namespace {

// As /proc/sys shows it afterwards, or "refused".
std::string taken(std::string_view name, std::string_view written) {
  const auto taken = taken_value(*find_sysctl(name), written);
  return taken ? taken->text : "refused";
}

}  // namespace

TEST_CASE(
    "the kernel takes the numbers at the beginning of a value, and no matter what follows the last one") {
  CHECK(taken("net.core.somaxconn", "128") == "128");
  CHECK(taken("net.core.somaxconn", "128  # was 4096") == "128");
  CHECK(taken("net.core.somaxconn", "128 4096") == "128");
  CHECK(taken("net.core.somaxconn", "0x80") == "128");
  CHECK(taken("net.core.somaxconn", "0200") == "128");
  CHECK(taken("net.ipv4.tcp_orphan_retries", "-1") == "-1");
  CHECK(taken("net.ipv4.ip_local_port_range", "1024  65000 # more") == "1024\t65000");
  CHECK(taken("net.ipv4.ip_local_port_range", "1024") == "1024");
  CHECK(taken("fs.file-max", "18446744073709551615") == "9223372036854775807");
}

TEST_CASE("the kernel refuses what is no number, and two numbers that no blank sets apart") {
  for (const auto* written : {"", " ", "yes", "128#", "\"128\"", "= 128", "64k", "1,2", "08", "0x", "1e3"}) {
    INFO(written);
    CHECK(taken("net.core.somaxconn", written) == "refused");
  }
  CHECK(taken("net.ipv4.ip_local_port_range", "1024,65000") == "refused");
  CHECK(taken("net.ipv4.ip_local_port_range", "1024-65000") == "refused");
}

TEST_CASE("a word and a list of ports stand alone") {
  CHECK(taken("net.ipv4.tcp_congestion_control", "bbr") == "bbr");
  CHECK(taken("net.ipv4.tcp_congestion_control", "bbr # not a comment") == "refused");
  CHECK(taken("net.ipv4.tcp_congestion_control", "") == "refused");
  CHECK(taken("net.ipv4.ip_local_reserved_ports", "8080,9000-9010") == "8080,9000-9010");
  CHECK(taken("net.ipv4.ip_local_reserved_ports", "") == "");
  CHECK(taken("net.ipv4.ip_local_reserved_ports", "8080 # java") == "refused");
  CHECK(taken("net.ipv4.ip_local_reserved_ports", "many") == "refused");
  CHECK(taken_value(*find_sysctl("net.ipv4.ip_local_reserved_ports"), "8080-8082")->numbers ==
        std::vector<std::int64_t>{3});
}

TEST_CASE("the first number out of bounds is found, and one below the number before it where they ascend") {
  using Numbers = std::vector<std::int64_t>;
  CHECK(first_out_of_bounds({.least = 1, .most = 127}, Numbers{1, 127}) == 2);
  CHECK(first_out_of_bounds({.least = 1, .most = 127}, Numbers{0}) == 0);
  CHECK(first_out_of_bounds({.least = 1, .most = 127}, Numbers{1, 128}) == 1);
  CHECK(first_out_of_bounds({}, Numbers{INT64_MIN, INT64_MAX}) == 2);
  CHECK(first_out_of_bounds({.ascending = true}, Numbers{5, 5}) == 2);
  CHECK(first_out_of_bounds({.ascending = true}, Numbers{5, 4}) == 1);
}

TEST_CASE("a name with dots is a path below /proc/sys, its slashes dots") {
  CHECK(sysctl_path("net.ipv4.conf.eth0/100.rp_filter") == "net/ipv4/conf/eth0.100/rp_filter");
}
