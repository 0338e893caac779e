// SPDX-License-Identifier: Apache-2.0
#include "collectors/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>
#include <thread>

#include "collectors/files.h"

namespace tcpdiag {

namespace {

// That the namespace is not there is another matter than a file in it that is not.
tl::unexpected<Error> netns_error(const std::string& path) {
  auto error = system_error(errno, "network namespace " + path);
  if (error.code == Errc::missing) error.code = Errc::no_netns;
  return tl::unexpected<Error>(std::move(error));
}

std::string path_of(const std::string& name) { return name.starts_with('/') ? name : "/run/netns/" + name; }

tl::unexpected<Error> replaced(const std::string& path) {
  return unexpected(Errc::no_netns, "network namespace " + path + ": replaced by another of the same name");
}

}  // namespace

bool may_enter_netns() {
  const auto own = Netns::open("/proc/self/ns/net");
  return own && own->run_inside([] {});
}

Result<Netns> Netns::open(const NetnsPlace& place) {
  auto netns = open(place.path);
  if (!netns || !place.inode) return netns;
  struct stat opened{};
  if (::fstat(netns->file_.get(), &opened) != 0) return netns_error(netns->path_);
  if (opened.st_ino != *place.inode) return replaced(netns->path_);
  return netns;
}

Result<Netns> Netns::open(const std::string& name) {
  Netns netns;
  netns.path_ = path_of(name);
  netns.file_ = FileDescriptor(::open(netns.path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!netns.file_) return netns_error(netns.path_);
  return netns;
}

Result<Netns> Netns::of(FileDescriptor file) {
  if (auto held = netns_in_file(file, "a descriptor"); !held) return tl::unexpected<Error>(held.error());
  Netns netns;
  netns.path_ = "of a descriptor";
  netns.file_ = std::move(file);
  return netns;
}

Result<void> Netns::run_inside(const std::function<void()>& work) const {
  if (!file_) {
    work();
    return {};
  }
  int failure = 0;
  try {
    std::thread([&] {
      if (::setns(file_.get(), CLONE_NEWNET) == 0)
        work();
      else
        failure = errno;
    }).join();
  } catch (const std::system_error& no_thread) {  // a limit on tasks must not end the daemon
    failure = no_thread.code().value();
  }
  if (failure == 0) return {};
  auto error = system_error(failure, "entering network namespace " + path_);
  if (error.code == Errc::denied) error.detail += " (needs root or CAP_SYS_ADMIN)";
  return tl::unexpected<Error>(std::move(error));
}

Result<void> Netns::check_is(const std::string& name) const {
  if (!file_) return {};
  const auto path = path_of(name);
  struct stat opened{}, named{};
  if (::fstat(file_.get(), &opened) != 0 || ::stat(path.c_str(), &named) != 0) return netns_error(path);
  if (opened.st_ino != named.st_ino || opened.st_dev != named.st_dev) return replaced(path);
  return {};
}

}  // namespace tcpdiag
