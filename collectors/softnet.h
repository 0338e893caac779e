// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "collectors/collector.h"
#include "collectors/wrapping_counter.h"
#include "core/facts/softnet.h"

namespace tcpdiag {

/// Parses /proc/net/softnet_stat: a line of hexadecimal columns for each CPU that is online. The CPU's number
/// is column 13; kernels before 5.10 have none, and there it is the line's, which is wrong when a CPU is off.
/// The numbers are the kernel's, of 32 bits.
Result<Softnet> parse_softnet(std::string_view text);

/// Reads what each CPU received, dropped and left for later, and goes on counting where the kernel's numbers
/// wrap.
class SoftnetReader {
 public:
  Result<Softnet> operator()(const Reading& reading);

 private:
  struct Cpu {
    WrappingCounter processed, dropped, time_squeezed;
  };
  std::map<std::uint32_t, Cpu> cpus_;  // by number, those that are off now included
};

}  // namespace tcpdiag
