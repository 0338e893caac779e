// SPDX-License-Identifier: Apache-2.0
#include "tests/random_machine.h"

#include <algorithm>
#include <memory>
#include <tuple>

#include "collectors/catalog.h"
#include "collectors/netstat.h"
#include "core/facts/conntrack.h"
#include "core/facts/file_handles.h"
#include "core/facts/host_config.h"
#include "core/facts/interfaces.h"
#include "core/facts/kernel_log.h"
#include "core/facts/listeners.h"
#include "core/facts/memory_info.h"
#include "core/facts/processes.h"
#include "core/facts/self_usage.h"
#include "core/facts/settings.h"
#include "core/facts/socket_usage.h"
#include "core/facts/softnet.h"
#include "core/sysctls.h"

namespace tcpdiag {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

constexpr std::array kNames =
    std::to_array<std::string_view>({"nginx",
                                     "gunicorn",
                                     "haproxy",
                                     "redis-server",
                                     "java",
                                     "x.service",
                                     "docker-0123456789abcdef.scope",
                                     "",
                                     "x;touch PWNED;.service",
                                     "$(touch PWNED).service",
                                     "`touch PWNED`",
                                     "'; touch PWNED; '",
                                     "--help.service",
                                     "a\nb",
                                     "\x1b[2J\x1b[31m",
                                     "\r\b\x7f\x01",
                                     "\0x"sv,
                                     "\xc2\x9b"
                                     "31m",
                                     "gpj.\xe2\x80\xae"
                                     "exe",
                                     "\xe2\x81\xa6\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf\xe2\x80\x8b",
                                     "\xff\xfe\xc0\xaf\xed\xa0\x80",
                                     "\xef\xbf\xbf\xef\xb7\x90\xf4\x8f\xbf\xbf",
                                     "\xf0\x9f\x98\x80 caf\xc3\xa9",
                                     "</td><script>alert(1)</script>&amp;",
                                     "\"\\\"}\n# HELP x",
                                     "{process} [a|b] \\",
                                     "%s%n",
                                     "-1",
                                     "kworker/u16:2"});

constexpr std::array<std::uint16_t, 8> kPorts = {80, 443, 5000, 6379, 0, 1, 32768, 65535};

std::uint32_t small_or_any(Choices& choices) {
  return choices.one_in(3) ? choices.number_as<std::uint32_t>()
                           : static_cast<std::uint32_t>(choices.below(200));
}

Error random_error(Choices& choices) {
  constexpr std::array kCodes = {Errc::not_read,  Errc::missing,   Errc::no_netns,  Errc::denied,
                                 Errc::malformed, Errc::too_large, Errc::timed_out, Errc::failed};
  return {choices.of(kCodes), "/proc/" + random_name(choices) + ": " + random_name(choices)};
}

IpAddress random_address(Choices& choices) {
  IpAddress address;
  address.v6 = choices.one_in(3);
  if (!choices.one_in(3)) return address;
  for (std::size_t i = 0; i < (address.v6 ? 16 : 4); ++i)
    address.bytes[i] = static_cast<std::uint8_t>(choices.below(256));
  return address;
}

Endpoint random_endpoint(Choices& choices) {
  return {random_address(choices), choices.of(kPorts), choices.one_in(8) ? small_or_any(choices) : 0};
}

/// Rises by little or by much; seldom it falls, as when its namespace is a new one.
void count_on(Choices& choices, Count& counter) {
  if (choices.one_in(64)) {
    counter = choices.one_in(2) ? Count(choices.number()) : std::nullopt;
  } else if (counter && choices.one_in(2)) {
    *counter += choices.one_in(24) ? choices.number() : choices.below(2000);
  }
}

TcpCounters advance(Choices& choices, const TcpCounters* before) {
  TcpCounters counters;
  if (before != nullptr) counters = *before;
  for (const auto& field : tcp_counter_table()) {
    auto& counter = counters.*field.member;
    if (before == nullptr)
      counter = choices.one_in(16) ? std::nullopt : Count(choices.one_in(8) ? choices.number() : 0);
    else
      count_on(choices, counter);
  }
  return counters;
}

SocketUsage random_usage(Choices& choices) {
  SocketUsage usage;
  for (auto member : {&SocketUsage::tcp_in_use, &SocketUsage::tcp6_in_use, &SocketUsage::time_wait,
                      &SocketUsage::orphans, &SocketUsage::allocated, &SocketUsage::memory_bytes})
    if (!choices.one_in(8)) usage.*member = choices.number();
  if (usage.memory_bytes)
    usage.page_bytes = choices.one_in(2) ? 4096 : std::max<std::uint64_t>(choices.number(), 1);
  return usage;
}

std::vector<ListenerSocket> random_sockets(Choices& choices) {
  std::vector<ListenerSocket> sockets(1 + (choices.one_in(4) ? choices.below(4) : 0));
  std::uint64_t cookie = choices.below(50);
  for (auto& socket : sockets) {
    socket = {.cookie = cookie += 1 + choices.below(4),
              .inode = static_cast<std::uint32_t>(choices.below(64)),
              .uid = choices.number_as<std::uint32_t>(),
              .queue_length = small_or_any(choices),
              .queue_limit = small_or_any(choices)};
    if (choices.one_in(2)) socket.queue_length = socket.queue_limit + 1;
    if (!choices.one_in(4)) socket.drops = choices.number_as<std::uint32_t>();
  }
  return sockets;
}

/// Ten looks at the queue as it is.
void look(Choices& choices, Listener& listener, TimePoint now) {
  const auto ratio = fill_ratio(listener.fullest());
  const auto* const bound = std::ranges::lower_bound(FillHistogram::kUpperBounds, ratio);
  constexpr std::uint64_t kLooks = 10;
  listener.fill.samples.at(static_cast<std::size_t>(bound - FillHistogram::kUpperBounds.begin())) += kLooks;
  listener.fill.sum += ratio * kLooks;
  listener.peak_length = std::max(listener.peak_length, listener.fullest().queue_length);
  const auto go_on = [&](std::optional<QueueRun>& run, bool holds) {
    const bool goes_on = run && choices.below(8) != 0;
    if (holds) run = QueueRun{goes_on ? run->since : now - std::chrono::seconds(1 + choices.below(30)), now};
  };
  go_on(listener.full, is_full(listener.fullest()));
  go_on(listener.standing, listener.fullest().queue_length != 0);
  go_on(listener.still, listener.fullest().queue_length != 0);
}

Listener random_listener(Choices& choices) {
  Listener listener{.endpoint = random_endpoint(choices), .sockets = random_sockets(choices)};
  listener.peak_length = std::max(listener.fullest().queue_length, small_or_any(choices));
  if (listener.endpoint.address.v6) listener.v6_only = choices.one_in(2);
  if (choices.one_in(2)) listener.somaxconn_when_seen = choices.number();
  if (choices.one_in(2)) listener.drops = choices.number();
  for (auto& samples : listener.fill.samples) samples = choices.below(1000);
  listener.fill.sum = static_cast<double>(choices.below(1000)) / 3;
  return listener;
}

// Most of them stay what they were, so that there is something that lasts.
Listeners advance(Choices& choices, const Listeners* before, TimePoint now) {
  Listeners listeners;
  if (before != nullptr) listeners = *before;
  auto& all = listeners.listeners;
  for (auto& listener : all) {
    for (auto& socket : listener.sockets) {
      if (choices.one_in(4)) socket.queue_length = small_or_any(choices);
      if (socket.drops && choices.one_in(2)) *socket.drops += static_cast<std::uint32_t>(choices.below(500));
    }
    count_on(choices, listener.drops);
  }
  if (before == nullptr || choices.one_in(8))
    for (auto count = choices.below(6); count != 0; --count) all.push_back(random_listener(choices));
  const auto key = [](const Listener& listener) {
    return std::tie(listener.endpoint.port, listener.endpoint);
  };
  std::ranges::stable_sort(all, [&](const auto& a, const auto& b) { return key(a) < key(b); });
  all.erase(
      std::unique(all.begin(), all.end(), [&](const auto& a, const auto& b) { return key(a) == key(b); }),
      all.end());
  for (auto& listener : all) look(choices, listener, now);
  if (choices.one_in(16))
    listeners.cut = listeners.waited_on_cut = choices.below(65536);  // counted here, not by the kernel
  return listeners;
}

PortConnections random_port(Choices& choices, std::uint16_t port) {
  PortConnections connections{.port = port};
  for (auto& count : connections.by_state) count = choices.one_in(4) ? small_or_any(choices) : 0;
  connections.unaccepted = choices.one_in(3) ? small_or_any(choices) : 0;
  if (choices.one_in(2)) connections.unaccepted_left = choices.one_in(2) ? 0 : choices.number();
  connections.fin_wait2_orphaned = choices.one_in(4) ? small_or_any(choices) : 0;
  connections.unwatched = choices.one_in(4) ? small_or_any(choices) : 0;
  connections.accepted = choices.one_in(2) ? small_or_any(choices) : 0;
  connections.unread = choices.one_in(2) ? small_or_any(choices) : 0;
  if (choices.one_in(3)) connections.unaccepted_longest = std::chrono::milliseconds(small_or_any(choices));
  return connections;
}

std::vector<PortConnections> random_ports(Choices& choices) {
  auto ports = kPorts;
  std::ranges::sort(ports);
  std::vector<PortConnections> all;
  for (const auto port : ports)
    if (choices.one_in(3)) all.push_back(random_port(choices, port));
  return all;
}

std::vector<Destination> random_destinations(Choices& choices) {
  std::vector<Destination> all(choices.below(4));
  for (auto& destination : all)
    destination = {random_address(choices), random_address(choices), choices.of(kPorts),
                   choices.one_in(3) ? 28'000U : small_or_any(choices)};
  for (auto& destination : all)
    for (auto member : {&Destination::time_wait, &Destination::fin_wait2_orphaned, &Destination::close_wait})
      if (choices.one_in(3))
        destination.*member = choices.one_in(2) ? destination.local_ports : small_or_any(choices);
  std::ranges::stable_sort(all, std::greater<>(), &Destination::local_ports);
  return all;
}

std::vector<CloseWait> random_close_waits(Choices& choices, const Connections* before, TimePoint now) {
  std::vector<CloseWait> all;
  if (before != nullptr && !choices.one_in(6)) all = before->close_wait;
  const auto more = choices.one_in(4) ? choices.below(40) : 0;
  for (std::size_t i = 0; i < more; ++i)
    all.push_back({.port = choices.of(kPorts),
                   .server = choices.one_in(2),
                   .cookie = choices.number(),
                   .inode = static_cast<std::uint32_t>(choices.below(64)),
                   .uid = choices.number_as<std::uint32_t>(),
                   .first_seen = now - std::chrono::seconds(choices.below(30)),
                   .sent_at = choices.one_in(4) ? now : TimePoint()});
  std::ranges::stable_sort(all, {}, &CloseWait::first_seen);
  return all;
}

std::vector<UnreadConnections> random_unread(Choices& choices) {
  std::vector<UnreadConnections> all(choices.below(3));
  for (auto& each : all) {
    each = {.address = random_address(choices),
            .port = choices.of(kPorts),
            .uid = small_or_any(choices),
            .standing = small_or_any(choices),
            .accepted = small_or_any(choices),
            .served = small_or_any(choices)};
    if (!choices.one_in(4))
      each.not_read = choices.one_in(2) ? Count(each.standing) : Count(choices.number());
    if (choices.one_in(2)) each.longest = std::chrono::seconds(small_or_any(choices));
  }
  return all;
}

std::vector<SilentPeer> random_silent_peers(Choices& choices) {
  std::vector<SilentPeer> all(choices.below(4));
  for (auto& each : all)
    each = {.server = choices.one_in(3),
            .address = random_address(choices),
            .port = choices.of(kPorts),
            .uid = small_or_any(choices),
            .connections = small_or_any(choices),
            .standing = small_or_any(choices),
            .alive = small_or_any(choices),
            .retransmits = choices.one_in(2) ? choices.below(1000) : choices.number(),
            .longest = std::chrono::seconds(small_or_any(choices))};
  return all;
}

Connections advance(Choices& choices, const Connections* before, TimePoint now) {
  if (before != nullptr && choices.one_in(2)) return *before;
  Connections connections{.server = random_ports(choices),
                          .client = random_ports(choices),
                          .client_other = random_port(choices, 0),
                          .close_wait = random_close_waits(choices, before, now),
                          .destinations = random_destinations(choices),
                          .unanswered = random_destinations(choices),
                          .unread = random_unread(choices),
                          .silent_peers = random_silent_peers(choices)};
  for (auto count = choices.below(4); count != 0; --count)
    connections.half_open.push_back(
        {random_endpoint(choices), small_or_any(choices),
         choices.one_in(2) ? std::optional(random_address(choices)) : std::nullopt});
  for (auto count = choices.below(3); count != 0; --count)
    connections.idle.push_back(
        {choices.of(kPorts), small_or_any(choices), std::chrono::seconds(small_or_any(choices))});
  std::ranges::sort(connections.half_open, {}, &HalfOpen::listener);
  if (choices.one_in(8)) connections.close_wait_cut = choices.number();
  if (choices.one_in(8)) connections.server_cut = choices.number();
  if (choices.one_in(8)) connections.unread_cut = choices.number();
  if (choices.one_in(8)) connections.silent_cut = choices.number();
  connections.destination_undercount = choices.one_in(3) ? small_or_any(choices) : 0;
  connections.ephemeral_ports_used = choices.one_in(3) ? 28'000U : small_or_any(choices);
  connections.ephemeral_connections = choices.one_in(3) ? 28'000U : small_or_any(choices);
  connections.sockets = choices.number();
  return connections;
}

Sysctl random_sysctl(Choices& choices, const SysctlSpec& spec) {
  Sysctl sysctl{.name = spec.name};
  if (spec.form == SysctlForm::word) {
    sysctl.text = random_name(choices);
  } else if (spec.form == SysctlForm::ports) {
    constexpr std::array kLists = {""sv, "8080,9000-9010"sv, "1-65535"sv};
    sysctl.text = choices.of(kLists);
    sysctl.values = {static_cast<std::int64_t>(choices.below(65536))};
  } else {
    for (std::size_t i = 0; i < spec.fields.size(); ++i) {
      sysctl.values.push_back(choices.one_in(2) ? static_cast<std::int64_t>(choices.below(5))
                                                : choices.number_as<std::int64_t>());
      sysctl.text += (i == 0 ? "" : "\t") + std::to_string(sysctl.values.back());
    }
  }
  return sysctl;
}

Settings random_settings(Choices& choices) {
  Settings settings;
  for (const auto& spec : sysctl_table()) {
    if (choices.one_in(12))
      settings.unread.push_back({spec.name, random_error(choices)});
    else if (!choices.one_in(12))
      settings.sysctls.push_back(random_sysctl(choices, spec));
  }
  return settings;
}

Conntrack advance(Choices& choices, const Conntrack* before) {
  Conntrack conntrack;
  if (before != nullptr) conntrack = *before;
  if (before == nullptr || choices.one_in(4)) {
    if (!choices.one_in(6)) conntrack.limit = choices.one_in(2) ? 65536 : choices.number();
    conntrack.entries = choices.one_in(2) ? conntrack.limit : Count(choices.number());
  }
  for (auto member : {&Conntrack::drops, &Conntrack::early_drops, &Conntrack::insert_failed}) {
    if (before == nullptr) conntrack.*member = 0;
    count_on(choices, conntrack.*member);
  }
  return conntrack;
}

Owner random_owner(Choices& choices) {
  Owner owner{.kind = choices.of(values_of(Type<OwnerKind>{})),
              .runtime = choices.one_in(2) ? "docker"s : random_name(choices),
              .name = choices.one_in(2) ? "nginx.service"s : random_name(choices)};
  if (choices.one_in(3)) owner.inner = random_name(choices);
  if (choices.one_in(2)) owner.uid = static_cast<std::uint32_t>(choices.number());
  owner.nested = choices.one_in(4);
  return owner;
}

Process random_process(Choices& choices, std::int32_t pid) {
  Process process{.pid = pid,
                  .start_ticks = choices.number(),
                  .comm = random_name(choices),
                  .owner = random_owner(choices),
                  .state = choices.one_in(2) ? 'S' : static_cast<char>(choices.below(256)),
                  .wait_channel = choices.one_in(2) ? "ep_poll"s : random_name(choices)};
  if (choices.one_in(2)) process.uid = choices.number_as<std::uint32_t>();
  process.elsewhere = choices.one_in(8);
  if (!choices.one_in(6)) process.soft_limit = choices.one_in(2) ? 1024 : choices.number();
  if (!choices.one_in(6)) process.hard_limit = choices.one_in(2) ? 4096 : choices.number();
  process.open_fds = choices.one_in(2) ? process.soft_limit : Count(choices.number());
  for (std::uint32_t inode = 0; inode < 64; ++inode) {
    if (choices.one_in(16)) process.listener_inodes.push_back(inode);
    if (choices.one_in(8)) process.close_wait_inodes.push_back(inode);
  }
  if (choices.one_in(3)) process.closed_sockets = choices.one_in(2) ? choices.below(500) : choices.number();
  return process;
}

Processes advance(Choices& choices, const Processes* before) {
  if (before != nullptr && !choices.one_in(6)) {
    auto processes = *before;
    for (auto& process : processes.processes) {
      if (choices.one_in(4))
        process.open_fds = choices.one_in(2) ? process.soft_limit : Count(choices.number());
      count_on(choices, process.closed_sockets);
    }
    return processes;
  }
  Processes processes{.total = choices.number()};
  std::int32_t pid = 1;
  for (auto count = choices.below(8); count != 0; --count)
    processes.processes.push_back(
        random_process(choices, pid += 1 + static_cast<std::int32_t>(choices.below(60000))));
  for (auto member : {&Processes::unreadable, &Processes::uncounted, &Processes::closed_sockets_denied,
                      &Processes::owners_cut})
    if (choices.one_in(6)) processes.*member = choices.number();
  processes.some_hidden = choices.one_in(8);
  if (choices.one_in(2)) processes.closed_sockets_at_most = choices.number();
  for (std::uint32_t inode = 0; inode < 64; ++inode)
    if (choices.one_in(32)) processes.crowded.push_back({inode, choices.number()});
  if (choices.one_in(8)) {
    processes.fullest_cut = choices.number();
    processes.fullest_cut_ratio = static_cast<double>(choices.below(100)) / 64;
  }
  return processes;
}

HostConfig random_config(Choices& choices) {
  HostConfig config;
  const auto table = sysctl_table();
  for (auto count = choices.below(8); count != 0; --count) {
    SysctlLine line{.file = "/etc/sysctl.d/" + random_name(choices),
                    .line = choices.number_as<std::uint32_t>(),
                    .name = choices.one_in(3) ? random_name(choices)
                                              : std::string(table[choices.below(table.size())].name),
                    .value = choices.one_in(2) ? std::to_string(choices.number()) : random_name(choices)};
    if (choices.one_in(2)) line.exists = choices.one_in(2);
    line.excludes = choices.one_in(8);
    line.at_boot = !choices.one_in(8);
    config.sysctls.push_back(std::move(line));
  }
  for (auto count = choices.below(4); count != 0; --count)
    config.file_limits.push_back(
        {random_name(choices), "/etc/systemd/system/" + random_name(choices),
         choices.number_as<std::uint32_t>(),
         choices.one_in(2) ? std::to_string(choices.number()) : random_name(choices)});
  std::ranges::stable_sort(config.file_limits, {}, &UnitFileLimit::unit);
  if (choices.one_in(4)) config.unread_sysctls.push_back(random_error(choices));
  if (choices.one_in(4)) config.unread.push_back(random_error(choices));
  if (choices.one_in(3))
    config.default_file_limit = UnitFileLimit{"", random_name(choices), 1, std::to_string(choices.number())};
  if (choices.one_in(3))
    config.login_limits.push_back(
        {.domain = random_name(choices), .type = "soft", .value = std::to_string(choices.number())});
  constexpr std::array kBecause = {IgnoredBecause::no_assignment,   IgnoredBecause::no_limit,
                                   IgnoredBecause::soft_above_hard, IgnoredBecause::empty_limit,
                                   IgnoredBecause::wrong_section,   IgnoredBecause::misspelt_limit};
  for (auto count = choices.below(3); count != 0; --count)
    config.ignored.push_back({random_name(choices), choices.number_as<std::uint32_t>(), random_name(choices),
                              random_name(choices), choices.of(kBecause)});
  config.systemd = choices.one_in(2);
  if (choices.one_in(8)) config.cut = choices.number();
  return config;
}

Interfaces random_interfaces(Choices& choices) {
  Interfaces interfaces;
  for (auto count = choices.below(4); count != 0; --count)
    interfaces.addresses.push_back(random_address(choices));
  std::ranges::sort(interfaces.addresses);
  if (choices.one_in(8)) interfaces.addresses_cut = choices.number();
  for (auto count = choices.below(3); count != 0; --count)
    interfaces.filters.push_back(
        {random_name(choices), choices.one_in(2) ? 1 : choices.number_as<std::int64_t>()});
  return interfaces;
}

Softnet advance(Choices& choices, const Softnet* before) {
  Softnet softnet;
  if (before != nullptr) softnet = *before;
  if (before == nullptr)
    for (std::uint32_t cpu = 0; cpu < 1 + choices.below(4); ++cpu) softnet.cpus.push_back({.cpu = cpu});
  for (auto& cpu : softnet.cpus)
    for (auto member : {&SoftnetCpu::processed, &SoftnetCpu::dropped, &SoftnetCpu::time_squeezed})
      cpu.*member += choices.one_in(16) ? choices.number() : choices.below(500);
  return softnet;
}

KernelLog advance(Choices& choices, const KernelLog* before, TimePoint now) {
  KernelLog log;
  if (before != nullptr) log = *before;
  for (auto count = choices.below(3); count != 0; --count) {
    const auto kind = choices.below(kKernelEventKinds);
    KernelEvent event{
        .kind = static_cast<KernelEventKind>(kind),
        .sequence = log.next_sequence++,
        .at = choices.one_in(8) ? TimePoint::max() : now - std::chrono::seconds(choices.below(60)),
        .text = random_name(choices)};
    if (event.kind == KernelEventKind::syn_flood) {
      event.port = choices.of(kPorts);
      event.cookies = choices.one_in(2);
    }
    log.counts.at(kind) += choices.one_in(8) ? choices.number() : 1;
    if (log.recent.size() < KernelLog::kRecent) log.recent.push_back(std::move(event));
  }
  if (choices.one_in(16)) log.lost += choices.number();
  if (choices.one_in(8) && log.syn_floods.empty())
    log.syn_floods.push_back({"0.0.0.0", choices.of(kPorts), choices.number()});
  return log;
}

class Advance {
 public:
  Advance(Choices& choices, TimePoint now) : choices_(choices), now_(now) {}

  /// A section read again by `read(before)`, where it is not left as it is or cannot be read.
  template <class T, class Read>
  void operator()(Section<T>& section, Read read) const {
    if (choices_.one_in(40)) {
      section = {tl::unexpected<Error>(random_error(choices_)), now_};
    } else if (!section.known() || !choices_.one_in(3)) {
      section = {std::make_shared<const T>(read(section.get())), now_};
    }
  }

 private:
  Choices& choices_;
  TimePoint now_;
};

}  // namespace

std::string random_name(Choices& choices) {
  if (choices.one_in(8)) return choices.bytes(64);
  if (choices.one_in(64)) return std::string(300, 'x');
  return std::string(choices.of(kNames));
}

RandomMachine::RandomMachine(Choices& choices) : choices_(choices) {
  snapshot_.at = TimePoint(std::chrono::hours(1));
  snapshot_.namespaces.push_back({.name = kHostNetns});
  for (auto count = choices.below(3); count != 0; --count) add_netns();
}

void RandomMachine::add_netns() {
  ++netns_added_;
  snapshot_.namespaces.push_back(
      {.id = NetnsId(netns_added_), .name = std::to_string(netns_added_) + random_name(choices_)});
}

// Containers come and go.
void RandomMachine::change_namespaces() {
  if (choices_.one_in(16)) add_netns();
  if (snapshot_.namespaces.size() > 1 && choices_.one_in(16))
    snapshot_.namespaces.erase(snapshot_.namespaces.begin() + 1 +
                               static_cast<std::ptrdiff_t>(choices_.below(snapshot_.namespaces.size() - 1)));
}

Snapshot RandomMachine::next() {
  constexpr std::array<std::uint32_t, 6> kSteps = {1000, 1000, 1000, 100, 4000, 60000};
  snapshot_.at += std::chrono::milliseconds(choices_.of(kSteps));
  change_namespaces();
  const auto now = snapshot_.at;
  const Advance advance_section(choices_, now);
  const auto anew = [&](auto make) { return [&, make](const auto*) { return make(choices_); }; };
  const auto on = [&](const auto* before) { return advance(choices_, before); };
  const auto on_at = [&](const auto* before) { return advance(choices_, before, now); };
  advance_section(snapshot_.processes, on);
  advance_section(snapshot_.softnet, on);
  advance_section(snapshot_.kernel_log, on_at);
  advance_section(snapshot_.config, anew(random_config));
  advance_section(snapshot_.files, [&](const FileHandles*) {
    return FileHandles{.open = choices_.number(), .max = choices_.number()};
  });
  advance_section(snapshot_.memory, [&](const MemoryInfo*) {
    return MemoryInfo{.total_bytes = choices_.number(), .available_bytes = choices_.number()};
  });
  advance_section(snapshot_.self, [&](const SelfUsage*) {
    return SelfUsage{.cpu_seconds = static_cast<double>(choices_.number()),
                     .resident_bytes = choices_.number()};
  });
  for (auto& netns : snapshot_.namespaces) {
    advance_section(netns.tcp, on);
    advance_section(netns.sockets, anew(random_usage));
    advance_section(netns.listeners, on_at);
    advance_section(netns.connections, on_at);
    if (!netns.settings.known() || choices_.one_in(8)) advance_section(netns.settings, anew(random_settings));
    advance_section(netns.conntrack, on);
    advance_section(netns.interfaces, anew(random_interfaces));
  }
  return snapshot_;
}

std::vector<CollectorRun> RandomMachine::runs() {
  std::vector<CollectorRun> runs;
  for (const auto& spec : collector_catalog()) {
    CollectorRun run{.collector = std::string(spec.name),
                     .netns = spec.per_netns ? snapshot_.namespaces.back().name : "",
                     .period = spec.period,
                     .finished_at = snapshot_.at};
    if (choices_.one_in(2)) {
      run.outcome = {};
      run.succeeded_at = snapshot_.at;
    } else {
      run.outcome = tl::unexpected<Error>(random_error(choices_));
    }
    runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace tcpdiag
