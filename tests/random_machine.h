// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/report.h"
#include "tests/choices.h"

namespace tcpdiag {

/// A machine that may be in any trouble, and whose users are hostile: every name holds what they like, every
/// number is one that its type allows. It keeps what collectors keep: orders, bounds, and what is never
/// empty.
class RandomMachine {
 public:
  explicit RandomMachine(Choices& choices);

  /// What is known a little later. Sections were read again, or not, or cannot be read.
  Snapshot next();
  /// How the collectors' latest runs went.
  std::vector<CollectorRun> runs();

 private:
  void add_netns();
  void change_namespaces();

  Choices& choices_;
  Snapshot snapshot_;
  std::uint32_t netns_added_ = 0;
};

/// A name that somebody chose who means no good, or a usual one.
std::string random_name(Choices& choices);

}  // namespace tcpdiag
