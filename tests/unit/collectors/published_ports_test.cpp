// SPDX-License-Identifier: Apache-2.0
#include "collectors/published_ports.h"

#include <algorithm>

#include "core/listen_address.h"
#include "tests/catch.h"
#include "tests/fake_source.h"

using namespace tcpdiag;

namespace {

constexpr std::uint64_t kOwn = 4026531840;
constexpr std::uint64_t kShop = 4026532281;

IpAddress ip(std::string_view text) { return parse_ip_address(text).value(); }

std::string joined(std::vector<std::string> words) {
  std::string line;
  for (const auto& word : words) line += word + '\0';
  return line;
}

/// As Docker 20.10 starts it.
std::string proxy(const std::string& host_port, const std::string& container_ip = "172.17.0.2") {
  return joined({"/usr/bin/docker-proxy", "-proto", "tcp", "-host-ip", "0.0.0.0", "-host-port", host_port,
                 "-container-ip", container_ip, "-container-port", "5000"});
}

/// Processes that come and go, and how often they are asked.
class Machine : public FakeSource {
 public:
  std::size_t reads = 0;
  std::vector<NetnsMember> members;

  void start(std::int32_t pid, const std::string& comm, const std::string& cmdline, std::uint32_t uid = 0,
             std::uint64_t inode = kOwn) {
    const auto directory = "/proc/" + std::to_string(pid);
    files[directory + "/comm"] = comm + "\n";
    files[directory + "/status"] = "Name:\tx\nUid:\t" + std::to_string(uid) + "\t0\t0\t0\n";
    files[directory + "/cmdline"] = cmdline;
    members.push_back({.pid = pid, .inode = inode, .joined = true});
    std::ranges::sort(members, {}, &NetnsMember::pid);
  }
  void end(std::int32_t pid) {
    std::erase_if(members, [&](const NetnsMember& member) { return member.pid == pid; });
    for (const auto* file : {"/comm", "/status", "/cmdline"})
      files.erase("/proc/" + std::to_string(pid) + file);
  }
  std::vector<PublishedPort> look(PublishedPorts& ports) {
    ports.look(*this, members, kOwn);
    for (auto& member : members) member.joined = false;
    NetnsList list;
    ports.put_into(list);
    cut = list.published_cut;
    return list.published;
  }
  std::uint64_t cut = 0;

  Result<std::string> read(const std::string& path) override {
    ++reads;
    return FakeSource::read(path);
  }
};

}  // namespace

TEST_CASE("docker-proxy's command line says which port leads where") {
  const PublishedPort shop{ip("0.0.0.0"), 8080, ip("172.17.0.2"), 5000};
  CHECK(parse_docker_proxy(proxy("8080")) == shop);
  CHECK(parse_docker_proxy(joined({"docker-proxy", "--host-ip=::", "-host-port=8080", "-container-ip",
                                   "fd00::2", "--container-port", "5000", "-use-listen-fd"})) ==
        PublishedPort{ip("::"), 8080, ip("fd00::2"), 5000});
}

TEST_CASE("what is no docker-proxy for TCP, or not whole, publishes nothing") {
  CHECK_FALSE(parse_docker_proxy(""));
  CHECK_FALSE(parse_docker_proxy("docker-proxy"));
  CHECK_FALSE(parse_docker_proxy(proxy("0")));
  CHECK_FALSE(parse_docker_proxy(proxy("65536")));
  CHECK_FALSE(parse_docker_proxy(proxy("8080", "172.17.0.2;reboot")));
  CHECK_FALSE(parse_docker_proxy(proxy("8080", "")));
  auto other = proxy("8080");
  other.replace(other.find("docker-proxy"), 12, "docker-proxx");
  CHECK_FALSE(parse_docker_proxy(other));
  auto udp = proxy("8080");
  udp.replace(udp.find("tcp"), 3, "udp");
  CHECK_FALSE(parse_docker_proxy(udp));
  CHECK_FALSE(parse_docker_proxy(proxy("8080") + std::string(5000, 'x')));
}

TEST_CASE("a command line that is cut off anywhere publishes nothing else") {
  const auto whole = proxy("8080");
  for (std::size_t size = 0; size < whole.size() - 1; ++size) {
    const auto port = parse_docker_proxy(std::string_view(whole).substr(0, size));
    CHECK((!port || port->container_address == ip("172.17.0.2")));
    CHECK((!port || std::string_view("5000").starts_with(std::to_string(port->container_port))));
  }
}

TEST_CASE("ports of root's proxies in the own namespace are listed, each once and in order") {
  Machine machine;
  machine.start(1, "systemd", "init");
  machine.start(70, "docker-proxy", proxy("9090"));
  machine.start(71, "docker-proxy", proxy("8080"));
  machine.start(72, "docker-proxy", proxy("8080"));
  machine.start(73, "docker-proxy", proxy("443"), 1000);
  machine.start(74, "docker-proxy", proxy("444"), 0, kShop);
  machine.start(75, "bash", proxy("445"));
  PublishedPorts ports;
  const auto list = machine.look(ports);
  REQUIRE(list.size() == 2);
  CHECK(list[0].host_port == 8080);
  CHECK(list[1].host_port == 9090);
}

TEST_CASE("a proxy that is seen before its exec() is asked again, and one that ends is forgotten") {
  Machine machine;
  machine.start(70, "dockerd", joined({"dockerd"}));
  PublishedPorts ports;
  CHECK(machine.look(ports).empty());
  machine.files["/proc/70/comm"] = std::string("docker-proxy\n");
  machine.files["/proc/70/cmdline"] = proxy("8080");
  CHECK(machine.look(ports).size() == 1);
  machine.end(70);
  CHECK(machine.look(ports).empty());
}

TEST_CASE("a number that is another process's now publishes nothing any more") {
  Machine machine;
  machine.start(70, "docker-proxy", proxy("8080"));
  PublishedPorts ports;
  machine.look(ports);
  CHECK(machine.look(ports).size() == 1);
  machine.end(70);
  machine.start(70, "bash", joined({"bash"}));
  CHECK(machine.look(ports).empty());
}

TEST_CASE("a look at very many processes asks some of them, and no other's command line") {
  Machine machine;
  for (std::int32_t pid = 1; pid <= 2000; ++pid) machine.start(pid, "sleep", "secret");
  PublishedPorts ports;
  machine.look(ports);
  CHECK(machine.reads <= PublishedPorts::kAskedFirst + PublishedPorts::kAskedAgain);
  for (int look = 0; look < 10; ++look) machine.look(ports);
  machine.reads = 0;
  machine.look(ports);
  CHECK(machine.reads == PublishedPorts::kAskedAgain);
}

TEST_CASE("of very many published ports some are kept and the others counted") {
  Machine machine;
  for (std::int32_t pid = 1; pid <= 1100; ++pid)
    machine.start(pid, "docker-proxy", proxy(std::to_string(pid)));
  PublishedPorts ports;
  for (int look = 0; look < 5; ++look) machine.look(ports);
  CHECK(machine.look(ports).size() == NetnsList::kMostPublished);
  CHECK(machine.cut == 1100 - NetnsList::kMostPublished);
}
