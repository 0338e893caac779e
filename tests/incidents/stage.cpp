// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/stage.h"

#include <algorithm>
#include <fstream>
#include <thread>

#include "tests/incidents/namespaces.h"
#include "tests/shell.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr auto kClosing = 60s;   // the window and the hold of a finding are over by then
constexpr auto kPatience = 3s;   // beyond the limit: late is told from never
constexpr auto kStageOnly = 2s;  // without a daemon: for the last numbers to come in

bool all(const std::vector<std::unique_ptr<Watch>>& watches, bool (Said::*holds)() const) {
  return std::ranges::all_of(watches, [holds](const auto& watch) { return (watch->said().*holds)(); });
}

}  // namespace

Stage::Stage(const Scenario& scenario, std::vector<std::unique_ptr<Watch>>& watches, StageHooks hooks)
    : scenario_(scenario), watches_(watches), hooks_(std::move(hooks)) {
  begin();
}

void Stage::begin() {
  kernel_ = std::make_unique<KernelView>();
  if (scenario_.peer) peer_ = std::make_unique<KernelView>("peer");
}

void Stage::sysctl(const std::string& name, const std::string& value, Side side) {
  auto path = "/proc/sys/" + name;
  std::ranges::replace(path, '.', '/');
  inside(side, [&] {
    std::ofstream file(path);
    if (!(file << value << std::flush)) throw NotStaged("setting " + name + " to " + value);
  });
}

void Stage::evidence(const std::string& what, const std::function<bool()>& condition) {
  await(what, condition);
  evidence_at_ = now();
}

void Stage::await(const std::string& what, const std::function<bool()>& condition,
                  std::chrono::milliseconds time) {
  hooks_.on_step("waits for: " + what);
  if (!holds_within(time, condition)) throw NotStaged("waited in vain for: " + what);
}

void Stage::observe(const std::string& name, std::uint64_t value) {
  observed_.emplace_back(name, std::to_string(value));
}

void Stage::observe(const std::string& name, std::uint64_t value, std::uint64_t least, std::uint64_t most) {
  observe(name, value);
  if (value < least || value > most)
    throw NotStaged(name + " is " + std::to_string(value) + ", not " + std::to_string(least) +
                    (most == ~std::uint64_t{0} ? " or more" : " to " + std::to_string(most)));
}

void Stage::until_found() {
  if (!evidence_at_) evidence_at_ = now();
  wait_for_findings();
  if (hooks_.on_found) hooks_.on_found();
}

void Stage::wait_for_findings() const {
  if (watches_.empty()) {
    std::this_thread::sleep_for(kStageOnly);
    return;
  }
  hooks_.on_step("waits for findings");
  if (scenario_.expected.empty()) {
    std::this_thread::sleep_for(scenario_.silence);
    return;
  }
  auto longest = 0s;
  for (const auto& expected : scenario_.expected) longest = std::max(longest, expected.within);
  while (!all(watches_, &Said::all_there) && now() < *evidence_at_ + longest + kPatience)
    std::this_thread::sleep_for(20ms);
}

void Stage::until_closed() {
  removed_at_ = now();
  if (watches_.empty()) return;
  hooks_.on_step("waits for the findings to close");
  (void)holds_within(kClosing, [this] { return all(watches_, &Said::all_closed); });
}

}  // namespace tcpdiag::incidents
