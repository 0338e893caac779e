// SPDX-License-Identifier: Apache-2.0
#include "collectors/host_config.h"

#include <algorithm>

#include "collectors/recording.h"
#include "core/facts/processes.h"
#include "tests/catch.h"
#include "tests/fake_source.h"
#include "tests/temporary_directory.h"

using namespace tcpdiag;

namespace {

using Strings = std::vector<std::string>;

// A host of which nothing but a kernel is set; the sysctls of Linux 6.18 as far as the tests ask for them.
struct Host : FakeSource {
  Host() {
    directories["/run/systemd/system"] = Strings();
    directories["/proc/sys"] = Strings{"fs", "kernel", "net"};
    directories["/proc/sys/net/core"] = Strings{"somaxconn"};
    directories["/proc/sys/net/ipv4"] = Strings{"conf", "tcp_rmem", "tcp_syncookies"};
    directories["/proc/sys/net/ipv4/conf/default"] = Strings{"rp_filter"};
    directories["/proc/sys/net/ipv4/conf/eth0.100"] = Strings{"rp_filter"};
  }
  /// A file with its name in the directory.
  void add(const std::string& path, const std::string& text) {
    files[path] = text;
    const auto slash = path.rfind('/');
    auto& names = directories.try_emplace(path.substr(0, slash), Strings()).first->second;
    names->push_back(path.substr(slash + 1));
  }
  void add_directory(const std::string& path, const std::string& name) {
    directories.try_emplace(path, Strings()).first->second->push_back(name);
  }
};

Strings sysctls(Source& host) {
  const auto config = read_host_config(host, {});
  REQUIRE(config);
  Strings shown;
  for (const auto& line : config->sysctls)
    shown.push_back(line.file + ":" + std::to_string(line.line) + (line.excludes ? " -" : " ") + line.name +
                    (line.excludes ? "" : "=" + line.value) + (line.at_boot ? "" : " (not at boot)"));
  return shown;
}

/// "yes", "no" or "unknown" for a name as somebody wrote it.
std::string exists(FakeSource& host, const std::string& name) {
  host.files["/etc/sysctl.conf"] = name + " = 1\n";
  const auto config = read_host_config(host, {});
  REQUIRE(config);
  REQUIRE(config->sysctls.size() == 1);
  const auto exists = config->sysctls.front().exists;
  return !exists ? "unknown" : *exists ? "yes" : "no";
}

Strings limits(Source& host, const std::set<std::string>& units) {
  const auto config = read_host_config(host, units);
  REQUIRE(config);
  Strings shown;
  for (const auto& limit : config->file_limits)
    shown.push_back(limit.unit + ": " + limit.file + ":" + std::to_string(limit.line) + " " + limit.value);
  return shown;
}

}  // namespace

TEST_CASE("sysctl files are listed by name across directories, sysctl.conf without a link as never applied") {
  Host host;
  host.add("/usr/lib/sysctl.d/50-pid-max.conf", "kernel.pid_max = 4194304\n");
  host.add("/etc/sysctl.d/60-web.conf", "net.core.somaxconn = 1024\n-net.ipv4.conf.eth0.rp_filter\n");
  host.add("/run/sysctl.d/10-early.conf", "vm.swappiness = 1\n");
  host.add("/etc/sysctl.d/README.sysctl", "a = 1\n");
  host.add("/etc/sysctl.d/.hidden.conf", "a = 1\n");
  host.files["/etc/sysctl.conf"] = "net.ipv4.tcp_syncookies=1\n";
  CHECK(sysctls(host) == Strings{"/etc/sysctl.conf:1 net.ipv4.tcp_syncookies=1 (not at boot)",
                                 "/run/sysctl.d/10-early.conf:1 vm.swappiness=1",
                                 "/usr/lib/sysctl.d/50-pid-max.conf:1 kernel.pid_max=4194304",
                                 "/etc/sysctl.d/60-web.conf:1 net.core.somaxconn=1024",
                                 "/etc/sysctl.d/60-web.conf:2 -net.ipv4.conf.eth0.rp_filter"});
  CHECK(read_host_config(host, {})->systemd);
}

