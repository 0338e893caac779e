// SPDX-License-Identifier: Apache-2.0
// What --netns chooses, by the names that people see.
#pragma once

#include <string>
#include <vector>

#include "collectors/source.h"
#include "core/facts/netns_list.h"
#include "core/netns_filter.h"
#include "core/report.h"
#include "core/result.h"

namespace tcpdiag {

/// Where a command looks.
struct NetnsChoice {
  bool own = true;                 ///< in the program's own namespace
  bool found = true;               ///< in those that are found, as far as the filter wants them
  NetnsFilter filter{};            ///< of names as they are shown
  std::vector<std::string> paths;  ///< further ones: namespace files, or names under /run/netns
  std::vector<FoundNetns> named;   ///< what the filter was made from
};

/// `given`: the values of --netns, each a name as `tcpdiag namespaces` shows it, a pattern of such names, or
/// the path of a namespace file; none: everywhere. `list`: of this machine, whose namespaces this process
/// `may_enter` or not. Errors: nothing there is called
/// so; the detail is the whole line for the user and has names that are close.
Result<NetnsChoice> choose_netns(const std::vector<std::string>& given, const NetnsList& list,
                                 bool may_enter);

/// The same of this machine, which is looked at once where names were given.
Result<NetnsChoice> choose_netns(const std::vector<std::string>& given);

/// Leaves of the report what was chosen, and what is said of the machine as a whole.
void narrow(Report& report, const NetnsChoice& choice);

}  // namespace tcpdiag
