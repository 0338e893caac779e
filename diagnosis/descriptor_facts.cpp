// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/descriptor_facts.h"

#include <algorithm>
#include <array>

#include "core/saturating.h"
#include "diagnosis/course.h"
#include "diagnosis/evidence.h"
#include "diagnosis/flat_upstream.h"
#include "diagnosis/known_servers.h"
#include "diagnosis/owner_values.h"
#include "diagnosis/subjects.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

struct Course {
  std::vector<Point> open_fds;  // oldest first

  [[nodiscard]] double growth() const {
    return open_fds.empty() ? 0 : open_fds.back().value - open_fds.front().value;
  }
};

Course course_of(const Window& window, const Process& process) {
  Course course;
  for (const auto& reading : window.readings(&Snapshot::processes))
    if (const auto* then = find_process(*reading.value, process); then != nullptr && then->open_fds)
      course.open_fds.push_back({reading.at, static_cast<double>(*then->open_fds)});
  return course;
}

void add_limits(Facts& facts, const Window& window, const Process& process) {
  constexpr std::uint64_t kAmple = 65536;
  const auto soft = *process.soft_limit;
  facts.bites = Bites{.limit = "RLIMIT_NOFILE", .value = static_cast<double>(soft)};
  if (process.hard_limit) {
    facts.bites->ceiling = "hard limit";
    facts.bites->ceiling_value = static_cast<double>(*process.hard_limit);
  }
  auto higher = std::max(kAmple, saturating_multiply<std::uint64_t>(soft, 4));
  if (const auto ceiling = window.host_netns().setting("fs.nr_open"))
    higher = std::min(higher, saturating_cast<std::uint64_t>(*ceiling));
  // What is already allowed needs no capability, and mostly suffices.
  if (process.hard_limit && *process.hard_limit >= saturating_multiply<std::uint64_t>(soft, 4))
    higher = std::min(higher, *process.hard_limit);
  if (higher <= soft) return;
  facts.values["new_limit"] = std::to_string(higher);
  // prlimit(1) without a second number raises both.
  const bool below_hard = !process.hard_limit || higher <= *process.hard_limit;
  facts.values["new_limits"] = std::to_string(higher) + (below_hard ? ":" : "");
  if (const auto knob = descriptor_knob(process.comm, std::to_string(higher))) facts.values["knob"] = *knob;
}

// Where the limit is set depends on who starts the process.
void add_starter(Facts& facts, const Process& process) {
  constexpr std::array<std::string_view, 7> kKnown = {"service", "user_service", "session", "docker",
                                                      "podman",  "inside",       "pod"};
  add_owner_values(facts.values, process.owner);
  const bool known = std::ranges::any_of(kKnown, [&](auto name) { return facts.values.contains(name); });
  if (!known) facts.values["starter"] = process.comm;
}

// What the descriptors are, as far as it is known and worth a word.
void add_contents(Facts& facts, const Process& process) {
  const auto part = static_cast<double>(*process.open_fds) / 10;
  if (const auto held = static_cast<double>(process.close_wait_inodes.size()); held > part)
    add_reading(facts, "sockets in CLOSE_WAIT it holds", "close_wait", held, "sockets");
  if (process.closed_sockets && static_cast<double>(*process.closed_sockets) > part)
    add_reading(facts, "closed sockets it holds", "closed", *process.closed_sockets, "sockets");
}

bool is_only_holder(const Processes& processes, const Process& process, std::uint32_t inode) {
  return std::ranges::all_of(processes.processes, [&](const Process& other) {
    return other.pid == process.pid || !std::ranges::binary_search(other.listener_inodes, inode);
  });
}

// The idle connections of a port that only this process serves. nullptr: none are known.
const IdleConnections* idle_of(const Snapshot& now, const Process& process) {
  const IdleConnections* most = nullptr;
  const auto serves = [&](const NetnsView& netns, std::uint16_t port) {
    const auto* listeners = netns.listeners.get();
    return listeners != nullptr && std::ranges::any_of(listeners->listeners, [&](const Listener& listener) {
             return listener.endpoint.port == port &&
                    std::ranges::any_of(listener.sockets, [&](const ListenerSocket& socket) {
                      return std::ranges::binary_search(process.listener_inodes, socket.inode) &&
                             is_only_holder(*now.processes.get(), process, socket.inode);
                    });
           });
  };
  for (const auto& netns : now.namespaces)
    if (const auto* connections = netns.connections.get())
      for (const auto& idle : connections->idle)
        if ((most == nullptr || idle.count > most->count) && serves(netns, idle.port)) most = &idle;
  return most;
}

// Peers that have vanished leave such behind.
void add_idle(Facts& facts, const Window& window, const Process& process) {
  const auto* idle = idle_of(window.newest(), process);
  if (idle == nullptr || 4 * std::uint64_t{idle->count} < *process.open_fds ||
      idle->count > *process.open_fds)
    return;
  add_reading(facts, "established connections, idle and without a keep-alive timer", "idle", idle->count,
              "connections");
  add_reading(facts, "each idle for at least", idle->shortest.count(), "seconds");
  facts.values["idle_port"] = std::to_string(idle->port);
  facts.values["idle_for"] = duration_text(idle->shortest);
}

}  // namespace

void add_descriptor_facts(Facts& facts, const Window& window, const Process& process) {
  const auto course = course_of(window, process);
  add_reading(facts, "open fds", "open_fds", *process.open_fds, "descriptors");
  facts.values["soft_limit"] = std::to_string(*process.soft_limit);
  if (const auto ratio = process.fd_ratio()) facts.values["share"] = percent_text(*ratio);
  if (course.growth() > 0) {
    const auto since =
        std::chrono::round<std::chrono::seconds>(course.open_fds.back().at - course.open_fds.front().at);
    facts.evidence.push_back({"open fds, growth", course.growth(), "descriptors", since});
  }
  if (const auto time = forecast(course.open_fds, static_cast<double>(*process.soft_limit)))
    facts.values["forecast"] = duration_text(*time);
  add_limits(facts, window, process);
  add_starter(facts, process);
  add_contents(facts, process);
  add_idle(facts, window, process);
  add_upstream(facts, window, process);
}

}  // namespace tcpdiag
