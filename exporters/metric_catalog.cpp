// SPDX-License-Identifier: Apache-2.0
#include "exporters/metric_catalog.h"

#include <deque>

#include "core/ephemeral_ports.h"
#include "core/facts/connections.h"
#include "core/facts/conntrack.h"
#include "core/facts/file_handles.h"
#include "core/facts/kernel_log.h"
#include "core/facts/netns_list.h"
#include "core/facts/self_usage.h"
#include "core/facts/socket_usage.h"
#include "core/facts/tcp_counters.h"
#include "core/version.h"
#include "exporters/metric_fill.h"

namespace tcpdiag {
namespace {

constexpr auto kCounter = MetricType::counter;
constexpr auto kGauge = MetricType::gauge;

constexpr std::span<const std::string_view> kNone;
constexpr std::string_view kNetns[] = {"netns"};
constexpr std::string_view kNetnsInfo[] = {"netns", "kind",          "container",       "image",
                                           "pod",   "pod_namespace", "compose_project", "compose_service"};
constexpr std::string_view kListener[] = {"netns", "address", "port"};
constexpr std::string_view kListenerInfo[] = {"netns", "address", "port", "process", "unit"};
constexpr std::string_view kConnections[] = {"netns", "role", "port", "state"};
constexpr std::string_view kServerPort[] = {"netns", "port"};
constexpr std::string_view kRolePort[] = {"netns", "role", "port"};
constexpr std::string_view kFamily[] = {"netns", "family"};
constexpr std::string_view kSysctl[] = {"netns", "name", "field"};
constexpr std::string_view kSysctlWord[] = {"netns", "name", "value"};
constexpr std::string_view kProcess[] = {"process", "unit"};
constexpr std::string_view kCpu[] = {"cpu"};
constexpr std::string_view kEvent[] = {"event"};
constexpr std::string_view kAddressPort[] = {"address", "port"};
constexpr std::string_view kFindingActive[] = {"finding", "severity", "netns", "subject"};
constexpr std::string_view kFindingInfo[] = {"finding", "netns", "subject", "process", "pid", "unit", "port"};
constexpr std::string_view kFindingEvidence[] = {"finding", "netns", "subject", "evidence", "what"};
constexpr std::string_view kFindingSubject[] = {"finding", "netns", "subject"};
constexpr std::string_view kFinding[] = {"finding"};
constexpr std::string_view kCollector[] = {"collector", "netns"};
constexpr std::string_view kMetric[] = {"metric"};
constexpr std::string_view kVersion[] = {"version"};
constexpr std::string_view kWebInfo[] = {"external_url", "scheme"};

std::uint32_t fullest_queue_length(const Listener& listener) { return listener.fullest().queue_length; }
std::uint32_t fullest_queue_limit(const Listener& listener) { return listener.fullest().queue_limit; }
std::size_t member_count(const Listener& listener) { return listener.sockets.size(); }

std::uint64_t unacknowledged(const Connections& connections) {
  std::uint64_t sum = 0;
  for (const auto& peer : connections.silent_peers) sum += peer.connections;
  return sum;
}

std::uint32_t busiest_destination(const Connections& connections) {
  std::uint32_t most = 0;
  for (const auto& destination : connections.destinations) most = std::max(most, destination.local_ports);
  return most;
}

double seconds(std::chrono::duration<double> duration) { return duration.count(); }

std::optional<double> run_success(const CollectorRun& run, const Report&) {
  return run.outcome.has_value() ? 1 : 0;
}
std::optional<double> run_duration(const CollectorRun& run, const Report&) {
  return run.has_run() ? std::optional(seconds(run.duration)) : std::nullopt;
}
std::optional<double> run_cpu(const CollectorRun& run, const Report&) {
  return run.has_run() ? std::optional(seconds(run.cpu)) : std::nullopt;
}
std::optional<double> run_period(const CollectorRun& run, const Report&) { return seconds(run.period); }
std::optional<double> run_age(const CollectorRun& run, const Report& report) {
  return run.succeeded_at ? std::optional(seconds(report.at - *run.succeeded_at)) : std::nullopt;
}

void late_ticks(const Report& report, Samples& samples) {
  samples.add(static_cast<double>(report.ticks_late), {});
}
template <std::uint64_t HttpUsage::* Value>
void http(const Report& report, Samples& samples) {
  if (report.http) samples.add(static_cast<double>((*report.http).*Value), {});
}
void web_config_valid(const Report& report, Samples& samples) {
  if (report.http && report.http->web_config_valid) samples.add(*report.http->web_config_valid ? 1 : 0, {});
}
void web_certificate_expiry(const Report& report, Samples& samples) {
  if (report.http && report.http->certificate_expires)
    samples.add(seconds(report.http->certificate_expires->time_since_epoch()), {});
}
void report_time(const Report& report, Samples& samples) {
  samples.add(seconds(report.wall_at.time_since_epoch()), {});
}
void web_info(const Report& report, Samples& samples) {
  if (report.http)
    samples.add(1, {report.http->external_url, report.http->certificate_expires ? "https" : "http"});
}
void build_info(const Report&, Samples& samples) { samples.add(1, {version()}); }

// A new metric is one row here, but for the TCP counters: tcp_counter_table() has them all.
constexpr MetricSpec kCatalog[] = {
    {"Listeners", "tcpdiag_listener_queue_length", kGauge, kListener, "sock_diag: idiag_rqueue",
     "Connections waiting for accept(), in the fullest socket of the listener (in an SO_REUSEPORT group, "
     "each has its own queue). If there are more listeners than the limit, here and below, those with drops "
     "or a queue now or within the last 60 s come first, then the rest by port.",
     fill::each_listener<fullest_queue_length>},
    {"Listeners", "tcpdiag_listener_queue_limit", kGauge, kListener, "sock_diag: idiag_wqueue",
     "Backlog of the same socket as listen() and net.core.somaxconn made it; the queue is full when it holds "
     "one more.",
     fill::each_listener<fullest_queue_limit>},
    {"Listeners", "tcpdiag_listener_queue_peak_length", kGauge, kListener,
     "sock_diag, ten times a second unless cpu_budget stretches it",
     "Longest queue of any socket of the listener within the last 60 s: bursts between scrapes show here.",
     fill::each_listener<&Listener::peak_length>},
    {"Listeners", "tcpdiag_listener_queue_fill_ratio", MetricType::histogram, kListener,
     "sock_diag, ten times a second unless cpu_budget stretches it",
     "How full the fullest accept queue was at each sample, 1 being full: the share of samples above 0.9 is "
     "the share of time in trouble. In a namespace that was found, none for a listener whose queue was empty "
     "at all of them.",
     fill::listener_fill},
    {"Listeners", "tcpdiag_listener_half_open", kGauge, kListener, "sock_diag: SYN_RECV",
     "Half-open connections of the listener; once they exceed its backlog, SYN cookies or drops start. As of "
     "the latest full dump; no sample for a listener that is newer.",
     fill::listener_half_open},
    {"Listeners", "tcpdiag_listener_sockets", kGauge, kListener, "sock_diag",
     "Sockets that listen on the address and port: 1, or the members of an SO_REUSEPORT group.",
     fill::each_listener<member_count>},
    {"Listeners", "tcpdiag_listener_drops_total", kCounter, kListener, "sock_diag: SK_MEMINFO_DROPS",
     "Segments dropped at the listener's sockets. Shows which listener the drops of listen_drops belong to; "
     "on its own it proves nothing, since repeated SYNs and client RSTs count too.",
     fill::each_listener<&Listener::drops>},
    {"Listeners", "tcpdiag_listener_info", kGauge, kListenerInfo, "/proc/PID/fd, /proc/PID/cgroup",
     "Always 1; names the process that holds the listener and its systemd unit or container, for joins. Of "
     "several, the first that started; systemd only if there is no other. Empty labels: not known.",
     fill::listener_info},
    {"Listeners", "tcpdiag_listening_sockets_cut", kGauge, kNetns, "the daemon",
     "Listening sockets that were left out because there are more than the daemon keeps.",
     fill::each_netns<&NetnsView::listeners, &Listeners::cut>},

    {"Namespaces", "tcpdiag_netns_info", kGauge, kNetnsInfo, "/proc/PID/ns/net, files of container runtimes",
     "Always 1; says what a network namespace of the machine is, for joins. Kind: host, docker, podman, "
     "containerd, kubernetes, crio, lxc, incus, nspawn, libvirt, named (ip netns), unit (PrivateNetwork=) or "
     "other. Empty labels: not known, or not applicable.",
     fill::netns_info},
    {"Namespaces", "tcpdiag_netns_found", kGauge, kNone, "/proc/PID/ns/net",
     "Network namespaces of the machine that were found, the daemon's own included.",
     fill::machine<&Snapshot::netns_list, &NetnsList::all>},
    {"Namespaces", "tcpdiag_netns_watched", kGauge, kNone, "the daemon",
     "Network namespaces that are watched, the daemon's own included. Fewer than found: there are more "
     "than the daemon watches or its limit of open files has room for, or some are excluded (netns_exclude).",
     fill::netns_watched},
    {"Namespaces", "tcpdiag_netns_unreadable_processes", kGauge, kNone, "/proc/PID/ns/net",
     "Processes that could not be asked for their network namespace, which takes CAP_SYS_PTRACE.",
     fill::machine<&Snapshot::netns_list, &NetnsList::unreadable>},

    {"Connections", "tcpdiag_connections", kGauge, kConnections, "sock_diag",
     "Connections by service port and state. Role server: the local port has a listener or had one (outside "
     "the ephemeral range while the remote port is inside); if there are more ports than the limit, those "
     "with unaccepted connections or a listener in trouble come first. Role client: all others, by remote "
     "port, the busiest by name and the rest as other. A dump is not atomic: small differences mean nothing. "
     "In a namespace that was found, none for a port without connections.",
     fill::connections},
    {"Connections", "tcpdiag_connections_unaccepted", kGauge, kServerPort, "sock_diag: inode 0",
     "Connections (ESTABLISHED or CLOSE_WAIT) that no accept() has taken.", fill::connections_unaccepted},
    {"Connections", "tcpdiag_connections_unread", kGauge, kServerPort, "sock_diag: Recv-Q",
     "Accepted connections (ESTABLISHED) with data that their program had not read at the moment of the "
     "dump. Some are normal; if they are as many as the connections, for a long time, nothing is being read.",
     fill::connections_unread},
    {"Connections", "tcpdiag_close_wait_oldest_seconds", kGauge, kRolePort, "sock_diag",
     "How long, at least, the oldest connection has been in CLOSE_WAIT: the peer has closed and the "
     "application has not, usually a leak. No sample where there is none.",
     fill::close_wait_oldest},
    {"Connections", "tcpdiag_connections_unacknowledged", kGauge, kNetns, "sock_diag: retransmit timer",
     "Open connections whose retransmit timer has fired four times or more without an answer: the peer or "
     "the path to it is gone. The 20 peers with the most.",
     fill::each_netns<&NetnsView::connections, unacknowledged>},
    {"Connections", "tcpdiag_sockets_seen", kGauge, kNetns, "sock_diag",
     "TCP sockets that the latest full dump showed, listeners included.",
     fill::each_netns<&NetnsView::connections, &Connections::sockets>},
    {"Connections", "tcpdiag_ephemeral_ports", kGauge, kNetns,
     "net.ipv4.ip_local_port_range, net.ipv4.ip_local_reserved_ports",
     "Local ports that the kernel can pick for connections to one destination: the range minus reserved "
     "ports.",
     fill::each_netns<&NetnsView::settings, ephemeral_ports>},
    {"Connections", "tcpdiag_ephemeral_ports_used_max", kGauge, kNetns, "sock_diag",
     "Local ports in use towards the busiest destination (source address, destination address and port), "
     "including TIME_WAIT. When it reaches tcpdiag_ephemeral_ports, connect() to that destination fails with "
     "EADDRNOTAVAIL. It may be too low by tcpdiag_ephemeral_ports_undercount.",
     fill::each_netns<&NetnsView::connections, busiest_destination>},
    {"Connections", "tcpdiag_ephemeral_ports_undercount", kGauge, kNetns, "the daemon",
     "By how much tcpdiag_ephemeral_ports_used_max may be too low because there are more destinations than "
     "the daemon counts; 0 means it is exact.",
     fill::each_netns<&NetnsView::connections, &Connections::destination_undercount>},

    {"Sockets", "tcpdiag_sockets_in_use", kGauge, kFamily, "/proc/net/sockstat, /proc/net/sockstat6: inuse",
     "TCP sockets in use, including listeners but not TIME_WAIT, by address family.", fill::sockets_in_use},
    {"Sockets", "tcpdiag_sockets_time_wait", kGauge, kNetns, "/proc/net/sockstat: tw",
     "Sockets in TIME_WAIT, and those in FIN_WAIT2 that no process holds. The limit is "
     "net.ipv4.tcp_max_tw_buckets.",
     fill::each_netns<&NetnsView::sockets, &SocketUsage::time_wait>},
    {"Sockets", "tcpdiag_orphans", kGauge, kNone, "/proc/net/sockstat: orphan",
     "Closing TCP sockets of the whole machine that no process holds any more. The limit is "
     "net.ipv4.tcp_max_orphans, under stress a quarter of it.",
     fill::host<&NetnsView::sockets, &SocketUsage::orphans>},
    {"Sockets", "tcpdiag_sockets_allocated", kGauge, kNone, "/proc/net/sockstat: alloc",
     "TCP sockets that exist on the whole machine, including closed ones that a process still holds.",
     fill::host<&NetnsView::sockets, &SocketUsage::allocated>},
    {"Sockets", "tcpdiag_tcp_memory_bytes", kGauge, kNone, "/proc/net/sockstat: mem",
     "Memory of all TCP buffers of the machine. The limits are net.ipv4.tcp_mem, which counts in pages.",
     fill::host<&NetnsView::sockets, &SocketUsage::memory_bytes>},

    {"Settings", "tcpdiag_sysctl", kGauge, kSysctl, "/proc/sys",
     "Value of a sysctl, in its own unit; the label field says which number it is where there are several. "
     "No sample for a sysctl that the kernel or the namespace does not have.",
     fill::sysctl_numbers},
    {"Settings", "tcpdiag_sysctl_info", kGauge, kSysctlWord, "/proc/sys",
     "Always 1; the label value is the value of a sysctl that is a word.", fill::sysctl_words},
    {"Settings", "tcpdiag_sysctls_unread", kGauge, kNetns, "/proc/sys",
     "Sysctls that exist but could not be read; they have no sample in tcpdiag_sysctl.",
     fill::sysctls_unread},

    {"Processes and files", "tcpdiag_process_open_fds", kGauge, kProcess, "/proc/PID/fd",
     "Open file descriptors of the fullest process of that name and unit. Covers owners of listeners and the "
     "fullest processes.",
     fill::each_process_group<&Process::open_fds>},
    {"Processes and files", "tcpdiag_process_max_fds", kGauge, kProcess, "/proc/PID/limits: Max open files",
     "Soft limit of open files (RLIMIT_NOFILE) of the same process; at the limit accept() fails with EMFILE "
     "and connections stay in the queue.",
     fill::each_process_group<&Process::soft_limit>},
    {"Processes and files", "tcpdiag_process_fd_usage_ratio", kGauge, kProcess, "the two above",
     "Open file descriptors of the same process as a share of its soft limit.",
     fill::each_process_group<&Process::fd_ratio>},
    {"Processes and files", "tcpdiag_processes", kGauge, kNone, "/proc",
     "Processes on the machine, as far as the daemon can see them.",
     fill::machine<&Snapshot::processes, &Processes::total>},
    {"Processes and files", "tcpdiag_processes_unreadable", kGauge, kNone, "/proc/PID/fd",
     "Those of them whose descriptors the daemon may not list: the owners of their listeners are not known. "
     "Needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.",
     fill::machine<&Snapshot::processes, &Processes::unreadable>},
    {"Processes and files", "tcpdiag_processes_uncounted", kGauge, kNone, "/proc/PID/fd, /proc/PID/limits",
     "Those of them whose open descriptors or limit the daemon may not read: they may be at their limit. "
     "Since Linux 6.2 anyone may; before that it takes CAP_DAC_READ_SEARCH.",
     fill::machine<&Snapshot::processes, &Processes::uncounted>},
    {"Processes and files", "tcpdiag_processes_hidden", kGauge, kNone, "/proc",
     "1 when /proc hides other users' processes from the daemon (hidepid=, ProtectProc=): process 1 is not "
     "listed. Needs CAP_SYS_PTRACE.",
     fill::machine<&Snapshot::processes, &Processes::some_hidden>},
    {"Processes and files", "tcpdiag_listener_owners_cut", kGauge, kNone, "the daemon",
     "Processes that own a listener and were left out because there are more than the daemon keeps.",
     fill::machine<&Snapshot::processes, &Processes::owners_cut>},
    {"Processes and files", "tcpdiag_processes_cut", kGauge, kNone, "the daemon",
     "Processes that use a tenth or more of their descriptors and were left out because there are more than "
     "the daemon keeps: each user's fullest are kept.",
     fill::machine<&Snapshot::processes, &Processes::fullest_cut>},
    {"Processes and files", "tcpdiag_system_open_files", kGauge, kNone, "/proc/sys/fs/file-nr",
     "Open files of the whole machine.", fill::machine<&Snapshot::files, &FileHandles::open>},
    {"Processes and files", "tcpdiag_system_max_files", kGauge, kNone, "/proc/sys/fs/file-nr",
     "Limit of open files of the whole machine (fs.file-max); beyond it open() and accept() fail with "
     "ENFILE.",
     fill::machine<&Snapshot::files, &FileHandles::max>},

    {"Receiving", "tcpdiag_softnet_processed_total", kCounter, kCpu, "/proc/net/softnet_stat",
     "Packets that the CPU took from network devices.", fill::each_cpu<&SoftnetCpu::processed>},
    {"Receiving", "tcpdiag_softnet_dropped_total", kCounter, kCpu, "/proc/net/softnet_stat",
     "Packets dropped because the CPU's input queue was full (net.core.netdev_max_backlog).",
     fill::each_cpu<&SoftnetCpu::dropped>},
    {"Receiving", "tcpdiag_softnet_time_squeezed_total", kCounter, kCpu, "/proc/net/softnet_stat",
     "Times the CPU stopped receiving because its budget was used up (net.core.netdev_budget, "
     "netdev_budget_usecs). No loss by itself.",
     fill::each_cpu<&SoftnetCpu::time_squeezed>},

    {"Connection tracking", "tcpdiag_conntrack_entries", kGauge, kNetns, "net.netfilter.nf_conntrack_count",
     "Connections tracked in the namespace. No sample where connection tracking is not loaded.",
     fill::each_netns<&NetnsView::conntrack, &Conntrack::entries>},
    {"Connection tracking", "tcpdiag_conntrack_limit", kGauge, kNetns, "net.netfilter.nf_conntrack_max",
     "How many connections a namespace may track: one value for the machine, compared with each namespace's "
     "own entries.",
     fill::each_netns<&NetnsView::conntrack, &Conntrack::limit>},
    {"Connection tracking", "tcpdiag_conntrack_drops_total", kCounter, kNetns,
     "/proc/net/stat/nf_conntrack: drop",
     "Packets dropped because their connection could not be tracked, usually because the table is full: new "
     "connections time out.",
     fill::each_netns<&NetnsView::conntrack, &Conntrack::drops>},
    {"Connection tracking", "tcpdiag_conntrack_early_drops_total", kCounter, kNetns,
     "/proc/net/stat/nf_conntrack: early_drop",
     "Entries thrown out early to make room for new ones: the table is nearly full.",
     fill::each_netns<&NetnsView::conntrack, &Conntrack::early_drops>},
    {"Connection tracking", "tcpdiag_conntrack_insert_failed_total", kCounter, kNetns,
     "/proc/net/stat/nf_conntrack: insert_failed",
     "Entries that could not be inserted, usually because two packets raced for one NAT mapping; the packet "
     "is dropped.",
     fill::each_netns<&NetnsView::conntrack, &Conntrack::insert_failed>},

    {"Kernel log", "tcpdiag_kernel_log_events_total", kCounter, kEvent, "/dev/kmsg",
     "Kernel log lines that matter to TCP, since the daemon started, by what they say.",
     fill::kernel_log_events},
    {"Kernel log", "tcpdiag_syn_flood_reports_total", kCounter, kAddressPort,
     "/dev/kmsg: possible SYN flooding",
     "Lines about possible SYN flooding since the daemon started, by listener. The kernel writes only one in "
     "the whole life of a listening socket. Kernels before 6.2 name no address; no line names a namespace. "
     "Port other: those beyond the first 256.",
     fill::syn_flood_reports},
    {"Kernel log", "tcpdiag_kernel_log_lost_records_total", kCounter, kNone, "/dev/kmsg",
     "Records that the kernel overwrote before the daemon read them: lines may have been missed.",
     fill::machine<&Snapshot::kernel_log, &KernelLog::lost>},

    {"Findings", "tcpdiag_finding_active", kGauge, kFindingActive, "the diagnosis",
     "Always 1: a finding that is there now. The label subject is what it is about, such as a listener's "
     "address and port, and empty for a whole namespace or machine; netns is empty for the machine. "
     "/api/v1/findings has the proof and the advice. If there are too many, the worst ones.",
     fill::findings_active},
    {"Findings", "tcpdiag_finding_info", kGauge, kFindingInfo, "the diagnosis",
     "Always 1, for each tcpdiag_finding_active: who it is about, for joins. The owner of the listener or "
     "the process, its pid, its systemd unit or container, and the port. Empty labels: not known, or not "
     "about one. Names are cut at 128 bytes.",
     fill::finding_info},
    {"Findings", "tcpdiag_finding_evidence", kGauge, kFindingEvidence, "the diagnosis",
     "The numbers that prove each tcpdiag_finding_active, as /api/v1/findings has them. The label evidence "
     "is the name of one, such as ListenOverflows, and what says what is counted and whether it is a present "
     "value or one of the last seconds or minutes, such as connections now or events recently; for the limit "
     "that bites it is as limit. Series exist only while their finding does.",
     fill::finding_evidence},
    {"Findings", "tcpdiag_finding_opened_last_hour", kGauge, kFindingSubject, "the diagnosis",
     "Times that a finding appeared on this subject within the last hour, where that is more than once. "
     "Those that another finding explains do not count, nor does anything before the daemon started, or "
     "before the latest 256 resolved incidents.",
     fill::findings_that_return},
    {"Findings", "tcpdiag_findings_opened_total", kCounter, kFinding, "the diagnosis",
     "Times that a finding appeared since the daemon started, on any subject.", fill::findings_opened},
    {"Findings", "tcpdiag_finding_unknown", kGauge, kFinding, "the diagnosis",
     "1 while the daemon cannot tell whether there is such a finding, in at least one namespace or for some "
     "processes: a source is missing, and no finding does not mean that all is well. 0 while it can.",
     fill::finding_unknown},

    {"The daemon", "tcpdiag_collector_success", kGauge, kCollector, "the daemon",
     "1 when the collector's latest run produced a value, 0 when it failed or has not run yet. The label "
     "netns is empty for collectors of the whole machine.",
     fill::each_run<run_success>},
    {"The daemon", "tcpdiag_collector_duration_seconds", kGauge, kCollector, "the daemon",
     "How long the collector's latest run took.", fill::each_run<run_duration>},
    {"The daemon", "tcpdiag_collector_cpu_seconds", kGauge, kCollector, "the daemon",
     "CPU time of the collector's latest run.", fill::each_run<run_cpu>},
    {"The daemon", "tcpdiag_collector_period_seconds", kGauge, kCollector, "the daemon",
     "Time between two runs of the collector; the CPU budget stretches it on hosts with many sockets.",
     fill::each_run<run_period>},
    {"The daemon", "tcpdiag_collector_age_seconds", kGauge, kCollector, "the daemon",
     "Time since the collector last succeeded. No sample when it never has.", fill::each_run<run_age>},
    {"The daemon", "tcpdiag_report_timestamp_seconds", kGauge, kNone, "the daemon",
     "Unix time of the report that this page shows. If it stops advancing, the daemon's loop is stuck.",
     report_time},
    {"The daemon", "tcpdiag_loop_late_ticks_total", kCounter, kNone, "the daemon",
     "Ticks of the daemon's loop that came more than 100 ms late: the machine is overloaded and peaks may "
     "have been missed.",
     late_ticks},
    {"The daemon", "tcpdiag_http_connections", kGauge, kNone, "the daemon",
     "Open connections to the daemon's HTTP server.", http<&HttpUsage::connections>},
    {"The daemon", "tcpdiag_http_connections_refused_total", kCounter, kNone, "the daemon",
     "Connections to the daemon that were closed at once because their address already had "
     "max_connections_per_ip, or because all the daemon's connections were busy.",
     http<&HttpUsage::refused>},
    {"The daemon", "tcpdiag_http_connections_dropped_total", kCounter, kNone, "the daemon",
     "Connections to the daemon that were closed because the client took too long to send a request or to "
     "take an answer, or because it had not sent a complete request and another client needed its place.",
     http<&HttpUsage::dropped>},
    {"The daemon", "tcpdiag_http_requests_unauthorized_total", kCounter, kNone, "the daemon",
     "Requests to the daemon with a name and password that are not in the web configuration file.",
     http<&HttpUsage::unauthorized>},
    {"The daemon", "tcpdiag_http_requests_limited_total", kCounter, kNone, "the daemon",
     "Requests to the daemon that were refused because of the rate limit in the web configuration file, or "
     "because too many passwords were waiting to be checked.",
     http<&HttpUsage::limited>},
    {"The daemon", "tcpdiag_web_config_valid", kGauge, kNone, "the daemon",
     "1 when the web configuration file and the certificates it names are in force as they are; 0 when they "
     "were changed and are now broken, so that the previous ones stay in force. Absent without such a file.",
     web_config_valid},
    {"The daemon", "tcpdiag_web_certificate_expiry_timestamp_seconds", kGauge, kNone,
     "the web configuration file",
     "When the first of the certificates that the daemon presents to its clients expires, in seconds since "
     "1970; from then on, clients that verify it fail. Absent without TLS.",
     web_certificate_expiry},
    {"The daemon", "tcpdiag_web_info", kGauge, kWebInfo, "the daemon",
     "Always 1; for links to the daemon's page. The label external_url is web_external_url of its "
     "configuration with a slash at the end, or empty if that is not set; scheme is https with TLS, else "
     "http.",
     web_info},
    {"The daemon", "tcpdiag_build_info", kGauge, kVersion, "the daemon",
     "Always 1; the label is the daemon's version.", build_info},
    {"The daemon", "process_cpu_seconds_total", kCounter, kNone, "/proc/self/stat",
     "CPU time that the daemon has used.", fill::machine<&Snapshot::self, &SelfUsage::cpu_seconds>},
    {"The daemon", "process_start_time_seconds", kGauge, kNone, "/proc/self/stat",
     "Unix time at which the daemon started.",
     fill::machine<&Snapshot::self, &SelfUsage::start_time_seconds>},
    {"The daemon", "process_resident_memory_bytes", kGauge, kNone, "/proc/self/stat",
     "Resident memory of the daemon.", fill::machine<&Snapshot::self, &SelfUsage::resident_bytes>},
    {"The daemon", "process_virtual_memory_bytes", kGauge, kNone, "/proc/self/stat",
     "Virtual memory of the daemon.", fill::machine<&Snapshot::self, &SelfUsage::virtual_bytes>},
    {"The daemon", "process_open_fds", kGauge, kNone, "/proc/self/fd", "Open file descriptors of the daemon.",
     fill::machine<&Snapshot::self, &SelfUsage::open_fds>},
    {"The daemon", "process_max_fds", kGauge, kNone, "/proc/self/limits",
     "Limit of open file descriptors of the daemon.", fill::machine<&Snapshot::self, &SelfUsage::max_fds>},
    {"The daemon", "process_threads", kGauge, kNone, "/proc/self/stat", "Threads of the daemon.",
     fill::machine<&Snapshot::self, &SelfUsage::threads>},
    {"The daemon", "tcpdiag_samples_cut", kGauge, kMetric, "the daemon",
     "Samples that this page leaves out of a metric because there are more than its limit. Shown for metrics "
     "with several labels, and for any other that was cut.",
     fill::samples_cut},
};

std::string metric_name(const TcpCounterSpec& counter) {
  const bool is_time = counter.unit == CounterUnit::milliseconds;
  const bool is_tcp = !counter.name.starts_with("ip_") && !counter.name.starts_with("icmp_");
  return (is_tcp ? "tcpdiag_tcp_" : "tcpdiag_") + std::string(counter.name) + (is_time ? "_seconds" : "") +
         "_total";
}

struct Catalog {
  std::deque<std::string> names;  // of the counters
  std::vector<MetricSpec> specs;

  Catalog() {
    for (const auto& counter : tcp_counter_table())
      specs.push_back({.group = "TCP counters",
                       .name = names.emplace_back(metric_name(counter)),
                       .type = kCounter,
                       .labels = kNetns,
                       .source = counter.kernel_name,
                       .help = counter.help,
                       .tcp_counter = &counter});
    specs.insert(specs.end(), std::begin(kCatalog), std::end(kCatalog));
  }
};

}  // namespace

std::span<const MetricSpec> metric_catalog() {
  static const Catalog kAll;
  return kAll.specs;
}

std::string_view to_string(MetricType type) {
  switch (type) {
    case MetricType::counter: return "counter";
    case MetricType::gauge: return "gauge";
    case MetricType::histogram: return "histogram";
  }
  return {};
}

std::string help_text(const MetricSpec& spec) {
  return std::string(spec.help).append(" Source: ").append(spec.source).append(".");
}

void collect_samples(const Report& report, Samples& samples) {
  for (const auto& spec : metric_catalog()) {
    samples.begin(spec);
    if (spec.tcp_counter != nullptr)
      fill::each_netns(report, samples, *spec.tcp_counter);
    else
      spec.fill(report, samples);
  }
}

}  // namespace tcpdiag
