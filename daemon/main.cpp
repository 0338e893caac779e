// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>

#include <exception>
#include <iostream>

#include "collectors/netns_doorkeeper.h"
#include "core/utf8.h"
#include "daemon/daemon.h"
#include "daemon/finding_log.h"
#include "daemon/loop.h"
#include "daemon/netns_doorkeeper/child.h"
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

/// By a child where we may enter namespaces, else by the service that may.
OpenDoor open_by_doorkeeper(const Clocks& clocks) {
  auto child = give_entering_to_a_child();
  auto doorkeeper = child ? std::make_shared<NetnsDoorkeeper>(std::move(*child), clocks.monotonic)
                          : std::make_shared<NetnsDoorkeeper>(kDoorkeeperPath, clocks.monotonic);
  // It may have to be started first, by systemd. The loop will have less patience than we have here.
  if (const auto own = Netns::open("/proc/self/ns/net"))
    static_cast<void>(doorkeeper->open(*own, std::chrono::seconds(2)));
  return [doorkeeper = std::move(doorkeeper)](const Netns& netns, std::chrono::milliseconds patience) {
    return doorkeeper->open(netns, patience);
  };
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
  const auto clocks = Clocks::system();
  auto open_door = open_by_doorkeeper(clocks);  // before there are threads
  Log log(options->log_level, options->log_format, journal_behind_standard_error());
  Daemon daemon(arguments, *options, log,
                {.journal = journal_behind_standard_error(),
                 .manager = service_manager_of_this_process(),
                 .sockets = sockets_of_this_process(),
                 .open_door = std::move(open_door)},
                clocks);
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
