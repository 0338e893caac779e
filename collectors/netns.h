// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "collectors/netns_paths.h"
#include "core/file_descriptor.h"
#include "core/result.h"

namespace tcpdiag {

/// Whether this process may enter network namespaces, tried with its own: that takes CAP_SYS_ADMIN in the
/// user namespace where it was made, and neither a filter nor a security module that forbids it (setns(2)).
bool may_enter_netns();

/// A network namespace that can be entered, or the process's own.
class Netns {
 public:
  /// The namespace of the process itself.
  Netns() = default;
  /// `name` is a name under /run/netns or a path to a namespace file. Errors: no_netns, denied.
  static Result<Netns> open(const std::string& name);
  /// The one that `file` holds. Errors: it holds none, or a namespace of another type (malformed).
  static Result<Netns> of(FileDescriptor file);
  /// The same of a namespace that must be the one of that inode, where one is given.
  static Result<Netns> open(const NetnsPlace& place);

  /// Runs `work` inside the namespace. Another namespace is entered by a thread that ends afterwards, so that
  /// no thread of ours can ever be left in the wrong one. Errors: setns() was not allowed.
  Result<void> run_inside(const std::function<void()>& work) const;

  /// What holds it; -1 for our own.
  [[nodiscard]] int fd() const { return file_.get(); }

  /// Whether `name`, as of open(), leads to this namespace. Errors: no_netns, when it does not.
  [[nodiscard]] Result<void> check_is(const std::string& name) const;

 private:
  std::string path_;  // that it was opened by; empty: our own
  FileDescriptor file_;
};

}  // namespace tcpdiag
