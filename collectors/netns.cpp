// SPDX-License-Identifier: Apache-2.0
#include "collectors/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>
#include <thread>

namespace tcpdiag {

namespace {

// That the namespace is not there is another matter than a file in it that is not.
tl::unexpected<Error> netns_error(const std::string& path) {
  auto error = system_error(errno, "network namespace " + path);
  if (error.code == Errc::missing) error.code = Errc::no_netns;
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace

Result<Netns> Netns::open(const std::string& name) {
  Netns netns;
  netns.path_ = name.find('/') == std::string::npos ? "/run/netns/" + name : name;
  netns.file_ = FileDescriptor(::open(netns.path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!netns.file_) return netns_error(netns.path_);
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

Result<void> Netns::check_still_there() const {
  if (!file_) return {};
  struct stat opened{}, named{};
  if (::fstat(file_.get(), &opened) != 0 || ::stat(path_.c_str(), &named) != 0) return netns_error(path_);
  if (opened.st_ino != named.st_ino || opened.st_dev != named.st_dev)
    return unexpected(Errc::no_netns,
                      "network namespace " + path_ + ": replaced by another of the same name");
  return {};
}

}  // namespace tcpdiag
