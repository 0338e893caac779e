// SPDX-License-Identifier: Apache-2.0
#include "collectors/live_source.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "collectors/files.h"
#include "collectors/kmsg.h"
#include "collectors/netns_door.h"
#include "collectors/sock_diag.h"

namespace tcpdiag {
namespace {

constexpr std::chrono::milliseconds kLongestWait{1000};  // for one answer of a dump
// After so long it is worth a try to open a namespace again, for what it did not have or what was in the way.
constexpr std::chrono::seconds kMissingStays{60}, kTroubleStays{10};

// /proc/net and /proc/sys/net show the namespace of the task that opens them; an open file keeps showing it.
bool belongs_to_netns(const std::string& path) {
  return path.starts_with("/proc/net/") || path.starts_with("/proc/sys/net/");
}

// /proc/net is the main thread's namespace, whichever thread opens it.
std::string for_this_thread(const std::string& path) {
  constexpr std::string_view kProcNet = "/proc/net/";
  return path.starts_with(kProcNet) ? "/proc/thread-self/net/" + path.substr(kProcNet.size()) : path;
}

// What is open in one namespace.
struct Handles {
  Netns netns;
  NetnsDoor door;
  TimePoint opened_at;
  bool stays = false;  // it needs no look whether it still has that name
  std::optional<SockDiag> sock_diag{};
};

class LiveSource final : public Source {
 public:
  explicit LiveSource(LiveOptions options) : options_(std::move(options)) {}

  Result<std::string> read(const std::string& path) override {
    if (belongs_to_netns(path)) return read_in_netns(path);
    const auto file = open_file(path);
    if (!file) return tl::unexpected<Error>(file.error());
    return read_whole(*file, path, kMaxFileBytes);
  }
  Result<std::vector<std::string>> list(const std::string& path) override { return list_directory(path); }
  Result<std::string> link(const std::string& path) override { return read_link(path); }
  Result<std::string> socket_protocol(const std::string& path) override { return read_socket_protocol(path); }
  Result<std::uint64_t> size(const std::string& path) override { return file_size(path); }
  Result<std::uint32_t> owner(const std::string& path) override { return file_owner(path); }
  Result<NetnsFile> netns_at(const std::string& path) override { return netns_in_file(path); }
  Result<KernelLogRecords> read_kernel_log() override { return kmsg_.read(); }
  std::uint64_t generation() override { return generation_; }
  std::uint64_t page_size() override { return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)); }

  Result<void> dump_sockets(const SocketDump& request, const OnMessage& on_message) override {
    auto socket = sock_diag();
    if (!socket) return tl::unexpected<Error>(socket.error());
    auto dumped = (*socket)->dump(request, on_message,
                                  [this, started_at = options_.clock()] { return may_go_on(started_at); });
    if (!dumped) open_door(*handles_);  // what an abandoned dump has left to say must not answer the next one
    return dumped;
  }

 private:
  Result<std::string> read_in_netns(const std::string& path) {
    const auto open = handles();
    if (!open) return tl::unexpected<Error>(open.error());
    auto content = (*open)->door.read(path, kMaxFileBytes);
    if (content) return content;
    if (is_own()) return read_here(path);
    if (!is_worth_opening_again(content.error())) return content;
    open_door(**open);
    return (*open)->door.read(path, kMaxFileBytes);
  }

  // In our own namespace, where whatever comes later can be opened at any time.
  static Result<std::string> read_here(const std::string& path) {
    return open_file(for_this_thread(path)).and_then([&](const FileDescriptor& file) {
      return read_whole(file, path, kMaxFileBytes);
    });
  }

  // Opens the namespace when it is not open, or is no longer the one of that name. One that is known by its
  // inode stays that one as long as it is open.
  Result<Handles*> handles() {
    if (handles_ && handles_->stays) return &*handles_;
    const auto place = this->place();
    if (handles_) {
      if (auto there = handles_->netns.check_is(place.path); !there) {
        handles_.reset();
        return tl::unexpected<Error>(there.error());
      }
      return &*handles_;
    }
    auto netns = is_own() ? Result<Netns>(Netns()) : Netns::open(place);
    if (!netns) return tl::unexpected<Error>(netns.error());
    handles_.emplace(Handles{std::move(*netns), closed_door({}), {}, is_own() || place.inode.has_value()});
    open_door(*handles_);
    if (generation_ == 0 || !place.inode) ++generation_;
    return &*handles_;
  }

  [[nodiscard]] bool is_own() const { return options_.netns.empty(); }
  [[nodiscard]] NetnsPlace place() const {
    return options_.paths ? options_.paths->of(options_.netns)
                          : NetnsPlace{.path = options_.netns, .inode = {}};
  }

  void open_door(Handles& handles) {
    auto door = is_own()             ? Result<NetnsDoor>(open_door_here())
                : options_.open_door ? options_.open_door(handles.netns, options_.door_patience)
                                     : open_door_inside(handles.netns);
    handles.door = door ? std::move(*door) : door_not_entered(place(), door.error());
    handles.sock_diag.reset();
    handles.opened_at = options_.clock();
  }

  // What shows without entering it.
  static NetnsDoor door_not_entered(const NetnsPlace& place, const Error& why) {
    const auto directory = "/proc/" + std::to_string(place.pid);
    if (place.pid == 0 || !place.inode) return closed_door(why);
    auto door = open_door_of_process(directory, why);
    // Its number may have become another process's, of another namespace, meanwhile.
    const auto lives_there = Netns::open(NetnsPlace{.path = directory + "/ns/net", .inode = place.inode});
    return lives_there ? std::move(door) : closed_door(why);
  }

  // A module may have been loaded; whoever opens namespaces may be back.
  [[nodiscard]] bool is_worth_opening_again(const Error& error) const {
    if (is_own()) return true;
    const auto after = error.code == Errc::missing ? kMissingStays : kTroubleStays;
    return options_.clock() - handles_->opened_at >= after;
  }

  Result<SockDiag*> sock_diag() {
    const auto open = handles();
    if (!open) return tl::unexpected<Error>(open.error());
    auto& [netns, door, opened_at, stays, socket] = **open;
    if (socket) return &*socket;
    auto opened = door.take_sock_diag();
    if (!opened && is_worth_opening_again(opened.error())) {
      open_door(**open);
      opened = door.take_sock_diag();
    }
    if (!opened) return tl::unexpected<Error>(opened.error());
    auto used = SockDiag::use(std::move(*opened), std::min(options_.dump_deadline, kLongestWait));
    if (!used) return tl::unexpected<Error>(used.error());
    return &socket.emplace(std::move(*used));
  }

  Result<void> may_go_on(TimePoint started_at) const {
    if (options_.stopping && options_.stopping()) return unexpected(Errc::failed, "sock_diag: stopped");
    if (options_.clock() - started_at <= options_.dump_deadline) return {};
    return unexpected(Errc::timed_out, "sock_diag: the dump did not end within " +
                                           std::to_string(options_.dump_deadline.count()) + " ms");
  }

  LiveOptions options_;
  std::optional<Handles> handles_;
  std::uint64_t generation_ = 0;  // namespaces opened so far that may differ
  Kmsg kmsg_;
};

}  // namespace

std::unique_ptr<Source> make_live_source(LiveOptions options) {
  return std::make_unique<LiveSource>(std::move(options));
}

}  // namespace tcpdiag
