// SPDX-License-Identifier: Apache-2.0
#include "collectors/live_source.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>

#include "collectors/files.h"
#include "collectors/kmsg.h"
#include "collectors/netns.h"
#include "collectors/sock_diag.h"

namespace tcpdiag {
namespace {

constexpr std::chrono::milliseconds kLongestWait{1000};  // for one answer of a dump

// /proc/net and /proc/sys/net show the namespace of the task that opens them; an open file keeps showing it.
bool belongs_to_netns(const std::string& path) {
  return path.starts_with("/proc/net/") || path.starts_with("/proc/sys/net/");
}

// /proc/net is the main thread's namespace, whichever thread opens it.
std::string for_this_thread(const std::string& path) {
  constexpr std::string_view kProcNet = "/proc/net/";
  return path.starts_with(kProcNet) ? "/proc/thread-self/net/" + path.substr(kProcNet.size()) : path;
}

// Files of an interface, which may be gone for good at the next look: kept open they would only pile up.
bool comes_and_goes(const std::string& path) { return path.starts_with("/proc/sys/net/ipv4/conf/"); }

// What is open in one namespace.
struct Handles {
  Netns netns;
  std::optional<SockDiag> sock_diag;
  std::map<std::string, FileDescriptor> files;
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
    if (!dumped)
      handles_->sock_diag.reset();  // what an abandoned dump has left to say must not answer the next one
    return dumped;
  }

 private:
  Result<std::string> read_in_netns(const std::string& path) {
    return handles().and_then([&](Handles* handles) -> Result<std::string> {
      if (comes_and_goes(path))
        return open_in_netns(handles->netns, path).and_then([&](const FileDescriptor& file) {
          return read_whole(file, path, kMaxFileBytes);
        });
      auto known = handles->files.find(path);
      if (known == handles->files.end()) {
        auto opened = open_in_netns(handles->netns, path);
        if (!opened) return tl::unexpected<Error>(opened.error());
        known = handles->files.emplace(path, std::move(*opened)).first;
      }
      auto content = read_whole(known->second, path, kMaxFileBytes);
      if (!content) handles->files.erase(known);  // a module that was unloaded and is back has a new file
      return content;
    });
  }

  static Result<FileDescriptor> open_in_netns(const Netns& netns, const std::string& path) {
    Result<FileDescriptor> file = tl::unexpected<Error>(Error{});
    if (auto ran = netns.run_inside([&] { file = open_file(for_this_thread(path)); }); !ran)
      return tl::unexpected<Error>(ran.error());
    return file;
  }

  // Opens the namespace when it is not open, or is no longer the one of that name.
  Result<Handles*> handles() {
    const auto place =
        options_.paths ? options_.paths->of(options_.netns) : NetnsPlace{.path = options_.netns, .inode = {}};
    if (handles_) {
      if (auto there = handles_->netns.check_is(place.path); !there) {
        handles_.reset();
        return tl::unexpected<Error>(there.error());
      }
      return &*handles_;
    }
    auto netns = options_.netns.empty() ? Result<Netns>(Netns()) : Netns::open(place);
    if (!netns) return tl::unexpected<Error>(netns.error());
    handles_.emplace(Handles{std::move(*netns), std::nullopt, {}});
    if (generation_ == 0 || !place.inode) ++generation_;
    return &*handles_;
  }

  Result<SockDiag*> sock_diag() {
    const auto open = handles();
    if (!open) return tl::unexpected<Error>(open.error());
    auto& socket = (*open)->sock_diag;
    if (socket) return &*socket;
    Result<SockDiag> opened = tl::unexpected<Error>(Error{});
    if (auto ran = (*open)->netns.run_inside(
            [&] { opened = SockDiag::open(std::min(options_.dump_deadline, kLongestWait)); });
        !ran)
      return tl::unexpected<Error>(ran.error());
    if (!opened) return tl::unexpected<Error>(opened.error());
    return &socket.emplace(std::move(*opened));
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
