// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/listener_workers.h"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <string_view>
#include <tuple>

#include "core/owners.h"

namespace tcpdiag {
namespace {

// What most of the workers do, or some: those that are stopped go before those that are busy or wait for
// something of their own, and these before those that wait for the next event.
struct Alike {
  std::string text;
  std::vector<const Process*> workers;

  [[nodiscard]] auto rank() const {
    const auto& one = *workers.front();
    return std::tuple(is_stopped(one), !waits_for_events(one), workers.size());
  }
};

std::vector<Alike> by_what_they_do(std::span<const Process* const> workers) {
  std::map<std::string, std::vector<const Process*>> groups;
  for (const auto* worker : workers)
    if (const auto text = doing(*worker, workers.size() > 1); !text.empty()) groups[text].push_back(worker);
  std::vector<Alike> alike;
  alike.reserve(groups.size());
  for (auto& [text, those] : groups) alike.push_back({text, std::move(those)});
  return alike;
}

void add_worker(Facts& facts, const Process& worker) {
  const auto pid = std::to_string(worker.pid);
  facts.values["worker"] = worker.comm + "[" + pid + "]";
  if (is_stopped(worker)) {
    facts.values["stopped_pid"] = pid;
    return;
  }
  facts.values["worker_pid"] = pid;
  facts.values[worker.state == 'R' ? ValueName("running_pid") : ValueName("sleeping_pid")] = pid;
}

std::string doing_of_several(const Alike& most, std::size_t all) {
  const auto& those = most.workers;
  const auto pid = std::to_string(those.front()->pid);
  const auto of_all = " of its " + std::to_string(all) + " workers, ";
  if (those.size() == all) return "its " + std::to_string(all) + " workers all " + most.text;
  if (those.size() == 1) return "one" + of_all + "pid " + pid + ", " + doing(*those.front());
  return std::to_string(those.size()) + of_all + "such as pid " + pid + ", " + most.text;
}

}  // namespace

bool is_stopped(const Process& process) { return process.state == 'T' || process.state == 't'; }

bool waits_for_events(const Process& process) {
  constexpr auto kWaits = std::to_array<std::string_view>(
      {"ep_poll", "do_epoll_wait", "do_epoll_pwait", "do_select", "do_sys_poll", "do_poll",
       "poll_schedule_timeout", "io_cqring_wait", "inet_csk_accept", "sigsuspend", "do_sigtimedwait"});
  return process.state == 'S' && std::ranges::any_of(kWaits, [&](std::string_view function) {
           const std::string_view channel = process.wait_channel;
           // A compiler's copy of a function is called "poll_schedule_timeout.constprop.0".
           return channel == function || channel.starts_with(std::string(function) + ".");
         });
}

std::string doing(const Process& process, bool several) {
  const std::string where =
      process.wait_channel.empty() ? "" : " in the kernel function " + process.wait_channel;
  switch (process.state) {
    case 'T':
    case 't': return std::string(several ? "are" : "is") + " stopped (by SIGSTOP or a debugger)";
    case 'D': return std::string(several ? "wait" : "waits") + " for a disk or a network file system" + where;
    case 'R': return several ? "are running on CPUs" : "is running on a CPU";
    case 'S': return (several ? "sleep" : "sleeps") + where;
    default: return {};
  }
}

std::vector<const Process*> owners_of(const Window& window, const Listener& listener) {
  const auto* processes = window.newest().processes.get();
  return processes == nullptr ? std::vector<const Process*>() : all_owners(*processes, listener);
}

std::vector<const Process*> workers_of(const Window& window, const Listener& listener) {
  auto owners = owners_of(window, listener);
  if (owners.size() > 1)  // systemd, which opened the socket for the server
    std::erase_if(owners, [](const Process* owner) { return owner->comm == "systemd"; });
  if (owners.size() > 1) owners.erase(owners.begin());
  return owners;
}

const Process* odd_worker(const Window& window, const Listener& listener) {
  const auto workers = workers_of(window, listener);
  const auto only = [&](auto holds) -> const Process* {
    if (std::ranges::count_if(workers, holds) != 1) return nullptr;
    return *std::ranges::find_if(workers, holds);
  };
  if (const auto* stopped = only([](const Process* worker) { return is_stopped(*worker); })) return stopped;
  if (std::ranges::any_of(workers, [](const Process* worker) { return is_stopped(*worker); })) return nullptr;
  return workers.size() < 2 ? nullptr : only([](const Process* worker) {
    return !waits_for_events(*worker) && !doing(*worker).empty();
  });
}

void add_doing(Facts& facts, const Process& worker) {
  add_worker(facts, worker);
  if (const auto text = doing(worker); !text.empty()) facts.values["doing"] = "it " + text;
}

void add_doing(Facts& facts, const Window& window, const Listener& listener) {
  const auto workers = workers_of(window, listener);
  if (workers.empty()) return;
  const bool is_alone = facts.subject.pid == workers.front()->pid;
  if (workers.size() == 1 && is_alone) return add_doing(facts, *workers.front());
  const auto alike = by_what_they_do(workers);
  const auto most = std::ranges::max_element(alike, {}, &Alike::rank);
  add_worker(facts, most == alike.end() ? *workers.front() : *most->workers.front());
  if (most == alike.end()) return;
  facts.values["doing"] = workers.size() == 1
                              ? "its worker, pid " + std::to_string(workers.front()->pid) + ", " + most->text
                              : doing_of_several(*most, workers.size());
}

}  // namespace tcpdiag
