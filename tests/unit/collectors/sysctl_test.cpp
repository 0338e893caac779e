// SPDX-License-Identifier: Apache-2.0
#include "collectors/sysctl.h"

#include <limits>

#include "tests/catch.h"
#include "tests/fake_source.h"

using namespace tcpdiag;

namespace {

const SysctlSpec& spec_of(std::string_view name) {
  const auto* spec = find_sysctl(name);
  REQUIRE(spec != nullptr);
  return *spec;
}

Result<Sysctl> parse(std::string_view name, std::string_view text) {
  return parse_sysctl(spec_of(name), text);
}

Result<Sysctl> parse_ports(std::string_view text) { return parse("net.ipv4.ip_local_reserved_ports", text); }

// A few of the sysctls of Linux 6.18.
struct Kernel : FakeSource {
  Kernel() {
    files["/proc/sys/net/core/somaxconn"] = std::string("4096\n");
    files["/proc/sys/net/ipv4/ip_local_port_range"] = std::string("32768\t60999\n");
    files["/proc/sys/net/ipv4/tcp_congestion_control"] = std::string("bbr\n");
    files["/proc/sys/net/ipv4/tcp_mem"] = std::string("287901\t383868\t575802\n");
    files["/proc/sys/fs/file-max"] = std::string("9223372036854775807\n");
    files["/proc/sys/net/ipv4/neigh/default/gc_thresh3"] = std::string("1024\n");
  }
};

}  // namespace

TEST_CASE("a sysctl of numbers has one for each of its fields") {
  const auto range = parse("net.ipv4.ip_local_port_range", "32768\t60999\n");
  REQUIRE(range);
  CHECK(range->name == "net.ipv4.ip_local_port_range");
  CHECK(range->values == std::vector<std::int64_t>{32768, 60999});
  CHECK(range->text == "32768\t60999");
  CHECK(parse("net.ipv4.tcp_rmem", "4096\t131072\t33554432\n")->values.size() == 3);
  CHECK(parse("net.core.somaxconn", "-1\n")->values == std::vector<std::int64_t>{-1});
}

TEST_CASE("a sysctl that is a word has a text and no numbers") {
  const auto word = parse("net.ipv4.tcp_congestion_control", "cubic\n");
  REQUIRE(word);
  CHECK(word->text == "cubic");
  CHECK(word->values.empty());
}

TEST_CASE("reserved ports are counted, each of them once") {
  const auto ports = parse_ports("8080,9000-9010\n");
  REQUIRE(ports);
  CHECK(ports->values == std::vector<std::int64_t>{12});
  CHECK(ports->text == "8080,9000-9010");
  CHECK(parse_ports("\n")->values == std::vector<std::int64_t>{0});
  CHECK(parse_ports("1-65535\n")->values == std::vector<std::int64_t>{65535});
  CHECK(parse_ports("5-5\n")->values == std::vector<std::int64_t>{1});
  CHECK(parse_ports("10-20,15-25,12,12\n")->values == std::vector<std::int64_t>{16});
}

TEST_CASE("a list of reserved ports that is not as documented is an error") {
  for (const auto* bad : {",\n", "1,\n", ",1\n", "1,,2\n", "2-1\n", "1-\n", "-1\n", "1-2-3\n", "1 - 2\n",
                          "65536\n", "1-65536\n", "0x10\n", "a\n", "1\n2\n", " 1\n"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_ports(bad));
  }
}

TEST_CASE("a sysctl cut at any byte is an error that names its file") {
  for (const auto& [name, text] : {std::pair{"net.ipv4.tcp_mem", "287901\t383868\t575802\n"},
                                   std::pair{"net.ipv4.tcp_congestion_control", "cubic\n"},
                                   std::pair{"net.ipv4.ip_local_reserved_ports", "8080,9000-9010\n"}}) {
    const std::string_view whole = text;
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const auto sysctl = parse(name, whole.substr(0, length));
      REQUIRE_FALSE(sysctl);
      CHECK(sysctl.error().code == Errc::malformed);
      CHECK_THAT(sysctl.error().detail, ContainsSubstring("/proc/sys/net/ipv4/"));
    }
  }
}

TEST_CASE("a number beyond the largest one is the largest one, and the text says what it was") {
  const auto most = parse("fs.file-max", "18446744073709551615\n");
  REQUIRE(most);
  CHECK(most->values == std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::max()});
  CHECK(most->text == "18446744073709551615");
  CHECK(parse("fs.file-max", "9223372036854775808\n")->values == most->values);
}

