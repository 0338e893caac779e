// SPDX-License-Identifier: Apache-2.0
#include "collectors/interfaces.h"

#include "core/facts/tcp_counters.h"
#include "tests/catch.h"
#include "tests/diag_message.h"
#include "tests/fake_source.h"

using namespace tcpdiag;

namespace {

constexpr std::string_view kFibTrie =
    "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n"
    "     +-- 127.0.0.0/8 2 0 2\n        +-- 127.0.0.0/31 1 0 0\n           |-- 127.0.0.0\n"
    "              /8 host LOCAL\n           |-- 127.0.0.1\n              /32 host LOCAL\n"
    "        |-- 127.255.255.255\n           /32 link BROADCAST\n        |-- 192.0.2.2\n"
    "           /32 host LOCAL\n     |-- 10.9.0.1\n        /32 universe UNICAST\nLocal:\n"
    "        |-- 192.0.2.2\n           /32 host LOCAL\n";
constexpr std::string_view kIfInet6 =
    "fe8000000000000000aabbfffeccddee 02 40 20 80     eth0\n00000000000000000000000000000001 01 80 10 80     "
    "  lo\n";
constexpr std::string_view kDev =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"
    "    lo:    3267      29    0    0    0     0          0         0     3267      29    0\n"
    "eth0.100:3 0 0\n $(id):       0       0    0    0    0     0          0         0        0       0    "
    "0\n";

struct Kernel : FakeSource {
  Kernel() {
    files["/proc/net/fib_trie"] = std::string(kFibTrie);
    files["/proc/net/if_inet6"] = std::string(kIfInet6);
    files["/proc/net/dev"] = std::string(kDev);
    files["/proc/sys/net/ipv4/conf/all/rp_filter"] = "0\n";
    files["/proc/sys/net/ipv4/conf/lo/rp_filter"] = "0\n";
    files["/proc/sys/net/ipv4/conf/$(id)/rp_filter"] = "1\n";
  }
};

}  // namespace

TEST_CASE("the addresses of a namespace are those of its local routes, IPv6 included, each once") {
  Kernel kernel;
  const auto interfaces = read_interfaces(kernel, false);
  REQUIRE(interfaces);
  CHECK(interfaces->addresses == std::vector<IpAddress>{address("127.0.0.1"), address("192.0.2.2"),
                                                        address("::1"), address("fe80::aa:bbff:fecc:ddee")});
  CHECK(interfaces->addresses_cut == 0);
  CHECK(interfaces->filters.empty());
}

TEST_CASE("the filters are those of all and of each interface that is there, whatever its name") {
  Kernel kernel;
  const auto interfaces = read_interfaces(kernel, true);
  REQUIRE(interfaces);
  CHECK(interfaces->filters == std::vector<ReversePathFilter>{{"all", 0}, {"lo", 0}, {"$(id)", 1}});
}

TEST_CASE("names that would lead out of the directory of interfaces are left out") {
  const auto names = parse_interface_names(
      "a\nb\n ..: 1\n ./x: 1\n .: 1\n averyveryverylongname: 1\n : 1\n no colon at all\nok: 1\n");
  REQUIRE(names);
  CHECK(*names == std::vector<std::string>{"no", "ok"});
}

TEST_CASE("of very many addresses and interfaces only so many are kept, and what is cut is counted") {
  Kernel kernel;
  std::string trie = "Main:\n", dev = "\n\n";
  for (int i = 0; i < 2000; ++i) {
    const auto number = std::to_string(i);
    trie += "  |-- 10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".1\n   /32 host LOCAL\n";
    dev += "veth" + number + ": 0\n";
    kernel.files["/proc/sys/net/ipv4/conf/veth" + number + "/rp_filter"] = "1\n";
  }
  kernel.files["/proc/net/fib_trie"] = trie;
  kernel.files["/proc/net/dev"] = dev;
  const auto interfaces = read_interfaces(kernel, true);
  REQUIRE(interfaces);
  CHECK(interfaces->addresses.size() == Interfaces::kAddresses);
  CHECK(interfaces->addresses_cut == 2002 - Interfaces::kAddresses);
  CHECK(interfaces->filters.size() == Interfaces::kFilters + 1);
}

TEST_CASE("a table of routes that is too long to read leaves addresses unknown, and is no failure") {
  Kernel kernel;
  kernel.files["/proc/net/fib_trie"] =
      unexpected(Errc::too_large, "/proc/net/fib_trie: longer than 4194304 bytes");
  const auto interfaces = read_interfaces(kernel, false);
  REQUIRE(interfaces);
  CHECK(interfaces->addresses_cut > 0);
  CHECK(interfaces->addresses.size() == 2);
}

TEST_CASE("a kernel without IPv6 has IPv4 addresses, and what is denied is an error") {
  Kernel kernel;
  kernel.files.erase("/proc/net/if_inet6");
  CHECK(read_interfaces(kernel, false)->addresses.size() == 2);
  for (const auto* path : {"/proc/net/if_inet6", "/proc/net/fib_trie"}) {
    Kernel denied;
    denied.deny(path);
    CHECK(read_interfaces(denied, false).error().code == Errc::denied);
  }
}

TEST_CASE("a namespace whose interfaces are all down has no addresses") {
  const auto addresses = parse_fib_trie("");
  REQUIRE(addresses);
  CHECK(addresses->empty());
}

TEST_CASE("files about addresses and interfaces that are cut off or garbled are errors") {
  CHECK_FALSE(parse_fib_trie(kFibTrie.substr(0, kFibTrie.size() - 1)));
  CHECK_FALSE(parse_if_inet6(kIfInet6.substr(0, kIfInet6.size() - 1)));
  CHECK_FALSE(parse_if_inet6("fe80:: 02\n"));
  CHECK_FALSE(parse_interface_names(kDev.substr(0, kDev.size() - 1)));
  CHECK(parse_fib_trie(
            "|-- 1.2.3.4.5\n/32 host LOCAL\n|-- 1.2.3\n/32 host LOCAL\n|-- 1.2.3.400\n/32 host LOCAL\n")
            ->empty());
  for (std::size_t length = 0; length < kFibTrie.size(); ++length)
    if (const auto parsed = parse_fib_trie(kFibTrie.substr(0, length))) CHECK(parsed->size() <= 3);
}

TEST_CASE("filters are read only where packets have been dropped by one") {
  Kernel kernel;
  Snapshot snapshot;
  snapshot.namespaces.push_back({.name = kHostNetns});
  const auto filters = [&](Count dropped) {
    TcpCounters tcp;
    tcp.ip_reverse_path_filter = dropped;
    snapshot.namespaces[0].tcp = {std::make_shared<const TcpCounters>(tcp), {}};
    return InterfacesReader()(Reading{kernel, {}, snapshot})->filters.size();
  };
  CHECK(filters({}) == 0);
  CHECK(filters(0) == 0);
  CHECK(filters(7) == 3);
}
