// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>

#include "collectors/sysctl.h"
#include "tests/catch.h"
#include "tests/kernel/testbed.h"

using namespace tcpdiag;

namespace {

std::string path_of(std::string_view name) {
  std::string path(name);
  std::replace(path.begin(), path.end(), '.', '/');
  return "/proc/sys/" + path;
}

void write_sysctl(std::string_view name, const std::string& value) {
  std::ofstream file(path_of(name));
  file << value << std::flush;
  if (!file) FAIL("writing " << name);
}

std::vector<std::int64_t> values_of(const Settings& settings, std::string_view name) {
  const auto* sysctl = settings.find(name);
  if (sysctl == nullptr) FAIL(name << " is absent");
  return sysctl->values;
}

using Values = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("the settings of a namespace are its own, as they are at the time") {
  const auto host = live_source();
  const auto hosts_before = read_settings(*host, SysctlScope::netns);
  REQUIRE(hosts_before);
  FreshNetns netns;
  const auto source = live_source();
  REQUIRE(read_settings(*source, SysctlScope::netns));
  write_sysctl("net.core.somaxconn", "17");
  write_sysctl("net.ipv4.tcp_syncookies", "2");
  write_sysctl("net.ipv4.ip_local_port_range", "20000 20999");
  write_sysctl("net.ipv4.ip_local_reserved_ports", "20100,20200-20209");
  write_sysctl("net.ipv4.tcp_congestion_control", "reno");
  write_sysctl("net.ipv4.tcp_rmem", "4096 65536 1000000");
  const auto settings = read_settings(*source, SysctlScope::netns);
  REQUIRE(settings);
  CHECK(values_of(*settings, "net.core.somaxconn") == Values{17});
  CHECK(values_of(*settings, "net.ipv4.tcp_syncookies") == Values{2});
  CHECK(values_of(*settings, "net.ipv4.ip_local_port_range") == Values{20000, 20999});
  CHECK(values_of(*settings, "net.ipv4.ip_local_reserved_ports") == Values{11});
  CHECK(values_of(*settings, "net.ipv4.tcp_rmem") == Values{4096, 65536, 1000000});
  REQUIRE(settings->find("net.ipv4.tcp_congestion_control") != nullptr);
  CHECK(settings->find("net.ipv4.tcp_congestion_control")->text == "reno");

  const auto hosts_after = read_settings(*host, SysctlScope::netns);
  REQUIRE(hosts_after);
  for (const auto& before : hosts_before->sysctls) {
    INFO(before.name);
    REQUIRE(hosts_after->find(before.name) != nullptr);
    CHECK(hosts_after->find(before.name)->text == before.text);
  }
}

TEST_CASE("a list of reserved ports is read whole, however long it is") {
  FreshNetns netns;
  const auto source = live_source();
  for (const std::size_t ports : {2100U, 4000U, 32000U}) {
    std::string list;
    for (std::size_t port = 0; port < ports; ++port) list += std::to_string(2 * port + 1) + ",";  // no ranges
    list.pop_back();
    write_sysctl("net.ipv4.ip_local_reserved_ports", list);
    const auto settings = read_settings(*source, SysctlScope::netns);
    REQUIRE(settings);
    CHECK(values_of(*settings, "net.ipv4.ip_local_reserved_ports") ==
          Values{static_cast<std::int64_t>(ports)});
    CHECK(settings->find("net.ipv4.ip_local_reserved_ports")->text == list);
  }
}

TEST_CASE("every setting is what cat says, and what is absent here is absent") {
  FreshNetns netns;
  const auto source = live_source();
  const auto settings = read_settings(*source, SysctlScope::machine);
  REQUIRE(settings);
  CHECK(settings->sysctls.size() > 10);
  for (const auto& spec : sysctl_table()) {
    INFO(spec.name);
    const auto* sysctl = settings->find(spec.name);
    auto oracle = run("cat " + path_of(spec.name) + " || true");
    if (sysctl == nullptr) {
      CHECK_THAT(oracle, ContainsSubstring("No such file"));
    } else {
      while (oracle.ends_with('\n')) oracle.pop_back();
      CHECK(sysctl->text == oracle);
    }
  }
  // These belong to the machine: no namespace but the first has them.
  for (const auto* global : {"net.ipv4.tcp_mem", "net.ipv4.tcp_max_orphans", "net.core.netdev_max_backlog"})
    CHECK(settings->find(global) == nullptr);
}

TEST_CASE("what a value in a file comes to is what the kernel makes of it") {
  FreshNetns netns;
  const auto source = live_source();
  const std::vector<std::string> written = {"128",
                                            "128  # was 4096",
                                            "0x80",
                                            "0200",
                                            "128 4",
                                            "128#",
                                            "64k",
                                            "",
                                            "yes",
                                            "\"128\"",
                                            "08",
                                            "0x",
                                            "reno",
                                            "reno # no",
                                            "8080,9000-01",
                                            "8080 # java",
                                            "8080",
                                            "8080,9000-9001",
                                            "1,2",
                                            "1025 65000 # more",
                                            "1025-65000",
                                            "1025",
                                            "4096 131072 6291456 # x"};
  for (const auto name : {"net.core.somaxconn", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_rmem",
                          "net.ipv4.tcp_congestion_control", "net.ipv4.ip_local_reserved_ports"}) {
    for (const auto& value : written) {
      // A list of ports reads in another spelling than it was written: 1-2 for 1,2, and 128 for the others.
      const bool respelt = value == "0x80" || value == "0200" || value == "1,2";
      if (respelt && name == std::string_view("net.ipv4.ip_local_reserved_ports")) continue;
      INFO(name << " = " << value);
      const auto before = source->read(path_of(name));
      std::ofstream file(path_of(name));
      file << value << "\n" << std::flush;
      const bool written_well = static_cast<bool>(file);
      const auto taken = taken_value(*find_sysctl(name), value);
      const auto after = source->read(path_of(name));
      REQUIRE(before);
      REQUIRE(after);
      // Of several numbers the kernel keeps those before the one that it refuses.
      if (!written_well && name != std::string_view("net.ipv4.tcp_rmem")) CHECK(after == before);
      // Numbers out of range, and single ones where several are wanted, are refused for other reasons.
      if (!taken) CHECK_FALSE(written_well);
      if (taken && written_well) CHECK(after->starts_with(taken->text));
    }
  }
}

TEST_CASE("the kernel refuses numbers out of the bounds of the table") {
  FreshNetns netns;
  const auto settings = read_settings(*live_source(), SysctlScope::netns);
  REQUIRE(settings);
  const bool since_5_14 = settings->find("net.ipv4.tcp_migrate_req") != nullptr;
  for (const auto& spec : sysctl_table()) {
    const bool bounded = spec.bounds.most != SysctlBounds{}.most && (since_5_14 || !spec.bounds.since_5_14);
    if (spec.scope != SysctlScope::netns || !bounded || settings->find(spec.name) == nullptr) continue;
    for (const auto beyond : {spec.bounds.least - 1, spec.bounds.most + 1}) {
      INFO(spec.name << " = " << beyond);
      std::ofstream file(path_of(spec.name));
      file << beyond << "\n" << std::flush;
      CHECK_FALSE(static_cast<bool>(file));
    }
  }
}

TEST_CASE("clients get ports of the parity that the range begins with, bind() to port 0 those of the other") {
  FreshNetns netns;
  for (const auto first : {32768, 20001}) {
    write_sysctl("net.ipv4.ip_local_port_range", std::to_string(first) + " 60999");
    std::vector<FileDescriptor> open;
    for (int i = 0; i < 50; ++i) {
      auto server = listen_on("127.0.0.1", 0);
      CHECK(port_of(server) % 2 != first % 2);
      auto client = connect_to("127.0.0.1", port_of(server));
      CHECK(port_of(client) % 2 == first % 2);
      open.push_back(std::move(server));
      open.push_back(std::move(client));
    }
  }
}
