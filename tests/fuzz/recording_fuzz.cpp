// SPDX-License-Identifier: Apache-2.0
// One file of a recording holds anything; the first byte says which.
#include <array>

#include "collectors/recording.h"
#include "tests/temporary_directory.h"

using namespace tcpdiag;

namespace {

constexpr std::array kFiles = {"about",       "ticks",         "5/host/sock_diag/states-1024",
                               "5/host/kmsg", "5/host/x.size", "5/host/x.error"};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const TemporaryDirectory directory;
  std::filesystem::create_directories(directory.path("5/host/sock_diag"));
  (void)directory.write("about", "format 1\npage_size 4096\nstarted_unix_ms 1\nstarted_monotonic_ns 1\n");
  (void)directory.write("ticks", "5\n");
  const std::string_view content(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto* file = kFiles[data[0] % kFiles.size()];
  (void)directory.write(file, content);
  if (const auto recording = Recording::open(directory.path(""))) {
    const auto source = recording->source("host");
    (void)source->dump_sockets({.states = state_bit(TcpState::listen)}, [](auto) {});
    (void)source->read_kernel_log();
    (void)source->size("/x");
    (void)source->read("/x");
  }
  std::filesystem::remove(directory.path(file));
  return 0;
}
