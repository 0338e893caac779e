// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/incidents/kernel_view.h"
#include "tests/incidents/scenario.h"
#include "tests/incidents/watch.h"

namespace tcpdiag::incidents {

/// The kernel did not do what the scenario is about: it says nothing about the daemon.
struct NotStaged : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What the stage saw of the kernel: "overflows", "392".
using Observed = std::vector<std::pair<std::string, std::string>>;

/// Who is told of the course of a scenario.
struct StageHooks {
  std::function<void(const std::string&)> on_step;  ///< what it is about to do
  std::function<void()> on_found;                   ///< until_found() is over; may be empty
};

/// What a scenario plays on. It tells when the evidence is there and when the cause is gone, by looking at
/// the kernel itself, and waits between the two for the daemons' findings.
class Stage {
 public:
  /// `watches` is empty when no daemon is watching; then no finding is waited for.
  Stage(const Scenario& scenario, std::vector<std::unique_ptr<Watch>>& watches, StageHooks hooks);

  /// The counters' increase begins anew; the daemons are ready.
  void begin();

  KernelView& kernel() { return *kernel_; }
  /// Of the peer's namespace.
  KernelView& peer() { return *peer_; }

  /// Sets a sysctl of the namespace: sysctl("net.ipv4.tcp_syncookies", "0").
  void sysctl(const std::string& name, const std::string& value, Side side = Side::home);

  /// Waits until the condition holds: the first moment at which the kernel shows what the findings are about.
  void evidence(const std::string& what, const std::function<bool()>& condition);
  /// Waits until the condition holds; when it does not, nothing was staged.
  void await(const std::string& what, const std::function<bool()>& condition,
             std::chrono::milliseconds time = std::chrono::seconds(20));
  /// A number that shows what was staged.
  void observe(const std::string& name, std::uint64_t value);
  /// The same, and nothing was staged unless it lies between the bounds.
  void observe(const std::string& name, std::uint64_t value, std::uint64_t least,
               std::uint64_t most = ~std::uint64_t{0});

  /// Keeps all as it is until every expected finding is there or its time is over. Where none is expected:
  /// as long as a finding would have had.
  void until_found();
  /// The cause is gone: waits until every finding that closes has closed, at most a minute.
  void until_closed();

  [[nodiscard]] const Observed& observed() const { return observed_; }
  [[nodiscard]] std::optional<TimePoint> evidence_at() const { return evidence_at_; }
  [[nodiscard]] std::optional<TimePoint> removed_at() const { return removed_at_; }

 private:
  void wait_for_findings() const;

  const Scenario& scenario_;
  std::vector<std::unique_ptr<Watch>>& watches_;
  StageHooks hooks_;
  std::unique_ptr<KernelView> kernel_, peer_;
  Observed observed_;
  std::optional<TimePoint> evidence_at_, removed_at_;
};

}  // namespace tcpdiag::incidents
