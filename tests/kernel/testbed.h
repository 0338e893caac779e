// SPDX-License-Identifier: Apache-2.0
// Real sockets in network namespaces that nothing outlives, and the tools that tell what is true of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "collectors/collector.h"
#include "collectors/file_descriptor.h"
#include "collectors/source.h"

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

/// Adds a link to nowhere with the addresses 192.0.2.1/24 and 2001:db8::1/64: what is sent to another address
/// of these networks is never answered.
void add_link_to_nowhere();

/// Ends the test as skipped (exit status 77), with the reason.
[[noreturn]] void skip(const std::string& why);

/// What a shell command prints in the thread's namespace. Fails the test when the command fails.
std::string run(const std::string& command);

/// Waits until the condition holds; false when it does not in that time.
bool holds_within(std::chrono::milliseconds time, const std::function<bool()>& condition);
/// The same with 20 s, and fails the test.
void wait_until(const std::string& what, const std::function<bool()>& condition);

struct ListenOptions {
  int backlog = 128;
  bool v6_only = false;
  bool reuse_port = false;
  std::string device;  ///< SO_BINDTODEVICE
};

/// A socket that listens there; port 0 is one that the kernel chooses.
FileDescriptor listen_on(const std::string& address, std::uint16_t port, const ListenOptions& options = {});
std::uint16_t port_of(const FileDescriptor& socket);

/// A socket that has begun to connect; it does not wait for an answer.
FileDescriptor connect_to(const std::string& address, std::uint16_t port);
/// The next connection of the listener; waits for one.
FileDescriptor accept_from(const FileDescriptor& listener);

/// Sends one SYN as if from that address and port, through the thread's namespace.
void send_syn(const std::string& from, std::uint16_t from_port, const std::string& to, std::uint16_t to_port);

/// The running kernel as the calling thread sees it, or a named namespace.
std::unique_ptr<Source> live_source(const std::string& netns = {});

TimePoint now();

/// One run of a collector.
template <class Reader>
auto look(Reader& reader, Source& source) {
  static const Snapshot kNothingKnown{.namespaces = {NetnsView{.name = "test"}}};
  return reader(Reading{.source = source, .now = now(), .previous = kNothingKnown, .netns_index = 0});
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
