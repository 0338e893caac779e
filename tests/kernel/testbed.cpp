// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/testbed.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <sstream>
#include <thread>

#include "collectors/live_source.h"
#include "core/address.h"
#include "tests/catch.h"
#include "tests/diag_message.h"

namespace tcpdiag {
namespace {

using namespace std::chrono_literals;

void require(bool done, const std::string& what) {
  if (!done) FAIL(what << ": " << std::strerror(errno));
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress to_sockaddr(const IpAddress& address, std::uint16_t port) {
  SocketAddress result;
  if (address.v6) {
    sockaddr_in6 in6{.sin6_family = AF_INET6, .sin6_port = htons(port)};
    std::memcpy(&in6.sin6_addr, address.bytes.data(), 16);
    std::memcpy(&result.storage, &in6, result.length = sizeof in6);
  } else {
    sockaddr_in in{.sin_family = AF_INET, .sin_port = htons(port)};
    std::memcpy(&in.sin_addr, address.bytes.data(), 4);
    std::memcpy(&result.storage, &in, result.length = sizeof in);
  }
  return result;
}

int family(const IpAddress& address) { return address.v6 ? AF_INET6 : AF_INET; }

void set_option(const FileDescriptor& socket, int level, int name, int value) {
  require(::setsockopt(socket.get(), level, name, &value, sizeof value) == 0, "setsockopt");
}

// The checksum of the Internet (RFC 1071).
std::uint16_t checksum(const std::string& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 2) {
    std::uint16_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min<std::size_t>(2, bytes.size() - at));
    sum += word;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::string address_bytes(const IpAddress& address) {
  return {reinterpret_cast<const char*>(address.bytes.data()), address.v6 ? std::size_t{16} : std::size_t{4}};
}

std::string tcp_syn(const IpAddress& from, std::uint16_t from_port, const IpAddress& to,
                    std::uint16_t to_port) {
  tcphdr tcp{};
  tcp.source = htons(from_port);
  tcp.dest = htons(to_port);
  tcp.seq = htonl(1);
  tcp.doff = sizeof tcp / 4;
  tcp.syn = 1;
  tcp.window = htons(1024);
  const std::string length_and_protocol{0, 0, 0, sizeof tcp, 0, 0, 0, IPPROTO_TCP};
  tcp.check = checksum(address_bytes(from) + address_bytes(to) + length_and_protocol + bytes_of(tcp));
  return bytes_of(tcp);
}

std::string ip_header(const IpAddress& from, const IpAddress& to) {
  if (from.v6) {
    ip6_hdr ip{};
    ip.ip6_vfc = 0x60;
    ip.ip6_plen = htons(sizeof(tcphdr));
    ip.ip6_nxt = IPPROTO_TCP;
    ip.ip6_hlim = 64;
    std::memcpy(&ip.ip6_src, from.bytes.data(), 16);
    std::memcpy(&ip.ip6_dst, to.bytes.data(), 16);
    return bytes_of(ip);
  }
  iphdr ip{};  // the kernel adds its checksum
  ip.version = 4;
  ip.ihl = sizeof ip / 4;
  ip.tot_len = htons(sizeof ip + sizeof(tcphdr));
  ip.ttl = 64;
  ip.protocol = IPPROTO_TCP;
  std::memcpy(&ip.saddr, from.bytes.data(), 4);
  std::memcpy(&ip.daddr, to.bytes.data(), 4);
  return bytes_of(ip);
}

void split_endpoint(const std::string& text, std::string& address, std::uint16_t& port) {
  const auto colon = text.rfind(':');
  address = text.substr(0, colon);
  const auto number = text.substr(colon + 1);
  port = number == "*" ? std::uint16_t{0} : static_cast<std::uint16_t>(std::stoul(number));
}

// The number behind `name` in a line of ss; 0 when it is not there.
std::uint64_t number_after(const std::string& line, const std::string& name, int base) {
  const auto at = line.find(name);
  return at == std::string::npos ? 0 : std::stoull(line.substr(at + name.size()), nullptr, base);
}

}  // namespace

FreshNetns::FreshNetns() : home_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
  require(static_cast<bool>(home_), "opening our own network namespace");
  if (::unshare(CLONE_NEWNET) != 0)
    skip(std::string("a network namespace of its own: ") + std::strerror(errno));
  const FileDescriptor any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq loopback{};
  std::strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP | IFF_RUNNING;
  require(::ioctl(any.get(), SIOCSIFFLAGS, &loopback) == 0, "bringing up loopback");
}

FreshNetns::~FreshNetns() {
  if (::setns(home_.get(), CLONE_NEWNET) != 0)
    std::abort();  // no test after this one would be where it thinks
}

void add_link_to_nowhere() {
  run("ip link add nowhere type veth peer name end && ip link set end up && ip link set nowhere arp off up "
      "&& "
      "ip address add 192.0.2.1/24 dev nowhere && ip address add 2001:db8::1/64 dev nowhere nodad");
  // IPv6 begins to use a link some time after it is up.
  wait_until("routes to nowhere", [] {
    return run("ip -6 route get 2001:db8::9 2>&1 || true").find("dev nowhere") != std::string::npos &&
           run("ip link show nowhere").find("state UP") != std::string::npos &&
           run("ip -6 address show dev nowhere tentative").empty();
  });
}

void skip(const std::string& why) {
  std::cerr << "skipped: " << why << std::endl;
  std::_Exit(77);
}

std::string run(const std::string& command) {
  FILE* pipe = ::popen(("{ " + command + "; } 2>&1").c_str(), "re");
  require(pipe != nullptr, command);
  std::string output;
  char buffer[4096];
  while (const auto length = std::fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, length);
  const int status = ::pclose(pipe);
  if (status != 0) FAIL(command << ": status " << status << "\n" << output);
  return output;
}

bool holds_within(std::chrono::milliseconds time, const std::function<bool()>& condition) {
  const auto give_up_at = now() + time;
  while (!condition()) {
    if (now() > give_up_at) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

void wait_until(const std::string& what, const std::function<bool()>& condition) {
  if (!holds_within(20s, condition)) FAIL("waited in vain for " << what);
}

FileDescriptor listen_on(const std::string& at, std::uint16_t port, const ListenOptions& options) {
  const auto ip = address(at);
  FileDescriptor socket(::socket(family(ip), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  require(static_cast<bool>(socket), "socket");
  set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.reuse_port) set_option(socket, SOL_SOCKET, SO_REUSEPORT, 1);
  if (ip.v6) set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only ? 1 : 0);
  if (!options.device.empty())
    require(::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, options.device.data(),
                         static_cast<socklen_t>(options.device.size())) == 0,
            "SO_BINDTODEVICE");
  auto name = to_sockaddr(ip, port);
  require(::bind(socket.get(), name.get(), name.length) == 0, "bind " + at);
  require(::listen(socket.get(), options.backlog) == 0, "listen");
  return socket;
}

std::uint16_t port_of(const FileDescriptor& socket) {
  SocketAddress name;
  name.length = sizeof name.storage;
  require(::getsockname(socket.get(), name.get(), &name.length) == 0, "getsockname");
  sockaddr_in in{};
  std::memcpy(&in, &name.storage, sizeof in);  // IPv6 has its port at the same place
  return ntohs(in.sin_port);
}

FileDescriptor connect_to(const std::string& to, std::uint16_t port) {
  const auto ip = address(to);
  FileDescriptor socket(::socket(family(ip), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  auto name = to_sockaddr(ip, port);
  require(::connect(socket.get(), name.get(), name.length) == 0 || errno == EINPROGRESS, "connect " + to);
  return socket;
}

FileDescriptor accept_from(const FileDescriptor& listener) {
  pollfd readable{.fd = listener.get(), .events = POLLIN};
  require(::poll(&readable, 1, 20000) == 1, "waiting for a connection");
  FileDescriptor connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  require(static_cast<bool>(connection), "accept");
  return connection;
}

void send_syn(const std::string& from, std::uint16_t from_port, const std::string& to,
              std::uint16_t to_port) {
  const auto source = address(from), destination = address(to);
  const FileDescriptor raw(::socket(family(source), SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  require(static_cast<bool>(raw), "raw socket");
  const auto packet = ip_header(source, destination) + tcp_syn(source, from_port, destination, to_port);
  auto name = to_sockaddr(destination, 0);
  require(::sendto(raw.get(), packet.data(), packet.size(), 0, name.get(), name.length) > 0, "sending a SYN");
}

std::unique_ptr<Source> live_source(const std::string& netns) {
  return make_live_source({.netns = netns, .clock = now});
}

TimePoint now() { return std::chrono::steady_clock::now(); }

std::vector<SsSocket> ss(const std::string& options) {
  std::vector<SsSocket> sockets;
  std::istringstream lines(run("ss -HtnOe " + options));
  for (std::string line; std::getline(lines, line);) {
    SsSocket socket;
    std::string local, remote;
    std::istringstream words(line);
    words >> socket.state >> socket.receive_queue >> socket.send_queue >> local >> remote;
    if (!words) FAIL("ss says: " << line);
    split_endpoint(local, socket.local_address, socket.local_port);
    std::string remote_address;
    split_endpoint(remote, remote_address, socket.remote_port);
    socket.inode = static_cast<std::uint32_t>(number_after(line, " ino:", 10));
    socket.cookie = number_after(line, " sk:", 16);
    socket.drops = static_cast<std::uint32_t>(number_after(line, ",d", 10));
    sockets.push_back(socket);
  }
  return sockets;
}

std::vector<SsSocket> ss_in_state(const std::string& state) {
  auto sockets = ss("-a");
  std::erase_if(sockets, [&](const SsSocket& socket) { return socket.state != state; });
  return sockets;
}

}  // namespace tcpdiag
