// SPDX-License-Identifier: Apache-2.0
#include "tests/sample_report.h"

#include <arpa/inet.h>

#include <string>

#include "core/facts/connections.h"
#include "core/facts/conntrack.h"
#include "core/facts/file_handles.h"
#include "core/facts/host_config.h"
#include "core/facts/kernel_log.h"
#include "core/facts/memory_info.h"
#include "core/facts/netns_list.h"
#include "core/facts/processes.h"
#include "core/facts/self_usage.h"
#include "core/facts/settings.h"
#include "core/facts/socket_usage.h"
#include "core/facts/softnet.h"
#include "core/facts/tcp_counters.h"

using namespace std::chrono_literals;

namespace tcpdiag {
namespace {

constexpr TimePoint kNow{std::chrono::seconds{10'000}};

template <class T>
Section<T> known(T value, TimePoint at = kNow) {
  return {std::make_shared<const T>(std::move(value)), at};
}

template <class T>
Section<T> unknown(Errc code, std::string detail) {
  return {unexpected(code, std::move(detail)), kNow};
}

IpAddress address(const char* text) {
  IpAddress parsed{.v6 = std::string_view(text).find(':') != std::string_view::npos};
  inet_pton(parsed.v6 ? AF_INET6 : AF_INET, text, parsed.bytes.data());
  return parsed;
}

PortConnections port(std::uint16_t number, std::uint32_t established, std::uint32_t close_wait,
                     std::uint32_t unaccepted) {
  PortConnections connections{.port = number, .unaccepted = unaccepted};
  connections.by_state[static_cast<std::size_t>(TcpState::established)] = established;
  connections.by_state[static_cast<std::size_t>(TcpState::close_wait)] = close_wait;
  return connections;
}

Listeners sample_listeners() {
  auto http = sample_listener("0.0.0.0", 80, 129, 128, 1001);
  http.sockets.push_back({.cookie = 8, .inode = 1002, .queue_length = 3, .queue_limit = 128, .drops = 0});
  http.peak_length = 129;
  http.drops = 40;
  http.fill.samples = {90, 0, 3, 2, 1, 1, 0, 3};
  http.fill.sum = 6.25;
  return {.listeners = {sample_listener("::", 22, 0, 128, 1000), std::move(http)}, .cut = 0};
}

Connections sample_connections() {
  Connections connections;
  connections.server = {port(22, 1, 0, 0), port(80, 200, 12, 132)};
  connections.client = {port(443, 5, 2, 0)};
  connections.client_other.by_state[static_cast<std::size_t>(TcpState::time_wait)] = 7;
  connections.half_open = {{{address("0.0.0.0"), 80}, 9, address("10.0.0.7")}, {{address("::"), 22}, 0}};
  connections.close_wait = {{.port = 80, .server = true, .cookie = 1, .inode = 7, .first_seen = kNow - 90s},
                            {.port = 80, .server = true, .cookie = 2, .inode = 8, .first_seen = kNow - 60s},
                            {.port = 443, .cookie = 3, .inode = 9, .first_seen = kNow - 1500ms},
                            {.port = 5432, .cookie = 4, .inode = 9, .first_seen = kNow}};
  connections.destinations = {{address("10.0.0.1"), address("10.0.0.9"), 443, 5, 2, 1}};
  connections.unanswered = {{address("10.0.0.1"), address("10.0.0.8"), 5432, 2}};
  connections.ephemeral_ports_used = 90;
  connections.ephemeral_connections = 96;
  connections.server.back().unaccepted_left = 4;
  connections.server.back().fin_wait2_orphaned = 1;
  connections.server.back().accepted = 68;
  connections.server.back().unread = 60;
  connections.unread = {{.address = address("10.0.0.1"),
                         .port = 80,
                         .standing = 58,
                         .not_read = 57,
                         .accepted = 68,
                         .served = 3,
                         .longest = 41s},
                        {.address = address("10.0.0.1"), .port = 22, .standing = 11}};
  connections.silent_peers = {{.address = address("10.0.0.9"),
                               .port = 443,
                               .connections = 4,
                               .standing = 3,
                               .retransmits = 20,
                               .longest = 12s}};
  connections.sockets = 229;
  return connections;
}

Settings sample_settings() {
  return {.sysctls = {{"net.core.somaxconn", {4096}, "4096"},
                      {"net.ipv4.ip_local_port_range", {32768, 60999}, "32768\t60999"},
                      {"net.ipv4.ip_local_reserved_ports", {13}, "8080,40000-40011"},
                      {"net.ipv4.tcp_rmem", {4096, 131072, 6291456}, "4096\t131072\t6291456"},
                      {"net.ipv4.tcp_congestion_control", {}, "cubic"}},
          .unread = {}};
}

Processes sample_processes() {
  return {.processes = {{.pid = 1,
                         .start_ticks = 1,
                         .comm = "systemd",
                         .owner = system_unit("init.scope"),
                         .open_fds = 90,
                         .soft_limit = 1048576,
                         .hard_limit = 1048576,
                         .listener_inodes = {1000}},
                        {.pid = 700,
                         .start_ticks = 50,
                         .comm = "sshd",
                         .owner = system_unit("ssh.service"),
                         .open_fds = 5,
                         .soft_limit = 1024,
                         .hard_limit = 524288,
                         .listener_inodes = {1000}},
                        {.pid = 800,
                         .start_ticks = 60,
                         .comm = "nginx",
                         .owner = system_unit("nginx.service"),
                         .open_fds = 20,
                         .soft_limit = 1024,
                         .hard_limit = 524288,
                         .listener_inodes = {1001, 1002},
                         .close_wait_inodes = {7, 8},
                         .closed_sockets = 0,
                         .state = 'S',
                         .wait_channel = "ep_poll"},
                        {.pid = 801,
                         .start_ticks = 61,
                         .comm = "nginx",
                         .owner = system_unit("nginx.service"),
                         .open_fds = 1000,
                         .soft_limit = 1024,
                         .hard_limit = 524288,
                         .listener_inodes = {1001}}},
          .total = 120,
          .unreadable = 0};
}

HostConfig sample_config() {
  return {
      .sysctls = {{"/etc/sysctl.d/50-web.conf", 3, "net.core.somaxconn", "4096", true},
                  {"/etc/sysctl.d/50-web.conf", 4, "net.ipv4.tcp_tw_recycle", "1", false},
                  {"/etc/sysctl.conf", 12, "net.ipv4.conf.*.rp_filter", "2", std::nullopt}},
      .file_limits = {{"nginx.service", "/etc/systemd/system/nginx.service.d/limits.conf", 2, "65536"}},
      .default_file_limit = UnitFileLimit{{}, "/etc/systemd/system.conf", 41, "1024:524288"},
      .login_limits = {{"*", "soft", "/etc/security/limits.conf", 60, "4096"}},
      .ignored =
          {{"/etc/sysctl.d/50-web.conf", 5, "net.core.rmem_max: 16777216", {}, IgnoredBecause::no_assignment},
           {"/etc/systemd/system/nginx.service", 9, "64k", "nginx.service", IgnoredBecause::no_limit}},
      .systemd = true,
      .cut = 0,
      .unread_sysctls = {{Errc::denied, "/etc/sysctl.d/90-secret.conf: Permission denied"}}};
}

NetnsList sample_namespaces() {
  return {.namespaces = {{.inode = 4026531840,
                          .anchor_pid = 1,
                          .anchor_start_ticks = 3,
                          .processes = 120,
                          .name = "host",
                          .kind = NetnsKind::host},
                         {.inode = 4026532281,
                          .generation = 4,
                          .anchor_pid = 4711,
                          .anchor_start_ticks = 5300,
                          .processes = 5,
                          .mount = "/run/docker/netns/3f1c0a9b2d4e",
                          .name = "blue",
                          .kind = NetnsKind::docker,
                          .runtime = "docker",
                          .container = "7eb263389e5e",
                          .image = "nginx:1.27",
                          .compose_project = "shop",
                          .compose_service = "blue",
                          .state = NetnsState::watched},
                         {.inode = 4026532377,
                          .generation = 5,
                          .anchor_pid = 5120,
                          .anchor_start_ticks = 7800,
                          .processes = 3,
                          .name = "payments/checkout-7d9f",
                          .kind = NetnsKind::kubernetes,
                          .runtime = "cri-containerd",
                          .container = "0c1d2e3f4a5b",
                          .pod = "checkout-7d9f",
                          .pod_namespace = "payments",
                          .state = NetnsState::denied}},
          .cut = 0,
          .unreadable = 1,
          .published = {{sample_listener("0.0.0.0", 8080, 0, 0, 0).endpoint.address, 8080,
                         sample_listener("172.17.0.2", 80, 0, 0, 0).endpoint.address, 80}}};
}

KernelLog sample_kernel_log() {
  KernelLog log;
  log.counts[static_cast<std::size_t>(KernelEventKind::syn_flood)] = 1;
  log.syn_floods = {{"0.0.0.0", 80, 1}};
  log.recent = {{.sequence = 812,
                 .at = kNow - 3s,
                 .text = "TCP: request_sock_TCP: Possible SYN flooding on port 0.0.0.0:80. Sending cookies.",
                 .address = "0.0.0.0",
                 .port = 80,
                 .cookies = true}};
  log.next_sequence = 813;
  return log;
}

constexpr std::chrono::system_clock::time_point kWallNow{1'767'323'045'678ms};  // 2026-01-02T03:04:05.678Z

Moment ago(std::chrono::milliseconds time) { return {kNow - time, kWallNow - time}; }

Finding stalled_finding() {
  return {.id = "accept-queue-app-stalled",
          .title = "The application does not accept",
          .severity = Severity::critical,
          .netns = "host",
          .subject = {.kind = SubjectKind::listener,
                      .address = "0.0.0.0",
                      .port = 80,
                      .process = "nginx",
                      .pid = 800,
                      .owner = system_unit("nginx.service")},
          .summary =
              "nginx[800] has accepted nobody for 43 s: 129 connections wait in the accept queue of "
              "0.0.0.0:80, which is full, and 392 more were turned away in 30 s.",
          .evidence = {{"ListenOverflows", 392, "events", 30s},
                       {"accept queue length", 129, "connections", {}},
                       {"queue / limit", 0.9921875, "", {}}},
          .bites = Bites{"listen backlog", 128, "net.core.somaxconn", 4096},
          .advice = {{"See what nginx[800] waits for.", "cat /proc/800/stack",
                      "Names the kernel function in which it sleeps.", ""},
                     {"Start it anew when it does not recover.", "systemctl restart nginx.service",
                      "Its queue is emptied.", "Connections that it serves are cut."}},
          .not_helping = {"A larger backlog: whoever does not accept fills any queue."},
          .consequences = {"accept-queue-full"}};
}

Finding ports_finding() {
  return {.id = "ephemeral-ports-low",
          .title = "Ephemeral ports are getting few",
          .severity = Severity::warning,
          .netns = "blue",
          .subject = {.kind = SubjectKind::destination, .address = "2001:db8::9", .port = 5432},
          .summary = "23 100 of 28 232 ephemeral ports are taken for [2001:db8::9]:5432.",
          .evidence = {{"local ports in use", 23100, "ports", {}}},
          .bites = Bites{"net.ipv4.ip_local_port_range", 28232, "", {}},
          .advice = {{"Reuse connections.", "", "", ""}}};
}

Finding sysctl_finding() {
  return {.id = "sysctl-somaxconn-low",
          .title = "net.core.somaxconn is low",
          .severity = Severity::info,
          .subject = {.kind = SubjectKind::setting, .name = "net.core.somaxconn"},
          .summary = "net.core.somaxconn is 128, below the kernel's own default of 4096.",
          .evidence = {{"net.core.somaxconn", 128, "", {}}}};
}

// Worst first, then what is over.
std::vector<Incident> sample_incidents() {
  auto busy = stalled_finding();
  busy.id = "syn-queue-overflow";
  busy.severity = Severity::warning;
  busy.summary = "A burst of real clients.";
  auto over = ports_finding();
  over.summary = "22 600 of 28 232 ephemeral ports were taken.";
  return {
      {.finding = stalled_finding(), .opened = ago(43s), .seen = ago(0s)},
      {.finding = ports_finding(), .opened = ago(2h), .seen = ago(5s), .blind = true},
      {.finding = sysctl_finding(), .opened = ago(3h), .seen = ago(0s)},
      {.finding = busy,
       .opened = ago(90s),
       .seen = ago(43s),
       .closed = ago(43s),
       .closed_by = stalled_finding().id},
      {.finding = over, .opened = ago(50min), .seen = ago(40min), .closed = ago(40min)},
      {.finding = over, .opened = ago(59min), .seen = ago(55min), .closed = ago(55min)},
      {.finding = over, .opened = ago(4h), .seen = ago(3h), .closed = ago(3h)},
  };
}

std::vector<RuleState> sample_rules() {
  return {{.id = "accept-queue-app-stalled", .severity = Severity::critical, .opened = 1},
          {.id = "syn-queue-overflow", .severity = Severity::warning, .opened = 7},
          {.id = "ephemeral-ports-low",
           .severity = Severity::warning,
           .opened = 2,
           .unknown = {{"ephemeral-ports-low", "blue", "connections: not read yet, or switched off", false,
                        Errc::not_read, "connections"}}},
          {.id = "neighbour-table-overflow",
           .severity = Severity::warning,
           .unknown = {{"neighbour-table-overflow", "", "/dev/kmsg: Operation not permitted", false,
                        Errc::denied, "kernel_log"}}},
          {.id = "conntrack-full",
           .severity = Severity::critical,
           .unknown = {{"conntrack-full", "host", "/dev/kmsg: Operation not permitted"},
                       {"conntrack-full", "blue", "/dev/kmsg: Operation not permitted"}}},
          {.id = "sysctl-somaxconn-low", .severity = Severity::info, .opened = 1}};
}

std::vector<CollectorRun> sample_runs() {
  const auto run = [](const char* name, const char* netns, std::chrono::milliseconds period) {
    return CollectorRun{.collector = name,
                        .netns = netns,
                        .outcome = {},
                        .duration = 120us,
                        .cpu = 80us,
                        .period = period,
                        .finished_at = kNow,
                        .succeeded_at = kNow - 250ms};
  };
  auto denied = run("listeners", "blue", 100ms);
  denied.outcome = unexpected(Errc::denied, "sock_diag: Operation not permitted");
  denied.succeeded_at.reset();
  return {run("netstat", "host", 1s), run("listeners", "host", 100ms), run("kernel_log", "", 1s), denied};
}

}  // namespace

Listener sample_listener(const char* at, std::uint16_t number, std::uint32_t queue_length,
                         std::uint32_t queue_limit, std::uint32_t inode) {
  Listener listener;
  listener.endpoint = {address(at), number};
  if (listener.endpoint.address.v6) listener.v6_only = false;
  listener.sockets = {{.cookie = 7,
                       .inode = inode,
                       .uid = 33,
                       .queue_length = queue_length,
                       .queue_limit = queue_limit,
                       .drops = 40}};
  listener.drops = 0;
  listener.fill.samples[0] = 100;
  return listener;
}

Report sample_report() {
  Report report;
  report.at = kNow;
  report.wall_at = kWallNow;
  report.judged_since = kNow - 24h;
  report.rules = sample_rules();
  report.incidents = sample_incidents();
  report.ticks_late = 2;
  report.http = HttpUsage{.connections = 3,
                          .refused = 5,
                          .dropped = 4,
                          .unauthorized = 2,
                          .limited = 1,
                          .certificate_expires = std::chrono::sys_days(std::chrono::year{2027} / 6 / 1),
                          .web_config_valid = true,
                          .external_url = "https://web1.example.com/tcpdiag/"};
  report.runs = sample_runs();

  NetnsView host{.name = "host"};
  host.tcp = known(TcpCounters{
      .active_opens = 13, .listen_overflows = 392, .listen_drops = 400, .memory_pressures_chrono = 1500});
  host.sockets = known(SocketUsage{.tcp_in_use = 9,
                                   .tcp6_in_use = 4,
                                   .time_wait = 7,
                                   .orphans = 0,
                                   .allocated = 15,
                                   .memory_bytes = 8192});
  host.listeners = known(sample_listeners());
  host.connections = known(sample_connections());
  host.settings = known(sample_settings());
  host.conntrack = known(Conntrack{.entries = 250, .limit = 262144, .drops = 0, .insert_failed = 1});

  NetnsView blue{.id = NetnsId(1), .generation = 4, .name = "blue"};
  blue.tcp = known(TcpCounters{.active_opens = 1});
  blue.listeners = unknown<Listeners>(Errc::denied, "sock_diag: Operation not permitted");

  auto& snapshot = report.snapshot;
  snapshot.at = kNow;
  snapshot.files = known(FileHandles{.open = 3000, .max = 9223372036854775807});
  snapshot.processes = known(sample_processes());
  snapshot.memory = known(MemoryInfo{.total_bytes = 8ULL << 30, .available_bytes = 5ULL << 30});
  snapshot.config = known(sample_config());
  snapshot.softnet = known(Softnet{{{0, 1'000'000, 0, 12}, {1, 900'000, 4, 0}}});
  snapshot.kernel_log = known(sample_kernel_log());
  snapshot.self = known(SelfUsage{.cpu_seconds = 1.25,
                                  .start_time_seconds = 1767320000.5,
                                  .resident_bytes = 9 << 20,
                                  .virtual_bytes = 90 << 20,
                                  .open_fds = 17,
                                  .max_fds = 1024,
                                  .threads = 5});
  snapshot.netns_list = known(sample_namespaces());
  snapshot.namespaces = {std::move(host), std::move(blue)};
  return report;
}

Report report_of_errors() {
  Report report;
  report.at = kNow;
  report.wall_at = std::chrono::system_clock::time_point{1'767'323'045s};
  const auto denied = unexpected(Errc::denied, "/proc: Permission denied");
  report.runs = {{.collector = "netstat", .netns = "host", .outcome = denied, .period = 1s},
                 {.collector = "softnet", .period = 1s}};
  report.snapshot.softnet = unknown<Softnet>(Errc::missing, "/proc/net/softnet_stat: No such file");
  NetnsView host{.name = "host"};
  host.tcp = unknown<TcpCounters>(Errc::denied, "/proc/net/snmp: Permission denied");
  report.snapshot.namespaces = {std::move(host)};
  return report;
}

Report hostile_report() {
  auto report = sample_report();
  constexpr auto kHostile = "a\"b\\c\nd}\xff\xc0\xaf<script>alert('x')</script>\x1b[31m";
  auto processes = sample_processes();
  for (auto& process : processes.processes) process.comm = kHostile;
  processes.processes[0].owner = system_unit("\xed\xa0\x80");
  processes.processes[1].owner = system_unit("caf\xc3\xa9");
  report.snapshot.processes = known(std::move(processes));
  auto log = sample_kernel_log();
  log.recent[0].text = kHostile;
  report.snapshot.kernel_log = known(std::move(log));
  report.snapshot.namespaces[1].name = kHostile;
  report.snapshot.namespaces[1].listeners = unknown<Listeners>(Errc::denied, kHostile);
  report.runs[3].netns = kHostile;
  report.runs[3].outcome = unexpected(Errc::denied, kHostile);
  auto& finding = report.incidents[0].finding;
  finding.netns = finding.summary = finding.subject.process = kHostile;
  finding.subject.owner = named_owner(OwnerKind::other, kHostile);
  finding.evidence[0].name = finding.evidence[0].unit = finding.bites->limit = kHostile;
  finding.advice[0] = {kHostile, kHostile, kHostile, kHostile};
  finding.not_helping[0] = finding.consequences[0] = kHostile;
  report.rules[3].unknown[0].netns = report.rules[3].unknown[0].why = kHostile;
  return report;
}

Report large_report() {
  auto report = sample_report();
  Listeners listeners;
  Connections connections;
  for (std::uint16_t i = 0; i < 70; ++i) {
    const auto number = static_cast<std::uint16_t>(8000 + i);
    listeners.listeners.push_back(sample_listener("192.168.100.100", number, i, 128, 1000U + i));
    connections.server.push_back(port(number, 100U + i, i, i));
    connections.half_open.push_back({listeners.listeners.back().endpoint, i});
  }
  report.snapshot.namespaces[0].listeners = known(std::move(listeners));
  report.snapshot.namespaces[0].connections = known(std::move(connections));
  return report;
}

}  // namespace tcpdiag
