// SPDX-License-Identifier: Apache-2.0
// What a rule may look at: one namespace's and the machine's recent past. Everything it asks for is a value
// or the reason why it is not known; an error's detail is fit to be shown.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/snapshot.h"
#include "diagnosis/history.h"

namespace tcpdiag {

/// A section's value with the time it was read.
template <class T>
struct Dated {
  TimePoint at;
  const T* value;
};

/// When what was read is the past. Budgets stretch a collector's period up to ten minutes: settings and files
/// change seldom enough for that, what moves by itself does not.
template <class T>
inline constexpr std::chrono::seconds kStaleAfter{120};
template <>
inline constexpr std::chrono::seconds kStaleAfter<Settings>{1200};
template <>
inline constexpr std::chrono::seconds kStaleAfter<HostConfig>{1200};
template <>
inline constexpr std::chrono::seconds kStaleAfter<MemoryInfo>{1200};

/// A section's value, or why it is not known.
template <class T>
Result<const T*> value_of(const Section<T>& section) {
  if (const auto* value = section.get()) return value;
  auto error = section.value.error();
  if (error.code == Errc::not_read)
    error.detail = std::string(collector_of(Type<T>{})) + ": not read yet, or switched off";
  error.source = collector_of(Type<T>{});
  return tl::unexpected<Error>(std::move(error));
}

class Window {
 public:
  /// The last `lookback` of a history that is not empty, of one of the newest snapshot's namespaces; no
  /// longer than that is watched.
  Window(const History& history, NetnsId netns, std::chrono::seconds lookback);

  /// The end of this window: its last `lookback`.
  [[nodiscard]] Window last(std::chrono::seconds lookback) const;
  /// The same time in another namespace.
  [[nodiscard]] Window in(NetnsId netns) const;
  /// The same time in the daemon's own namespace.
  [[nodiscard]] Window host_netns() const { return in(NetnsId::host); }

  [[nodiscard]] const Snapshot& newest() const { return history_->snapshots().back(); }
  [[nodiscard]] const NetnsView& netns() const { return view(size() - 1); }
  [[nodiscard]] TimePoint now() const { return newest().at; }
  /// From the first snapshot to the last, at least one second: what evidence is counted over.
  [[nodiscard]] std::chrono::seconds span() const;
  /// Snapshots in the window, oldest first; never empty.
  [[nodiscard]] std::size_t size() const { return history_->snapshots().size() - first_; }
  [[nodiscard]] const Snapshot& snapshot(std::size_t i) const { return history_->snapshots()[first_ + i]; }
  /// The window's namespace in that snapshot; nothing is known of one that was not there yet.
  [[nodiscard]] const NetnsView& view(std::size_t i) const {
    const auto& all = snapshot(i).namespaces;
    // It stands where it stands in the newest one, unless an older one has gone since.
    if (place_ < all.size() && all[place_].id == netns_) return all[place_];
    return snapshot(i).view(netns_);
  }

  /// The present value of a section. One that was read `stale_after` ago or earlier is not the present: it is
  /// an error like one that was never read.
  template <class T>
  [[nodiscard]] Result<const T*> latest(Section<T> NetnsView::* section,
                                        std::chrono::seconds stale_after = kStaleAfter<T>) const {
    return present(netns().*section, stale_after);
  }
  template <class T>
  [[nodiscard]] Result<const T*> latest(Section<T> Snapshot::* section) const {
    return present(newest().*section);
  }

  /// The values of a section in the window that differ in the time they were read, oldest first. Those that
  /// could not be read are left out.
  template <class T>
  [[nodiscard]] std::vector<Dated<T>> readings(Section<T> NetnsView::* section) const {
    return collect<T>([&](std::size_t i) -> const Section<T>& { return view(i).*section; });
  }
  template <class T>
  [[nodiscard]] std::vector<Dated<T>> readings(Section<T> Snapshot::* section) const {
    return collect<T>([&](std::size_t i) -> const Section<T>& { return snapshot(i).*section; });
  }

  /// By how much a counter rose within the window. Errors: it cannot be read now; this kernel lacks it; there
  /// is only one reading; it went backwards, as it does when it is reset.
  [[nodiscard]] Result<std::uint64_t> increase(TcpCounter counter) const;
  /// The same for a counter of another section.
  template <class T, class Holder>
  [[nodiscard]] Result<std::uint64_t> increase(Section<T> Holder::* section, Count T::* member,
                                               std::string_view name) const {
    const auto now = latest(section);
    if (!now) return tl::unexpected<Error>(now.error());
    if constexpr (std::is_same_v<Holder, NetnsView>) {
      // The same value, read again: it is shared as long as nothing in it changes (make_collector()).
      const auto& first = view(0).*section;
      const T* const value = *now;
      if (value != nullptr && first.get() == value && value->*member &&
          first.read_at != (netns().*section).read_at)
        return std::uint64_t{0};
    }
    std::vector<Count> values;
    for (const auto& reading : readings(section)) values.push_back(reading.value->*member);
    return increase_of(values, collector_of(Type<T>{}), name);
  }

  /// By how much `counter` rose within the window beyond what `part` of it did; 0 where `part` rose more, as
  /// it can because a counter is read before or after another. Errors as of increase().
  [[nodiscard]] Result<std::uint64_t> increase_without(TcpCounter part, TcpCounter counter) const;

  /// A sysctl's number. Errors: settings or this one cannot be read; this kernel or namespace has no such
  /// sysctl (Errc::missing); it is a word.
  [[nodiscard]] Result<std::int64_t> setting(std::string_view name, std::size_t field = 0) const;

 private:
  template <class T>
  Result<const T*> present(const Section<T>& section,
                           std::chrono::seconds stale_after = kStaleAfter<T>) const {
    const auto age = now() - section.read_at;
    if (section.known() && age >= stale_after)
      return tl::unexpected<Error>(stale(collector_of(Type<T>{}), age));
    return value_of(section);
  }
  void find_place();
  void begin_with_netns();
  static Error stale(std::string_view collector, TimePoint::duration age);
  static Result<std::uint64_t> increase_of(const std::vector<Count>& values, std::string_view where,
                                           std::string_view name);

  template <class T, class SectionAt>
  std::vector<Dated<T>> collect(SectionAt section_at) const {
    std::vector<Dated<T>> readings;
    for (std::size_t i = 0; i < size(); ++i) {
      const Section<T>& section = section_at(i);
      if (!section.known()) continue;
      if (readings.empty() || readings.back().at != section.read_at)
        readings.push_back({section.read_at, section.get()});
    }
    return readings;
  }

  const History* history_;
  NetnsId netns_;
  std::size_t place_ = 0;  // of the namespace in the newest snapshot
  std::size_t first_;
};

}  // namespace tcpdiag
