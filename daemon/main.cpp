// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>

#include <exception>
#include <iostream>

#include "core/utf8.h"
#include "daemon/daemon.h"
#include "daemon/finding_log.h"
#include "daemon/loop.h"
#include "daemon/open_files.h"
#include "daemon/socket_activation.h"

namespace {

using namespace tcpdiag;

/// Memory of large temporary buffers goes back to the kernel as soon as it is free. By default glibc keeps
/// more with every large buffer that it frees, in an arena of its own for each thread: a quarter more in all
/// with 60 000 listeners. mallopt(3)
void return_free_memory() {
#ifdef __GLIBC__
  constexpr int kLarge = 256 << 10, kArenas = 2;
  mallopt(M_MMAP_THRESHOLD, kLarge);
  mallopt(M_TRIM_THRESHOLD, kLarge);
  mallopt(M_ARENA_MAX, kArenas);
#endif
}

int run(const std::vector<std::string>& arguments) {
  const auto options = load_options(arguments);
  if (!options) {
    const auto& [code, text] = options.error();
    if (code == 0)
      std::cout << text;
    else
      std::cerr << "tcpdiagd: " << text;
    return code;
  }
  // A start that fails for it would be tried again and again.
  if (const auto checked = check_web_config(*options); !checked) {
    std::cerr << "tcpdiagd: " << one_line(checked.error().detail) << "\n";
    return 2;
  }
  raise_open_files_limit();
  return_free_memory();
  block_loop_signals();
  Log log(options->log_level, options->log_format, journal_behind_standard_error());
  Daemon daemon(arguments, *options, log,
                {.journal = journal_behind_standard_error(),
                 .manager = service_manager_of_this_process(),
                 .sockets = sockets_of_this_process()},
                Clocks::system());
  if (const auto ran = daemon.run(); !ran) {
    log.error(ran.error().detail);
    return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {  // libraries throw; nothing of ours does
    std::cerr << "tcpdiagd: " << error.what() << "\n";
    return 1;
  }
}