TEST_CASE("where OpenRC boots the host sysctl.conf is applied, as the last one") {
  Host host;
  host.directories.erase("/run/systemd/system");
  host.directories["/run/openrc"] = Strings{"softlevel"};
  host.add("/etc/sysctl.d/zz.conf", "a.b = 2\n");
  host.files["/etc/sysctl.conf"] = "a.b = 1\n";
  CHECK(sysctls(host) == Strings{"/etc/sysctl.d/zz.conf:1 a.b=2", "/etc/sysctl.conf:1 a.b=1"});
  CHECK_FALSE(read_host_config(host, {})->systemd);
}

TEST_CASE("a file masks those of its name in later directories, also by being empty") {
  Host host;
  host.add("/etc/sysctl.d/50-a.conf", "a.b = 1\n");
  host.add("/usr/lib/sysctl.d/50-a.conf", "a.b = 2\n");
  host.add("/run/sysctl.d/50-b.conf", "");  // a link to /dev/null reads as this
  host.add("/usr/lib/sysctl.d/50-b.conf", "a.c = 2\n");
  CHECK(sysctls(host) == Strings{"/etc/sysctl.d/50-a.conf:1 a.b=1"});
}

TEST_CASE("sysctl.conf is applied at the place of the link that leads to it") {
  Host host;
  host.files["/etc/sysctl.conf"] = "a.b = 1\n";
  host.add("/etc/sysctl.d/99-sysctl.conf", "a.b = 1\n");
  host.add("/etc/sysctl.d/99-tuning.conf", "a.b = 2\n");
  host.add("/etc/sysctl.d/60-local.conf", "a.b = 3\n");
  CHECK(sysctls(host) == Strings{"/etc/sysctl.d/60-local.conf:1 a.b=3", "/etc/sysctl.conf:1 a.b=1",
                                 "/etc/sysctl.d/99-tuning.conf:1 a.b=2"});
}

TEST_CASE("lines that are no assignments are kept apart, of files that are applied") {
  Host host;
  host.files["/etc/sysctl.conf"] = "nothing reads this\n";
  host.add("/etc/sysctl.d/60-local.conf", "net.core.somaxconn: 4096\n");
  const auto config = read_host_config(host, {});
  REQUIRE(config);
  REQUIRE(config->ignored.size() == 1);
  CHECK(config->ignored[0].file == "/etc/sysctl.d/60-local.conf");
  CHECK(config->ignored[0].text == "net.core.somaxconn: 4096");
}

TEST_CASE("a host without configuration asks for nothing") {
  Host host;
  const auto config = read_host_config(host, {"app.service"});
  REQUIRE(config);
  CHECK(config->sysctls.empty());
  CHECK(config->file_limits.empty());
  CHECK(config->unread_sysctls.empty());
  CHECK(config->unread.empty());
  CHECK(shortfall(*config));
}

TEST_CASE("a sysctl exists when the kernel shows its name, readable or not") {
  Host host;
  CHECK(exists(host, "net.core.somaxconn") == "yes");
  CHECK(exists(host, "net/core/somaxconn") == "yes");
  CHECK(exists(host, "net.ipv4.tcp_tw_recycle") == "no");
  CHECK(exists(host, "net.ipv5.tcp_rmem") == "no");
  CHECK(exists(host, "nonsense") == "no");
  CHECK(exists(host, "net.ipv4.conf.*.rp_filter") == "unknown");
}

TEST_CASE("a sysctl of an interface exists, or cannot be told while the interface is not there") {
  Host host;
  CHECK(exists(host, "net.ipv4.conf.eth0/100.rp_filter") == "yes");
  CHECK(exists(host, "net/ipv4/conf/eth0.100/rp_filter") == "yes");
  CHECK(exists(host, "net.ipv4.conf.eth0.100.rp_filter") == "unknown");  // its dot is taken for a separator
  CHECK(exists(host, "net.ipv4.conf.wlan0.rp_filter") == "unknown");
  CHECK(exists(host, "net.ipv4.conf.wlan0.rp_flter") == "no");
  CHECK(exists(host, "net.ipv4.conf.default.rp_flter") == "no");
}

