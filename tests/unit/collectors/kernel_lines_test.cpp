// SPDX-License-Identifier: Apache-2.0
#include "collectors/kernel_lines.h"

#include <regex>

#include "tests/catch.h"

using namespace tcpdiag;
using Kind = KernelEventKind;

namespace {

struct Sample {
  Kind kind;
  std::string line;
  std::string address = {};
  std::uint16_t port = 0;
  std::optional<bool> cookies = {};
};

const Sample kSamples[] = {
    {Kind::syn_flood, "TCP: TCP: Possible SYN flooding on port 80. Sending cookies.  Check SNMP counters.",
     "", 80, true},
    {Kind::syn_flood, "TCP: TCPv6: Possible SYN flooding on port 80. Dropping request.  Check SNMP counters.",
     "", 80, false},
    {Kind::syn_flood,
     "TCP: request_sock_TCP: Possible SYN flooding on port 2542. Dropping request.  Check SNMP counters.", "",
     2542, false},
    {Kind::syn_flood,
     "TCP: request_sock_TCPv6: Possible SYN flooding on port 443. Sending cookies.  Check SNMP counters.", "",
     443, true},
    {Kind::syn_flood,
     "TCP: request_sock_subflow_v4: Possible SYN flooding on port 0.0.0.0:443. Sending cookies.", "0.0.0.0",
     443, true},
    {Kind::syn_flood, "TCP: request_sock_TCP: Possible SYN flooding on port 0.0.0.0:9003. Sending cookies.",
     "0.0.0.0", 9003, true},
    {Kind::syn_flood, "TCP: request_sock_TCP: Possible SYN flooding on port [::]:9501. Sending cookies.",
     "::", 9501, true},
    {Kind::syn_flood,
     "TCP: request_sock_TCP: Possible SYN flooding on port 127.0.0.1:18103. Dropping request.", "127.0.0.1",
     18103, false},
    {Kind::syn_flood,
     "TCP: request_sock_TCPv6: Possible SYN flooding on port [2001:db8::1]:443. Sending cookies.",
     "2001:db8::1", 443, true},
    {Kind::syn_flood,
     "TCP: request_sock_TCPv6: Possible SYN flooding on port [::ffff:10.0.0.1]:65535. Sending cookies.",
     "::ffff:10.0.0.1", 65535, true},
    {Kind::syn_flood, "possible SYN flooding on port 80. Sending cookies.", "", 80, true},
    {Kind::syn_flood, "TCP: Possible SYN flooding on port 26450. Sending cookies.", "", 26450, true},
    {Kind::syn_flood, "TCP: Possible SYN flooding on port 26450.", "", 26450, {}},
    {Kind::tcp_memory, "TCP: out of memory -- consider tuning tcp_mem"},
    {Kind::tcp_memory, "Out of socket memory"},
    {Kind::orphans, "TCP: too many orphaned sockets"},
    {Kind::orphans, "TCP: too many of orphaned sockets"},
    {Kind::time_wait_overflow, "TCP: time wait bucket table overflow"},
    {Kind::time_wait_overflow, "TCP: time wait bucket table overflow (CT101)"},
    {Kind::conntrack_full, "nf_conntrack: table full, dropping packet"},
    {Kind::conntrack_full, "nf_conntrack: table full, dropping packet."},
    {Kind::conntrack_full, "nf_conntrack: nf_conntrack: table full, dropping packet"},
    {Kind::conntrack_full, "nf_conntrack: nf_conntrack: table full in netns 4026532177, dropping packet"},
    {Kind::conntrack_full, "ip_conntrack: table full, dropping packet."},
    {Kind::conntrack_expectations_full, "nf_conntrack: nf_conntrack: expectation table full"},
    {Kind::file_max, "VFS: file-max limit 9223372036854775807 reached"},
    {Kind::neighbour_table, "neighbour: arp_cache: neighbor table overflow!"},
    {Kind::neighbour_table, "neighbour: ndisc_cache: neighbor table overflow!"},
    {Kind::neighbour_table, "ipv4: Neighbour table overflow."},
    {Kind::neighbour_table, "IPv6: Neighbour table overflow"},
    {Kind::neighbour_table, "Neighbour table overflow."},
    {Kind::open_request_dropped, "TCP: drop open request from 10.0.0.1/4242"},
    {Kind::messages_suppressed, "net_ratelimit: 5 callbacks suppressed"},
    {Kind::messages_suppressed, "__ratelimit: 108 callbacks suppressed"},
    {Kind::window_scaling, "TCP: tcp_parse_options: Illegal window scaling value 15 >14 received"},
    {Kind::window_scaling, "TCP: tcp_parse_options: Illegal window scaling value 15 > 14 received"},
    {Kind::page_allocation, "swapper: page allocation failure. order:1, mode:0x20"},
    {Kind::page_allocation, "swapper/0: page allocation failure: order:2, mode:0x20"},
    {Kind::page_allocation,
     "ksoftirqd/1: page allocation failure: order:0, mode:0x40820(GFP_ATOMIC|__GFP_COMP), nodemask=(null)"},
    {Kind::out_of_memory_kill,
     "Out of memory: Killed process 1234 (nginx) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB, "
     "UID:0 pgtables:1kB oom_score_adj:0"},
    {Kind::out_of_memory_kill, "Memory cgroup out of memory: Killed process 77 (java) total-vm:1kB"},
    {Kind::out_of_memory_kill, "Out of memory: Kill process 1234 (nginx) score 900 or sacrifice child"},
    {Kind::out_of_memory_kill,
     "Out of memory (oom_kill_allocating_task): Killed process 1234 (nginx) total-vm:1kB"},
    {Kind::out_of_memory_kill, "Out of memory: kill process 2345 (java) score 55089 or a child"},
    {Kind::netdev_watchdog, "NETDEV WATCHDOG: eth0 (e1000e): transmit queue 0 timed out"},
    {Kind::netdev_watchdog,
     "e1000e 0000:00:1f.6 eth0: NETDEV WATCHDOG: CPU: 3: transmit queue 0 timed out 5000 ms"},
    {Kind::netdev_watchdog, "NETDEV WATCHDOG: enp3s0 (r8169): transmit queue 0 timed out 10012 ms"},
    {Kind::netdev_watchdog, "NETDEV WATCHDOG: veth7 (): transmit queue 12 timed out"},
    {Kind::netdev_watchdog, "veth7: NETDEV WATCHDOG: CPU: 3: transmit queue 0 timed out 5000 ms"},
    {Kind::suspect_gro,
     "TCP: eth0: Driver has suspect GRO implementation, TCP performance may be compromised."},
};

// What the matchers mean, by kind.
constexpr const char* kPatterns[kKernelEventKinds] = {
    R"(^(?:TCP: )?(?:(TCP|TCPv6|request_sock_[A-Za-z0-9_]+): )?[Pp]ossible SYN flooding on port (?:\[([0-9A-Fa-f:.]+)\]:|([0-9]{1,3}(?:\.[0-9]{1,3}){3}):)?([0-9]{1,5})\.(?: (Sending cookies|Dropping request)\.)?(?: {1,2}Check SNMP counters\.)?$)",
    R"(^(?:TCP: )?(?:out of memory -- consider tuning tcp_mem|Out of socket memory)$)",
    R"(^(?:TCP: )?too many (?:of )?orphaned sockets$)",
    R"(^TCP: time wait bucket table overflow(?: \(CT[0-9]+\))?$)",
    R"(^(?:nf_conntrack: ){1,2}(?:ip_conntrack: )?table full(?: in netns ([0-9]+))?, dropping packet\.?$|^ip_conntrack: table full, dropping packet\.?$)",
    R"(^(?:nf_conntrack: ){1,2}expectation table full$)",
    R"(^VFS: file-max limit ([0-9]+) reached$)",
    R"(^(?:neighbour: )?([A-Za-z0-9_]+): neighbor table overflow!$|^Neighbour table overflow\.$|^(?:ipv4|ipv6|IPv4|IPv6): Neighbour table overflow\.?$)",
    R"(^TCP: drop open request from ([0-9A-Fa-f.:]+)/([0-9]+)$)",
    R"(^(?:net_ratelimit|__ratelimit): ([0-9]+) callbacks suppressed$)",
    R"(^TCP: tcp_parse_options: Illegal window scaling value ([0-9]+) ?> ?([0-9]+) received$)",
    R"(^(.{1,16}): page allocation failure[:.] order:([0-9]+), mode:0x[0-9a-f]+(?:\([^)]*\))?)",
    R"(^(?:Out of memory|Memory cgroup out of memory)(?: \(oom_kill_allocating_task\))?: (?:Killed|Kill|kill) process ([0-9]+) \((.{1,16})\))",
    R"(^TCP: (.{1,16}): Driver has suspect GRO implementation, TCP performance may be compromised\.$)",
    R"(^(?:NETDEV WATCHDOG: [^ ]+ \([^) ]*\)|(?:[^ ]*[^ :] ){0,2}[^ ]+: NETDEV WATCHDOG: CPU: [0-9]+): transmit queue ([0-9]+) timed out(?: [0-9]+ ms)?$)",
};

}  // namespace

