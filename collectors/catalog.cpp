// SPDX-License-Identifier: Apache-2.0
#include "collectors/catalog.h"

#include "collectors/connections.h"
#include "collectors/conntrack.h"
#include "collectors/file_handles.h"
#include "collectors/host_config.h"
#include "collectors/interfaces.h"
#include "collectors/kernel_log.h"
#include "collectors/listeners.h"
#include "collectors/meminfo.h"
#include "collectors/netns_list.h"
#include "collectors/netstat.h"
#include "collectors/processes.h"
#include "collectors/self.h"
#include "collectors/sockstat.h"
#include "collectors/softnet.h"
#include "collectors/sysctl.h"

namespace tcpdiag {

std::span<const CollectorSpec> collector_catalog() {
  using namespace std::chrono_literals;
  static const CollectorSpec kCatalog[] = {
      // what the loop runs
      {"netstat",
       1s,
       Thread::loop,
       true,
       "/proc/net/snmp, /proc/net/netstat",
       "all tcpdiag_tcp_* counters",
       make_collector<&NetnsView::tcp, TcpCountersReader>,
       {.rest_factor = 4}},
      {"sockstat", 1s, Thread::loop, true, "/proc/net/sockstat, /proc/net/sockstat6",
       "sockets in use, TIME_WAIT, orphans and the memory of TCP",
       make_stateless_collector<&NetnsView::sockets, read_socket_usage>},
      {"softnet", 1s, Thread::loop, false, "/proc/net/softnet_stat",
       "packets that each CPU received and dropped", make_collector<&Snapshot::softnet, SoftnetReader>},
      {"kernel_log", 1s, Thread::loop, false, "/dev/kmsg",
       "what the kernel reports: SYN floods, full tables, memory",
       make_collector<&Snapshot::kernel_log, KernelLogReader>},
      {"listeners",
       100ms,
       Thread::loop,
       true,
       "sock_diag, LISTEN",
       "accept queues: lengths, limits, drops",
       make_collector<&NetnsView::listeners, ListenersReader>,
       {.calm_factor = 10, .rest_factor = 40}},
      // what the worker runs: settings first, because connections are judged by the ephemeral port range
      {"sysctl",
       10s,
       Thread::worker,
       true,
       "/proc/sys",
       "settings, and what is computed from them",
       make_collector<&NetnsView::settings, SettingsReader>,
       {.hurry = Hurry::when_cited, .calm_factor = 3, .rest_factor = 18}},
      {"connections",
       4s,
       Thread::worker,
       true,
       "sock_diag, all states",
       "connections by port and state, half-open ones, ephemeral ports",
       make_collector<&NetnsView::connections, ConnectionsReader>,
       {.hurry = Hurry::in_trouble, .wavers = true, .calm_factor = 2, .rest_factor = 4}},
      {"interfaces",
       5s,
       Thread::worker,
       true,
       "/proc/net/fib_trie, /proc/net/if_inet6, /proc/net/dev, net.ipv4.conf.*.rp_filter",
       "which addresses are this host's, which interfaces use reverse path filtering",
       make_collector<&NetnsView::interfaces, InterfacesReader>,
       {.calm_factor = 3, .rest_factor = 6}},
      {"conntrack",
       5s,
       Thread::worker,
       true,
       "/proc/sys/net/netfilter/nf_conntrack_{count,max}, /proc/net/stat/nf_conntrack",
       "tracked connections, their limit and drops",
       make_collector<&NetnsView::conntrack, ConntrackReader>,
       {.calm_factor = 2, .rest_factor = 4}},
      {"processes",
       4s,
       Thread::worker,
       false,
       "/proc/PID: fd, stat, limits, cgroup, wchan; sock_diag",
       "which processes own listeners, which run out of descriptors or do not close sockets",
       make_collector<&Snapshot::processes, ProcessesReader>,
       {.hurry = Hurry::in_trouble, .wavers = true}},
      {"file_handles", 5s, Thread::worker, false, "/proc/sys/fs/file-nr", "open files of the machine",
       make_stateless_collector<&Snapshot::files, read_file_handles>},
      {"meminfo", 30s, Thread::worker, false, "/proc/meminfo", "the machine's memory",
       make_stateless_collector<&Snapshot::memory, read_meminfo>},
      {"namespaces", 2s, Thread::worker, false,
       "/proc/PID: ns/net, stat, cgroup; /run/netns, files of container runtimes",
       "which network namespaces and containers there are; none but those that are configured is watched",
       make_collector<&Snapshot::netns_list, NetnsListReader>},
      // behind processes, whose units it looks up
      {"host_config", 60s, Thread::worker, false,
       "sysctl.d, /etc/sysctl.conf, systemd's unit files and system.conf, limits.conf, names in /proc/sys",
       "sysctl lint of files, limits of units and logins",
       make_collector<&Snapshot::config, HostConfigReader>},
      {"self", 5s, Thread::worker, false, "/proc/self/{stat,limits,fd}, /proc/stat",
       "what the daemon itself uses (process_*)", make_stateless_collector<&Snapshot::self, read_self_usage>},
  };
  return kCatalog;
}

}  // namespace tcpdiag
