// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/window.h"

#include <algorithm>
#include <string>

#include "core/facts/settings.h"
#include "core/facts/tcp_counters.h"
#include "core/number_text.h"

namespace tcpdiag {

Window::Window(const History& history, NetnsId netns, std::chrono::seconds lookback)
    : history_(&history), netns_(netns) {
  const auto& snapshots = history.snapshots();
  const auto begin = snapshots.back().at - lookback;
  const auto first = std::ranges::lower_bound(snapshots, begin, {}, &Snapshot::at);
  first_ = static_cast<std::size_t>(first - snapshots.begin());
  find_place();
  begin_with_netns();
}

void Window::find_place() {
  const auto& all = newest().namespaces;
  const auto* found = newest().find(netns_);
  place_ = found == nullptr ? all.size() : static_cast<std::size_t>(found - all.data());
}

void Window::begin_with_netns() {
  while (size() > 1 && view(0).id != netns_) ++first_;
}

Window Window::last(std::chrono::seconds lookback) const {
  auto part = Window(*history_, netns_, lookback);
  part.first_ = std::max(part.first_, first_);
  return part;
}

Window Window::in(NetnsId netns) const {
  auto other = *this;
  other.netns_ = netns;
  other.find_place();
  other.begin_with_netns();
  return other;
}

std::chrono::seconds Window::span() const {
  const auto span = std::chrono::round<std::chrono::seconds>(now() - snapshot(0).at);
  return std::max(span, std::chrono::seconds(1));
}

Result<std::uint64_t> Window::increase(TcpCounter counter) const {
  return increase(&NetnsView::tcp, counter, kernel_word(counter));
}

Result<std::uint64_t> Window::increase_without(TcpCounter part, TcpCounter counter) const {
  auto all = increase(counter);
  if (!all) return all;
  auto of_part = increase(part);
  if (!of_part) return of_part;
  return *all > *of_part ? *all - *of_part : 0;
}

Error Window::stale(std::string_view collector, TimePoint::duration age) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(age);
  return {Errc::not_read, std::string(collector) + ": last read " + duration_text(seconds) + " ago",
          collector};
}

Result<std::uint64_t> Window::increase_of(const std::vector<Count>& values, std::string_view where,
                                          std::string_view name) {
  const auto what = std::string(where) + ": " + std::string(name);
  if (values.empty() || !values.back()) return unexpected(Errc::missing, what + ": not in this kernel");
  if (values.size() < 2 || !values.front())
    return unexpected(Errc::not_read, what + ": only one reading in the window, and a change needs two");
  for (std::size_t i = 1; i < values.size(); ++i)
    if (!values[i] || *values[i] < *values[i - 1])
      return unexpected(Errc::failed, what + ": went backwards: treated as a reset");
  return *values.back() - *values.front();
}

Result<std::int64_t> Window::setting(std::string_view name, std::size_t field) const {
  const auto settings = latest(&NetnsView::settings);
  if (!settings) return tl::unexpected<Error>(settings.error());
  for (const auto& unread : (*settings)->unread)
    if (unread.name == name) return tl::unexpected<Error>(unread.error);
  const auto* sysctl = (*settings)->find(name);
  if (sysctl == nullptr)
    return unexpected(Errc::missing, std::string(name) + ": not on this kernel or namespace");
  if (field >= sysctl->values.size())
    return unexpected(Errc::malformed, std::string(name) + ": not a number");
  return sysctl->values[field];
}

}  // namespace tcpdiag