TEST_CASE("every form of a kernel line that matters is of its kind, with the port it names") {
  for (const auto& sample : kSamples) {
    CAPTURE(sample.line);
    const auto event = classify_kernel_line(sample.line);
    REQUIRE(event);
    CHECK(to_string(event->kind) == to_string(sample.kind));
    CHECK(event->address == sample.address);
    CHECK(event->port == sample.port);
    CHECK(event->cookies == sample.cookies);
  }
}

TEST_CASE("a kernel line is of one kind only") {
  for (const auto& sample : kSamples)
    for (std::size_t kind = 0; kind < kKernelEventKinds; ++kind) {
      CAPTURE(sample.line, kind);
      const bool own = kind == static_cast<std::size_t>(sample.kind);
      CHECK(std::regex_search(sample.line, std::regex(kPatterns[kind])) == own);
    }
}

TEST_CASE("a kernel line changed by one character is what its pattern says") {
  for (const auto& sample : kSamples) {
    const std::regex pattern(kPatterns[static_cast<std::size_t>(sample.kind)]);
    const auto check = [&](const std::string& line) {
      const auto event = classify_kernel_line(line);
      const bool matched = event && event->kind == sample.kind;
      if (matched != std::regex_search(line, pattern)) FAIL_CHECK(line);
    };
    for (std::size_t at = 0; at < sample.line.size(); ++at) {
      check(sample.line.substr(0, at));
      check(std::string(sample.line).erase(at, 1));
      check(std::string(sample.line).insert(at, "x"));
      check(std::string(sample.line).insert(at, " "));
      check(std::string(sample.line).replace(at, 1, "."));
    }
    check(sample.line + ".");
    check(sample.line + "\n");
  }
}

