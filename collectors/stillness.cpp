// SPDX-License-Identifier: Apache-2.0
#include "collectors/stillness.h"

#include <algorithm>

#include "collectors/sockstat.h"
#include "core/facts/socket_usage.h"
#include "core/facts/tcp_counters.h"

namespace tcpdiag {

void Stillness::begin(const NetnsView& netns) {
  counters_ = netns.tcp.known() ? *netns.tcp.value : nullptr;
  usage_ = netns.sockets.known() ? *netns.sockets.value : nullptr;
}

void Stillness::begin_now(const Reading& reading) {
  begin(reading.netns());
  if (!reading.may_rest || reading.netns().sockets.read_at == reading.now) return;
  auto usage = read_socket_usage(reading.source);
  usage_ = usage ? std::make_shared<const SocketUsage>(*usage) : nullptr;
}

std::optional<TimePoint> Stillness::lasts_until(const NetnsView& netns) const {
  if (counters_ == nullptr || usage_ == nullptr) return std::nullopt;
  const auto* usage = netns.sockets.get();
  const bool same = netns.tcp.get() == counters_.get() && usage != nullptr && usage->own() == usage_->own();
  return same ? std::optional(std::min(netns.tcp.read_at, netns.sockets.read_at)) : std::nullopt;
}

std::optional<TimePoint> Stillness::lasts_until_now(const Reading& reading) const {
  const auto as_of = lasts_until(reading.netns());
  if (!as_of || *as_of == reading.now) return as_of;
  const auto usage = read_socket_usage(reading.source);
  return usage && usage->own() == usage_->own() ? std::optional(reading.now) : std::nullopt;
}

}  // namespace tcpdiag
