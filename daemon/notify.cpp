// SPDX-License-Identifier: Apache-2.0
#include "daemon/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "daemon/environment_number.h"

namespace tcpdiag {

ServiceManager::ServiceManager(std::string_view notify_socket,
                               std::optional<std::chrono::microseconds> watchdog) {
  const bool abstract = notify_socket.starts_with('@');
  const auto longest = sizeof(sockaddr_un::sun_path) - (abstract ? 0 : 1);
  if (notify_socket.size() < 2 || notify_socket.size() > longest) return;
  if (!abstract && !notify_socket.starts_with('/')) return;
  socket_ = FileDescriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_) return;
  address_ = notify_socket;
  if (abstract) address_.front() = '\0';
  watchdog_ = watchdog;
}

void ServiceManager::ready() {
  due_.emplace_back("READY=1");
  send_due();
}

void ServiceManager::reloading(TimePoint now) {
  const auto usec = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
  due_ = {"RELOADING=1\nMONOTONIC_USEC=" + std::to_string(usec.count())};
  send_due();
}

void ServiceManager::stopping() {
  due_ = {"STOPPING=1"};
  send_due();
}

void ServiceManager::status(const std::string& line) {
  if (line != status_ && send("STATUS=" + line)) status_ = line;
}

void ServiceManager::ticked(TimePoint now) {
  send_due();
  const bool due = watchdog_ && (!told_ || now - *told_ >= *watchdog_ / 2);
  if (due && send("WATCHDOG=1")) told_ = now;
}

void ServiceManager::send_due() {
  while (!due_.empty() && send(due_.front())) due_.pop_front();
}

bool ServiceManager::send(const std::string& message) {
  if (address_.empty()) return true;
  sockaddr_un address{.sun_family = AF_UNIX};
  std::memcpy(address.sun_path, address_.data(), address_.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  return ::sendto(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL,
                  reinterpret_cast<const sockaddr*>(&address), length) >= 0;
}

std::optional<std::chrono::microseconds> parse_watchdog(const char* usec, const char* pid, long own_pid) {
  if (pid != nullptr && environment_number(pid) != own_pid) return std::nullopt;
  const auto number = environment_number(usec);
  if (!number) return std::nullopt;
  return std::chrono::microseconds(*number);
}

ServiceManager service_manager_of_this_process() {
  const char* socket = std::getenv("NOTIFY_SOCKET");
  if (socket == nullptr) return {};
  return ServiceManager(
      socket, parse_watchdog(std::getenv("WATCHDOG_USEC"), std::getenv("WATCHDOG_PID"), ::getpid()));
}

}  // namespace tcpdiag
