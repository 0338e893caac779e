// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "collectors/source.h"

namespace tcpdiag {

/// A kernel made of a few strings. What a test does not set is missing; what it denies is EACCES.
class FakeSource : public Source {
 public:
  std::map<std::string, Result<std::string>> files;
  std::map<std::string, Result<std::vector<std::string>>> directories;
  std::map<std::string, Result<std::string>> links;
  std::map<std::string, Result<std::string>> protocols;  ///< of the sockets behind links
  std::map<std::string, Result<std::uint64_t>> sizes;
  std::map<std::string, Result<std::uint32_t>> owners;
  std::map<std::string, Result<NetnsFile>> namespaces;  ///< mounted at files
  std::vector<std::string> messages;  ///< payloads that a socket dump shows, whatever it asks for
  Result<void> dump_outcome;          ///< how a dump ends
  Result<KernelLogRecords> kernel_log = KernelLogRecords{};  ///< what each look into the kernel log brings
  std::uint64_t netns_generation = 0;
  std::uint64_t bytes_per_page = 4096;

  void deny(const std::string& path) {
    const auto denied = unexpected(Errc::denied, path + ": Permission denied");
    files[path] = denied;
    directories[path] = denied;
    links[path] = denied;
    protocols[path] = denied;
    sizes[path] = denied;
    owners[path] = denied;
    namespaces[path] = denied;
  }

  Result<std::string> read(const std::string& path) override { return look_up(files, path); }
  Result<std::vector<std::string>> list(const std::string& path) override {
    return look_up(directories, path);
  }
  Result<std::string> link(const std::string& path) override { return look_up(links, path); }
  Result<std::string> socket_protocol(const std::string& path) override { return look_up(protocols, path); }
  Result<std::uint64_t> size(const std::string& path) override { return look_up(sizes, path); }
  Result<std::uint32_t> owner(const std::string& path) override { return look_up(owners, path); }
  Result<NetnsFile> netns_at(const std::string& path) override { return look_up(namespaces, path); }
  Result<void> dump_sockets(const SocketDump&, const OnMessage& on_message) override {
    for (const auto& message : messages) on_message(std::as_bytes(std::span(message)));
    return dump_outcome;
  }
  Result<KernelLogRecords> read_kernel_log() override { return kernel_log; }
  std::uint64_t generation() override { return netns_generation; }
  std::uint64_t page_size() override { return bytes_per_page; }

 private:
  template <class T>
  static Result<T> look_up(const std::map<std::string, Result<T>>& known, const std::string& path) {
    const auto found = known.find(path);
    if (found == known.end()) return unexpected(Errc::missing, path + ": No such file or directory");
    return found->second;
  }
};

}  // namespace tcpdiag