TEST_CASE("a name that leads out of /proc/sys is not looked up") {
  Host host;
  host.directories["/proc/sys/../../etc"] = Strings{"shadow"};
  for (const auto* name :
       {"net/../../../etc/shadow", "../../etc/shadow", "net..somaxconn", "net.core.", "a b"})
    CHECK(exists(host, name) == "unknown");
  CHECK(exists(host, std::string("net.core.somaxconn\0x", 20)) == "unknown");
}

TEST_CASE("whether a sysctl exists is unknown where its directory may not be read") {
  Host host;
  host.deny("/proc/sys/net/ipv4");
  CHECK(exists(host, "net.ipv4.tcp_tw_recycle") == "unknown");
  CHECK(exists(host, "net.core.somaxconn") == "yes");
}

TEST_CASE("without /proc/sys nothing is said about the configuration") {
  FakeSource nothing;
  nothing.files["/etc/sysctl.conf"] = "net.core.somaxconn = 1\n";
  CHECK(read_host_config(nothing, {}).error().code == Errc::missing);
}

TEST_CASE("a file that may not be read is told, masks still, and takes no other with it") {
  Host host;
  host.add("/etc/sysctl.d/50-a.conf", "");
  host.deny("/etc/sysctl.d/50-a.conf");
  host.add("/usr/lib/sysctl.d/50-a.conf", "a.b = 2\n");
  host.add("/usr/lib/sysctl.d/60-b.conf", "a.c = 3\n");
  host.deny("/run/sysctl.d");
  const auto config = read_host_config(host, {});
  REQUIRE(config);
  CHECK(config->sysctls.size() == 1);
  REQUIRE(config->unread_sysctls.size() == 2);
  CHECK(shortfall(*config).error() == Error{Errc::denied, "/run/sysctl.d: Permission denied (and 1 more)"});
}

TEST_CASE("a host's configuration is bounded") {
  Host host;
  std::string many;
  for (std::size_t i = 0; i < HostConfig::kMaxLines + 7; ++i) many += "a.b = 1\n";
  host.files["/etc/sysctl.conf"] = many;
  for (int i = 0; i < 300; ++i) host.add("/etc/sysctl.d/" + std::to_string(1000 + i) + ".conf", "");
  const auto config = read_host_config(host, {});
  REQUIRE(config);
  CHECK(config->sysctls.size() == HostConfig::kMaxLines);
  CHECK(config->cut == 7);
  REQUIRE(config->unread_sysctls.size() == 1);
  CHECK(config->unread_sysctls.front().code == Errc::too_large);
}

TEST_CASE("a unit's limit is the last one among its file and its drop-ins") {
  Host host;
  host.add("/lib/systemd/system/app.service", "[Service]\nLimitNOFILE=1024\n");
  CHECK(limits(host, {"app.service", "other.service"}) ==
        Strings{"app.service: /lib/systemd/system/app.service:2 1024"});

  host.add("/etc/systemd/system/app.service", "[Service]\nLimitNOFILE=2048\n");
  CHECK(limits(host, {"app.service"}) == Strings{"app.service: /etc/systemd/system/app.service:2 2048"});

  host.add_directory("/run/systemd/system", "app.service.d");
  host.add("/run/systemd/system/app.service.d/90-last.conf", "[Service]\nLimitNOFILE=90\n");
  host.add_directory("/etc/systemd/system", "app.service.d");
  host.add("/etc/systemd/system/app.service.d/10-first.conf", "[Service]\nLimitNOFILE=10\n");
  CHECK(limits(host, {"app.service"}) ==
        Strings{"app.service: /run/systemd/system/app.service.d/90-last.conf:2 90"});

  host.add("/etc/systemd/system/app.service.d/90-last.conf", "[Service]\nLimitNOFILE=\n");
  CHECK(limits(host, {"app.service"}) ==
        Strings{"app.service: /etc/systemd/system/app.service.d/10-first.conf:2 10"});
}

