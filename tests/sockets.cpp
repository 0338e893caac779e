// SPDX-License-Identifier: Apache-2.0
#include "tests/sockets.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "core/address.h"
#include "core/result.h"
#include "tests/diag_message.h"

namespace tcpdiag {
namespace {

void require(bool done, const std::string& what) {
  if (!done) throw std::runtime_error(system_error(errno, what).detail);
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

}  // namespace

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

Attempt try_to_connect(const std::string& to, std::uint16_t port, const std::string& from) {
  const auto ip = address(to);
  FileDescriptor socket(::socket(family(ip), SOCK_STREAM | SOCK_CLOEXEC, 0));
  require(static_cast<bool>(socket), "socket");
  if (!from.empty()) {
    auto own = to_sockaddr(address(from), 0);
    if (::bind(socket.get(), own.get(), own.length) != 0) return {.socket = {}, .error = errno};
  }
  auto name = to_sockaddr(ip, port);
  if (::connect(socket.get(), name.get(), name.length) != 0) return {.socket = {}, .error = errno};
  return {.socket = std::move(socket), .error = 0};
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

// A filter sees what comes from the TCP header on, of which byte 13 holds the flags.
void drop_syns_to(const FileDescriptor& listener) {
  constexpr std::uint32_t kSyn = 0x02, kAck = 0x10, kAll = 0xffffffff;
  std::array<sock_filter, 5> program{{BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
                                      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kSyn | kAck),
                                      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kSyn, 0, 1),
                                      BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, kAll)}};
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  require(::setsockopt(listener.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0,
          "SO_ATTACH_FILTER");
}

}  // namespace tcpdiag