TEST_CASE("lines that only resemble those that matter are none of them") {
  for (const std::string line : {"",
                                 " ",
                                 "TCP: ",
                                 "TCP: Hash tables configured (established 262144 bind 65536)",
                                 "TCP: Possible SYN flooding on port 65536. Sending cookies.",
                                 "TCP: Possible SYN flooding on port 99999. Sending cookies.",
                                 "TCP: Possible SYN flooding on port . Sending cookies.",
                                 "TCP: Possible SYN flooding on port 1.2.3:80. Sending cookies.",
                                 "TCP: Possible SYN flooding on port 1.2.3.4.5:80. Sending cookies.",
                                 "TCP: Possible SYN flooding on port 1.2.3.4567:80. Sending cookies.",
                                 "TCP: Possible SYN flooding on port []:80. Sending cookies.",
                                 "TCP: Possible SYN flooding on port [::1:80. Sending cookies.",
                                 "TCP: Possible SYN flooding on port [::g]:80. Sending cookies.",
                                 "TCP: SCTP: Possible SYN flooding on port 80. Sending cookies.",
                                 "TCP: request_sock_: Possible SYN flooding on port 80. Sending cookies.",
                                 "evil: TCP: Possible SYN flooding on port 80. Sending cookies.",
                                 "TCP: Possible SYN flooding on port 80. Sending cookies. and more",
                                 "nf_conntrack: nf_conntrack: nf_conntrack: table full, dropping packet",
                                 "nf_conntrack: table full in netns , dropping packet",
                                 "a process of long name: page allocation failure: order:0, mode:0x20",
                                 ": page allocation failure: order:0, mode:0x20",
                                 "Out of memory: Killed process x (nginx)",
                                 "Out of memory: Killed process 1 ()",
                                 "NETDEV WATCHDOG: eth0 (x): transmit queue timed out",
                                 "NETDEV WATCHDOG: eth0: transmit queue 0 timed out",
                                 "a b c eth0: NETDEV WATCHDOG: CPU: 3: transmit queue 0 timed out 5000 ms",
                                 "eth0: x: NETDEV WATCHDOG: CPU: 3: transmit queue 0 timed out 5000 ms",
                                 "transmit queue 0 timed out NETDEV WATCHDOG: "}) {
    CAPTURE(line);
    CHECK_FALSE(classify_kernel_line(line));
  }
}