TEST_CASE("a limit that systemd passes over leaves the one before, and is kept apart") {
  Host host;
  host.add("/etc/systemd/system/app.service",
           "[Service]\nLimitNOFILE=0200000\nLimitNOFILE=1M\nLimitNOFILE=2048:1024\n");
  host.add_directory("/etc/systemd/system", "app.service.d");
  host.add("/etc/systemd/system/app.service.d/a.conf", "[Service]\nLimitNOFILE=\n");
  const auto config = read_host_config(host, {"app.service"});
  REQUIRE(config);
  REQUIRE(config->file_limits.size() == 1);
  CHECK(config->file_limits[0].value == "65536");
  CHECK(config->file_limits[0].line == 2);
  REQUIRE(config->ignored.size() == 3);
  CHECK(config->ignored[0].because == IgnoredBecause::no_limit);
  CHECK(config->ignored[0].text == "1M");
  CHECK(config->ignored[1].because == IgnoredBecause::soft_above_hard);
  CHECK(config->ignored[2].because == IgnoredBecause::empty_limit);
  CHECK(config->ignored[2].file == "/etc/systemd/system/app.service.d/a.conf");
  for (const auto& line : config->ignored) CHECK(line.unit == "app.service");
}

TEST_CASE("an empty limit that another one follows, or none precedes, is of no importance") {
  Host host;
  host.add("/etc/systemd/system/a.service", "[Service]\nLimitNOFILE=1\nLimitNOFILE=\nLimitNOFILE=2\n");
  host.add("/etc/systemd/system/b.service", "[Service]\nLimitNOFILE=\n");
  const auto config = read_host_config(host, {"a.service", "b.service"});
  REQUIRE(config);
  CHECK(config->ignored.empty());
  REQUIRE(config->file_limits.size() == 1);
  CHECK(config->file_limits[0].value == "2");
}

TEST_CASE("the limit for units that have none is that of system.conf and its drop-ins, not of user.conf") {
  Host host;
  CHECK_FALSE(read_host_config(host, {})->default_file_limit);
  host.add("/etc/systemd/system.conf", "[Manager]\nDefaultLimitNOFILE=1024:4096\n");
  host.add("/usr/lib/systemd/system.conf", "[Manager]\nDefaultLimitNOFILE=5\n");
  host.add("/etc/systemd/user.conf", "[Manager]\nDefaultLimitNOFILE=unlimited\n");
  auto config = read_host_config(host, {});
  REQUIRE(config);
  REQUIRE(config->default_file_limit);
  CHECK(config->default_file_limit->file == "/etc/systemd/system.conf");
  CHECK(config->default_file_limit->value == "1024:4096");
  CHECK(config->default_file_limit->unit.empty());
  REQUIRE(config->ignored.size() == 1);
  CHECK(config->ignored[0].file == "/etc/systemd/user.conf");

  host.add("/run/systemd/system.conf.d/50-more.conf", "[Manager]\nDefaultLimitNOFILE=0x10000\n");
  config = read_host_config(host, {});
  CHECK(config->default_file_limit->file == "/run/systemd/system.conf.d/50-more.conf");
  CHECK(config->default_file_limit->value == "0x10000");
}

TEST_CASE("limits of logins are read from limits.conf, then from limits.d") {
  Host host;
  host.add("/etc/security/limits.conf", "* soft nofile 1024\n* soft nproc 5\n* hard nofile 64k\n");
  host.add("/etc/security/limits.d/90-x.conf", "@web - nofile 65536\n");
  const auto config = read_host_config(host, {});
  REQUIRE(config);
  REQUIRE(config->login_limits.size() == 2);
  CHECK(config->login_limits[0].domain == "*");
  CHECK(config->login_limits[1].file == "/etc/security/limits.d/90-x.conf");
  REQUIRE(config->ignored.size() == 1);
  CHECK(config->ignored[0].text == "64k");
}

