// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "collectors/source.h"
#include "core/snapshot.h"

namespace tcpdiag {

/// What a collector gets: the kernel, the time, and what was known before it ran.
struct Reading {
  Source& source;
  TimePoint now;
  const Snapshot& previous;
  NetnsId netns_id = NetnsId::host;  ///< of the collector's own namespace
  /// Where cheap signs say that nothing has moved, what was read before may stand for what would be read now.
  bool may_rest = false;

  [[nodiscard]] const NetnsView& netns() const { return previous.view(netns_id); }
};

/// How long what was read of a namespace may stand at most, where nothing moves in it: half of `longest` or
/// more. It differs from namespace to namespace, so that hundreds that were found together are not all read
/// at once.
inline std::chrono::milliseconds longest_rest(std::chrono::milliseconds longest, NetnsId netns) {
  constexpr std::uint32_t kGolden = 2654435769;                         // 2^32 divided by the golden ratio
  const auto turn = static_cast<std::uint32_t>(netns) * kGolden >> 22;  // of 1024
  return longest * (2048 - turn) / 2048;
}

/// What a run of a collector leaves: how to put its share into a snapshot, and whether it is a value or an
/// error.
struct Collected {
  std::function<void(Snapshot&)> store;
  Result<void> outcome;
};

/// A collector at work, with its own memory between runs. It fills one section of the snapshot and cannot
/// touch another's.
struct Collector {
  std::function<Collected(const Reading&)> run;
  /// Makes its section an error, as of `at`.
  std::function<void(Snapshot&, Error error, TimePoint at)> fail;
};

/// Where a collector's work is done: on the loop, which must never wait, or on the worker thread.
enum class Thread { loop, worker };

/// When a collector runs more often than at its period, because the diagnosis waits for it.
enum class Hurry {
  never,
  in_trouble,  ///< three times as often while connections are in trouble
  when_cited,  ///< ten times as often while an open incident rests on what it reads
};

/// What goes on in a namespace that is not the daemon's own. On a host with hundreds of containers nothing
/// moves in most of them most of the time.
enum class Activity {
  unknown,
  trouble,  ///< connections wait in a queue, or have within the last minute
  calm,     ///< none waits
  rest,     ///< nor does any counter of TCP move
};

/// What makes a collector's period longer or shorter.
struct Pace {
  Hurry hurry = Hurry::never;
  /// Runs are not equally far apart, so that what comes at a rhythm of its own is not missed for ever.
  bool wavers = false;
  /// How many times as long the period is in a calm namespace, and in one at rest.
  int calm_factor = 1, rest_factor = 1;

  [[nodiscard]] int factor(Activity activity) const {
    return activity == Activity::calm ? calm_factor : activity == Activity::rest ? rest_factor : 1;
  }
};

/// A collector's row in the catalogue.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order in which a row reads
struct CollectorSpec {
  std::string_view name;
  std::chrono::milliseconds period;
  Thread thread;
  bool per_netns;            ///< one for each network namespace, or one for the machine
  std::string_view reads;    ///< the kernel's files and interfaces, for the documentation
  std::string_view without;  ///< what is not known when it is switched off or fails, for the documentation
  Collector (*make)(NetnsId netns);
  Pace pace{};
};

namespace detail {

/// nullptr: the namespace is not there any more.
template <auto Member, class AnySnapshot>
auto* section_of(AnySnapshot& snapshot, NetnsId netns) {
  if constexpr (requires { snapshot.*Member; }) {
    return &(snapshot.*Member);
  } else {
    auto* view = snapshot.find(netns);
    return view == nullptr ? nullptr : &(view->*Member);
  }
}

}  // namespace detail

/// A CollectorSpec::make for a collector that fills `Member` of Snapshot or NetnsView. `Read` is a default
/// constructible type, one object for each collector, called as Result<T> read(const Reading&). A value that
/// has only a part of what there is says so through a function Result<void> shortfall(const T&): it is
/// stored, and the run counts as failed. Where T can be compared, a value that equals the one before is
/// shared with it, so that a history holds it once. Where cheap signs can tell that another look would find
/// the same, Read says as of when in std::optional<TimePoint> still_holds(const Reading&); it is asked only
/// if Reading::may_rest.
template <auto Member, class Read>
Collector make_collector(NetnsId netns) {
  const auto section = [netns](auto& snapshot) { return detail::section_of<Member>(snapshot, netns); };
  const auto fail = [section](Snapshot& snapshot, Error error, TimePoint at) {
    if (auto* its = section(snapshot)) *its = {tl::unexpected<Error>(std::move(error)), at};
  };
  // In a shared pointer because a function object must be copyable and a reader need not be.
  const auto run = [section, netns, read = std::make_shared<Read>()](const Reading& reading) -> Collected {
    const Reading own{reading.source, reading.now, reading.previous, netns, reading.may_rest};
    if constexpr (requires { read->still_holds(own); }) {
      const auto* before = section(reading.previous);
      if (own.may_rest && before != nullptr && before->known())
        if (const auto as_of = read->still_holds(own)) {
          auto keep = [section, same = *before->value,
                       at = std::max(before->read_at, *as_of)](Snapshot& snapshot) {
            if (auto* its = section(snapshot)) *its = {same, at};
          };
          return {std::move(keep), {}};
        }
    }
    auto result = (*read)(own);
    using Value = typename decltype(result)::value_type;
    Result<void> outcome;
    if (!result)
      outcome = tl::unexpected<Error>(result.error());
    else if constexpr (requires { shortfall(*result); })
      outcome = shortfall(*result);
    const auto share_of = [&](Value&& value) -> std::shared_ptr<const Value> {
      if constexpr (std::equality_comparable<Value>)
        if (const auto* before = section(reading.previous);
            before != nullptr && before->known() && *before->get() == value)
          return *before->value;
      return std::make_shared<const Value>(std::move(value));
    };
    Result<std::shared_ptr<const Value>> share = std::move(result).map(share_of);
    auto store = [section, share = std::move(share), at = reading.now](Snapshot& snapshot) {
      if (auto* its = section(snapshot)) *its = {share, at};
    };
    return {std::move(store), std::move(outcome)};
  };
  return {run, fail};
}

/// The same for a collector without memory: a function Result<T> read(Source&).
template <auto Member, auto Function>
Collector make_stateless_collector(NetnsId netns) {
  struct Read {
    auto operator()(const Reading& reading) const { return Function(reading.source); }
  };
  return make_collector<Member, Read>(netns);
}

}  // namespace tcpdiag