TEST_CASE("what users call their programs and files forges no kernel line") {
  for (const auto& sample : kSamples) {
    CAPTURE(sample.line);
    const auto comm = sample.line.substr(0, 15);  // as long as the kernel keeps it
    for (const auto& line :
         {comm + "[812]: segfault at 0 ip 0000000000401126 sp 00007ffe error 4 in x[401000+1000]",
          "x[812]: segfault at 0 ip 0000000000401126 sp 00007ffe error 4 in " + sample.line + "[401000+1000]",
          "x[812]: segfault at 0 ip 0000000000401126 sp 00007ffe error 4 in " + sample.line,
          "x[812]: " + sample.line, comm + "/812: potentially unexpected fatal signal 11.",
          "traps: " + comm + "[812] trap divide error ip:401126 sp:7ffe error:0 in " + sample.line +
              "[401000+1000]",
          comm + " (812): drop_caches: 3",
          comm + " invoked oom-killer: gfp_mask=0x0, order=0, oom_score_adj=0",
          "process '/tmp/" + sample.line + "' started with executable stack",
          "process '/tmp/x' launched '" + sample.line + "' with NULL argv: empty string added",
          "CPU: 0 PID: 812 Comm: " + comm + " Not tainted 6.1.0 #1", comm + ": " + sample.line.substr(0, 15),
          "audit: type=1326 audit(1.2:3): auid=1 comm=\"" + comm + "\" exe=\"/tmp/" + sample.line + "\"",
          "warning: `" + comm + "' uses 32-bit capabilities"}) {
      const auto event = classify_kernel_line(line);
      if (event) FAIL_CHECK("taken for " << to_string(event->kind) << ": " << line);
    }
  }
}

TEST_CASE("an address that is longer than any address is no SYN flood") {
  CHECK_FALSE(classify_kernel_line("TCP: Possible SYN flooding on port [" + std::string(46, '1') +
                                   "]:80. Sending cookies."));
}

TEST_CASE("very long lines are classified without recursion") {
  const std::string long_run(1 << 20, '1');
  CHECK_FALSE(classify_kernel_line(long_run));
  CHECK_FALSE(classify_kernel_line("TCP: request_sock_" + long_run));
  CHECK_FALSE(classify_kernel_line("TCP: Possible SYN flooding on port " + long_run));
  CHECK_FALSE(classify_kernel_line("NETDEV WATCHDOG: " + long_run + "transmit queue 0 timed out"));
}