TEST_CASE("an instance takes its template's file, and drop-ins of its name, its prefix and its type") {
  Host host;
  host.add("/usr/lib/systemd/system/a-b@.service", "[Service]\nLimitNOFILE=1\n");
  CHECK(limits(host, {"a-b@x.service"}) ==
        Strings{"a-b@x.service: /usr/lib/systemd/system/a-b@.service:2 1"});

  host.add_directory("/usr/lib/systemd/system", "service.d");
  host.add("/usr/lib/systemd/system/service.d/limits.conf", "[Service]\nLimitNOFILE=2\n");
  CHECK(limits(host, {"a-b@x.service"}) ==
        Strings{"a-b@x.service: /usr/lib/systemd/system/service.d/limits.conf:2 2"});

  host.add_directory("/usr/lib/systemd/system", "a-@.service.d");
  host.add("/usr/lib/systemd/system/a-@.service.d/limits.conf", "[Service]\nLimitNOFILE=3\n");
  CHECK(limits(host, {"a-b@x.service"}) ==
        Strings{"a-b@x.service: /usr/lib/systemd/system/a-@.service.d/limits.conf:2 3"});
}

TEST_CASE("the limits are those of the units that have a process, as far as such units have one") {
  Host host;
  for (const auto* unit : {"a.service", "b.service", "c.socket", "session-3.scope"})
    host.add(std::string("/etc/systemd/system/") + unit,
             "[Service]\nLimitNOFILE=1\n[Socket]\nLimitNOFILE=2\n");
  Snapshot before;
  before.processes.value = std::make_shared<const Processes>(
      Processes{.processes = {{.pid = 1, .owner = system_unit("a.service")},
                              {.pid = 2, .owner = system_unit("c.socket")},
                              {.pid = 3, .owner = named_owner(OwnerKind::container, "docker:0123456789ab")},
                              {.pid = 4, .owner = named_owner(OwnerKind::session, "session-3.scope")},
                              {.pid = 5, .owner = {.kind = OwnerKind::user_unit, .name = "b.service"}},
                              {.pid = 6}}});
  const auto config = HostConfigReader()({host, {}, before});
  REQUIRE(config);
  REQUIRE(config->file_limits.size() == 2);
  CHECK(config->file_limits[0].unit == "a.service");
  CHECK(config->file_limits[1].value == "2");
  CHECK(HostConfigReader()({host, {}, Snapshot()})->file_limits.empty());
}

TEST_CASE("a recording carries the configuration without what is nobody's business") {
  TemporaryDirectory directory;
  auto writer = RecordingWriter::create(directory.path("rec"), {.kernel = "6.1", .page_size = 4096});
  REQUIRE(writer);
  auto host = std::make_unique<Host>();
  host->add("/etc/sysctl.d/50-a.conf", "net.core.somaxconn = 1\nnet.ipv4.tcp_fastopen_key = 1-2-3-4\n");
  host->add("/etc/systemd/system/app.service", "[Service]\nEnvironment=PASSWORD=1234\nLimitNOFILE=7\n");
  host->add("/etc/systemd/system.conf",
            "[Manager]\nDefaultEnvironment=PASSWORD=1234\nDefaultLimitNOFILE=9\n");
  host->add("/etc/security/limits.conf", "root hard nproc 5\n* soft nofile 1024\n");
  const auto live = (*writer)->wrap(std::move(host), "host");
  REQUIRE((*writer)->begin_tick({}));
  const auto read = read_host_config(*live, {"app.service"});
  REQUIRE(read);
  REQUIRE((*writer)->end_tick());

  const auto recording = Recording::open(directory.path("rec"));
  REQUIRE(recording);
  const auto source = recording->source("host");
  CHECK(source->read("/etc/systemd/system/app.service") == "[Service]\n\nLimitNOFILE=7\n");
  CHECK(source->read("/etc/systemd/system.conf") == "[Manager]\n\nDefaultLimitNOFILE=9\n");
  CHECK(source->read("/etc/security/limits.conf") == "\n* soft nofile 1024\n");
  const auto replayed = read_host_config(*source, {"app.service"});
  REQUIRE(replayed);
  CHECK(replayed->systemd);
  CHECK(replayed->default_file_limit->value == "9");
  CHECK(replayed->login_limits.size() == 1);
  REQUIRE(replayed->sysctls.size() == 2);
  CHECK(replayed->sysctls[0].exists == true);
  CHECK(replayed->sysctls[1].value == "(hidden)");
  REQUIRE(replayed->file_limits.size() == 1);
  CHECK(replayed->file_limits[0].line == read->file_limits[0].line);
}