TEST_CASE("a garbled sysctl is an error") {
  for (const auto* bad : {"\n", "x\n", "1 2\n", "1\n2\n", "0x10\n", "1.5\n", "99999999999999999999\n"})
    CHECK_FALSE(parse("net.core.somaxconn", bad));
  for (const auto* bad : {"1 2\n", "1 2 3 4\n", "1 2 x\n"}) CHECK_FALSE(parse("net.ipv4.tcp_mem", bad));
  for (const auto* bad : {"\n", "two words\n", "bell\a\n", "caf\xc3\xa9\n"})
    CHECK_FALSE(parse("net.core.default_qdisc", bad));
  CHECK_FALSE(parse("net.core.default_qdisc", std::string(65, 'q') + "\n"));
}

TEST_CASE("a sysctl that the kernel lacks is absent, and the others keep their order") {
  Kernel kernel;
  const auto settings = read_settings(kernel, SysctlScope::machine);
  REQUIRE(settings);
  CHECK(settings->sysctls.size() == kernel.files.size());
  CHECK(settings->unread.empty());
  CHECK(settings->find("net.core.somaxconn")->values.front() == 4096);
  CHECK(settings->find("net.ipv4.neigh.default.gc_thresh3")->values.front() == 1024);
  CHECK(settings->find("fs.file-max")->values.front() == 9223372036854775807);
  CHECK(settings->find("net.ipv4.tcp_tw_reuse_delay") == nullptr);
  CHECK(settings->sysctls.front().name == "net.core.somaxconn");
}

TEST_CASE("the machine's sysctls are not read for another namespace") {
  Kernel kernel;
  const auto settings = read_settings(kernel, SysctlScope::netns);
  REQUIRE(settings);
  CHECK(settings->find("net.core.somaxconn") != nullptr);
  CHECK(settings->find("net.ipv4.tcp_mem") == nullptr);
  CHECK(settings->find("fs.file-max") == nullptr);
}

TEST_CASE("a sysctl that is denied or garbled is told apart from an absent one and takes no other with it") {
  Kernel kernel;
  kernel.deny("/proc/sys/net/ipv4/ip_local_port_range");
  kernel.files["/proc/sys/net/core/somaxconn"] = std::string("many\n");
  const auto settings = read_settings(kernel, SysctlScope::machine);
  REQUIRE(settings);
  CHECK(settings->sysctls.size() == kernel.files.size() - 2);
  REQUIRE(settings->unread.size() == 2);
  CHECK(settings->unread[0].name == "net.core.somaxconn");
  CHECK(settings->unread[0].error.code == Errc::malformed);
  CHECK(settings->unread[1].name == "net.ipv4.ip_local_port_range");
  CHECK(settings->unread[1].error.code == Errc::denied);
}

TEST_CASE("settings of which none can be read are an error") {
  FakeSource nothing;
  CHECK(read_settings(nothing, SysctlScope::machine).error().code == Errc::missing);
  nothing.deny("/proc/sys/net/ipv4/tcp_timestamps");
  CHECK(read_settings(nothing, SysctlScope::machine).error().code == Errc::denied);
}

TEST_CASE("settings with an unread sysctl are stored, and the run counts as failed") {
  Kernel kernel;
  kernel.deny("/proc/sys/net/ipv4/tcp_mem");
  kernel.deny("/proc/sys/fs/file-max");
  Snapshot snapshot;
  snapshot.namespaces = {{}, {.id = NetnsId(1)}};
  const TimePoint now(std::chrono::seconds(9));

  const auto host =
      make_collector<&NetnsView::settings, SettingsReader>(NetnsId::host).run({kernel, now, snapshot});
  REQUIRE_FALSE(host.outcome);
  CHECK(host.outcome.error().detail == "/proc/sys/net/ipv4/tcp_mem: Permission denied (and 1 more)");
  host.store(snapshot);
  REQUIRE(snapshot.namespaces[0].settings.known());
  CHECK(snapshot.namespaces[0].settings.read_at == now);
  CHECK(snapshot.namespaces[0].settings.get()->find("net.core.somaxconn") != nullptr);

  make_collector<&NetnsView::settings, SettingsReader>(NetnsId::host).fail(snapshot, {}, now);
  CHECK(snapshot.namespaces[0].settings.value.error().code == Errc::not_read);

  const auto other =
      make_collector<&NetnsView::settings, SettingsReader>(NetnsId(1)).run({kernel, now, snapshot});
  CHECK(other.outcome);
  other.store(snapshot);
  CHECK(snapshot.namespaces[1].settings.get()->find("net.core.somaxconn") != nullptr);
}
