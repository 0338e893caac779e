// SPDX-License-Identifier: Apache-2.0
// Arguments, one a line. Whatever they are, a refusal is one line.
#include <cstdint>
#include <sstream>

#include "cli/arguments.h"
#include "daemon/flags.h"

using namespace tcpdiag;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream lines(std::string(reinterpret_cast<const char*>(data), size));
  std::vector<std::string> arguments;
  for (std::string line; std::getline(lines, line);) arguments.push_back(line);
  const FlagSpec known[] = {{"--value", true}, {"--list", true, true}, {"--switch"}, {"-h"}};
  const auto given = parse_flags(arguments, known, 1);
  if (!given && given.error().detail.find('\n') != std::string::npos) __builtin_trap();
  const auto command = parse_arguments(arguments);
  if (!command && command.error().detail.find('\n') != std::string::npos) __builtin_trap();
  return 0;
}
