// SPDX-License-Identifier: Apache-2.0
#include "collectors/netns_door.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>

#include "collectors/files.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kProcNet = "/proc/net/";

Result<FileDescriptor> opened(FileDescriptor file, std::string_view what) {
  if (!file) return tl::unexpected<Error>(system_error(errno, what));
  return file;
}

FileDescriptor open_at(int directory, const std::string& path, int flags) {
  return FileDescriptor(::openat(directory, path.c_str(), flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
}

/// A file of /proc/net below another directory that shows the same: /proc/net itself is the main thread's
/// namespace, whichever thread opens it.
std::string net_file(const NetnsItem& item, const std::string& net_directory) {
  return net_directory + std::string(item.path.substr(kProcNet.size()));
}

Result<FileDescriptor> open_here(const NetnsItem& item) {
  switch (item.kind) {
    case NetnsItem::Kind::netlink:
      return opened(FileDescriptor(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)),
                    item.path);
    case NetnsItem::Kind::file:
      return opened(open_at(AT_FDCWD, net_file(item, "/proc/thread-self/net/"), O_RDONLY), item.path);
    case NetnsItem::Kind::directory:
      return opened(open_at(AT_FDCWD, std::string(item.path), O_PATH | O_DIRECTORY), item.path);
  }
  return unexpected(Errc::missing, std::string(item.path));
}

template <class Open>
NetnsDoor::Items each_item(Open open) {
  NetnsDoor::Items items;
  for (std::size_t at = 0; at < items.size(); ++at) items[at] = open(kNetnsItems[at]);
  return items;
}

}  // namespace

Result<std::string> NetnsDoor::read(const std::string& path, std::size_t most) const {
  for (std::size_t at = 0; at < kNetnsItems.size(); ++at) {
    const auto& item = kNetnsItems[at];
    const bool is_below = item.kind == NetnsItem::Kind::directory && path.starts_with(item.path) &&
                          path.substr(item.path.size()).starts_with('/');
    if (path != item.path && !is_below) continue;
    if (!items_[at]) return tl::unexpected<Error>(items_[at].error());
    if (!is_below) return read_whole(*items_[at], path, most);
    const auto file = open_at(items_[at]->get(), path.substr(item.path.size() + 1), O_RDONLY);
    if (!file) return tl::unexpected<Error>(system_error(errno, path));
    return read_whole(file, path, most);
  }
  return unexpected(Errc::missing, path + ": not read in other namespaces");
}

Result<FileDescriptor> NetnsDoor::take_sock_diag() {
  if (!items_.front()) return tl::unexpected<Error>(items_.front().error());
  auto taken = std::move(items_.front());
  items_.front() = unexpected(Errc::failed, "sock_diag: in use");
  return taken;
}

NetnsDoor open_door_here() { return NetnsDoor(each_item(open_here)); }

Result<NetnsDoor> open_door_inside(const Netns& netns) {
  NetnsDoor::Items items;
  if (auto ran = netns.run_inside([&] { items = each_item(open_here); }); !ran)
    return tl::unexpected<Error>(ran.error());
  return NetnsDoor(std::move(items));
}

NetnsDoor closed_door(const Error& why) {
  return NetnsDoor(
      each_item([&](const NetnsItem&) { return Result<FileDescriptor>(tl::unexpected<Error>(why)); }));
}

NetnsDoor open_door_of_process(const std::string& proc_pid, const Error& why) {
  return NetnsDoor(each_item([&](const NetnsItem& item) -> Result<FileDescriptor> {
    if (item.kind != NetnsItem::Kind::file) return tl::unexpected<Error>(why);
    return opened(open_at(AT_FDCWD, net_file(item, proc_pid + "/net/"), O_RDONLY), item.path);
  }));
}

}  // namespace tcpdiag
