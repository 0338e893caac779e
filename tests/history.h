// SPDX-License-Identifier: Apache-2.0
// Histories made by hand: what a rule sees, in a few lines.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/facts/settings.h"
#include "diagnosis/diagnose.h"
#include "diagnosis/history.h"
#include "diagnosis/rule.h"

namespace tcpdiag {

/// Builds a history second by second. Every step begins as a copy of the one before.
class HistoryBuilder {
 public:
  HistoryBuilder() {
    snapshot_.at = TimePoint(std::chrono::hours(1));
    snapshot_.namespaces.push_back({.name = kHostNetns});
  }

  /// Sets a section of the host's namespace, or of the machine, as read at the present second.
  template <class T>
  HistoryBuilder& set(Section<T> NetnsView::* section, T value) {
    snapshot_.namespaces.front().*section = {std::make_shared<const T>(std::move(value)), snapshot_.at};
    return *this;
  }
  template <class T>
  HistoryBuilder& set(Section<T> Snapshot::* section, T value) {
    snapshot_.*section = {std::make_shared<const T>(std::move(value)), snapshot_.at};
    return *this;
  }
  /// The section cannot be read.
  template <class T, class Holder>
  HistoryBuilder& deny(Section<T> Holder::* section) {
    const Section<T> denied{unexpected(Errc::denied, "test: Permission denied"), snapshot_.at};
    if constexpr (std::is_same_v<Holder, Snapshot>)
      snapshot_.*section = denied;
    else
      snapshot_.namespaces.front().*section = denied;
    return *this;
  }
  /// One sysctl with its numbers; earlier ones stay.
  HistoryBuilder& sysctl(std::string_view name, std::vector<std::int64_t> values) {
    Settings settings;
    if (const auto* known = snapshot_.namespaces.front().settings.get()) settings = *known;
    std::erase_if(settings.sysctls, [&](const Sysctl& sysctl) { return sysctl.name == name; });
    std::string text;
    for (const auto value : values) text += (text.empty() ? "" : "\t") + std::to_string(value);
    settings.sysctls.push_back({name, std::move(values), std::move(text)});
    return set(&NetnsView::settings, std::move(settings));
  }

  /// The present step goes into the history; the next one begins `after` it.
  HistoryBuilder& tick(std::chrono::milliseconds after = std::chrono::seconds(1)) {
    history_.push(snapshot_);
    snapshot_.at += after;
    return *this;
  }
  /// The same `count` times, so that time passes and nothing changes.
  HistoryBuilder& ticks(int count, std::chrono::milliseconds after = std::chrono::seconds(1)) {
    for (int i = 0; i < count; ++i) tick(after);
    return *this;
  }

  [[nodiscard]] TimePoint now() const { return snapshot_.at; }
  [[nodiscard]] Snapshot& snapshot() { return snapshot_; }
  [[nodiscard]] const History& history() const { return history_; }

 private:
  Snapshot snapshot_;
  History history_;
};

/// The rule of that id, or a failed test.
const Rule& rule_of(std::string_view id);

/// What the rule says about the host's namespace at the end of the history.
Verdict verdict_of(std::string_view id, const History& history);

/// The finding as users read it, with its texts; fails the test unless there is exactly one.
Finding only_finding(std::string_view id, const History& history);

}  // namespace tcpdiag
