// SPDX-License-Identifier: Apache-2.0
// Real sockets in network namespaces that nothing outlives, and the tools that tell what is true of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "collectors/collector.h"
#include "collectors/source.h"
#include "core/file_descriptor.h"
#include "tests/links.h"
#include "tests/shell.h"
#include "tests/sockets.h"

namespace tcpdiag {

/// A network namespace for the calling thread until this ends, with loopback up. It has no name: it is gone
/// with its last socket, even when the tests die. Where it may not be made, the test counts as skipped.
class FreshNetns {
 public:
  FreshNetns();
  FreshNetns(const FreshNetns&) = delete;
  FreshNetns& operator=(const FreshNetns&) = delete;
  ~FreshNetns();

 private:
  FileDescriptor home_;
};

/// A /run/netns for the calling thread alone: names in it are gone with this, even when the tests die.
class FreshNames {
 public:
  FreshNames();
  FreshNames(const FreshNames&) = delete;
  FreshNames& operator=(const FreshNames&) = delete;
  ~FreshNames();

 private:
  FileDescriptor home_, directory_;
};

/// Runs a command in the namespace "test" of FreshNames.
void in_netns(const std::string& command);

/// Ends the test as skipped (exit status 77), with the reason.
[[noreturn]] void skip(const std::string& why);

/// The running kernel as the calling thread sees it, or a named namespace.
std::unique_ptr<Source> live_source(const std::string& netns = {});

/// One run of a collector.
template <class Reader>
auto look(Reader& reader, Source& source) {
  static const Snapshot kNothingKnown{.namespaces = {NetnsView{.name = "test"}}};
  return reader(Reading{.source = source, .now = now(), .previous = kNothingKnown});
}

/// One line of `ss`.
struct SsSocket {
  std::string state;  ///< "ESTAB", "SYN-RECV", ...
  std::uint32_t receive_queue = 0, send_queue = 0;
  std::string local_address;
  std::uint16_t local_port = 0, remote_port = 0;
  std::uint32_t inode = 0;
  std::uint64_t cookie = 0;
  std::uint32_t drops = 0;  ///< with -m

  auto operator<=>(const SsSocket&) const = default;
};

/// What `ss -HtnOe` and these options show in the thread's namespace.
std::vector<SsSocket> ss(const std::string& options);
/// Those of `ss -HtnOea` in this state.
std::vector<SsSocket> ss_in_state(const std::string& state);

/// Lets `show` and `oracle` look until `show` says the same before and after `oracle` has looked: both have
/// then seen the same kernel.
template <class Show, class Oracle>
auto at_one_moment(Show show, Oracle oracle) {
  std::pair<decltype(show()), decltype(oracle())> seen;
  wait_until("two equal looks", [&] {
    seen.first = show();
    seen.second = oracle();
    return show() == seen.first;
  });
  return seen;
}

}  // namespace tcpdiag
