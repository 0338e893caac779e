// SPDX-License-Identifier: Apache-2.0
// One file of a recording holds anything; the first byte says which.
#include <array>

#include "collectors/recording.h"
#include "tests/temporary_directory.h"

using namespace tcpdiag;

namespace {

struct File {
  const char* name;
  const char* content;
};
constexpr std::array<File, 8> kFiles = {{
    {"about", "format 1\npage_size 4096\nstarted_unix_ms 1\nstarted_monotonic_ns 1\n"},
    {"ticks", "5\n"},
    {"5/host/sock_diag/states-1024", ""},
    {"5/host/kmsg", "6,1,1,-;text\n"},
    {"5/host/x.size", "7"},
    {"5/host/x.error", "denied\n/x: Permission denied"},
    {"5/host/fd.links", "1 socket:[7]\n"},
    {"5/host/fd.protocols", "1 TCP\n"},
}};

// A whole recording that is made once.
const TemporaryDirectory& recorded() {
  static const TemporaryDirectory directory;
  std::filesystem::create_directories(directory.path("5/host/sock_diag"));
  for (const auto& file : kFiles) (void)directory.write(file.name, file.content);
  return directory;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto& directory = recorded();
  if (size == 0) return 0;
  const auto& file = kFiles[data[0] % kFiles.size()];
  (void)directory.write(file.name, {reinterpret_cast<const char*>(data + 1), size - 1});
  if (const auto recording = Recording::open(directory.path(""))) {
    const auto source = recording->source("host");
    (void)source->dump_sockets({.states = state_bit(TcpState::listen)}, [](auto) {});
    (void)source->read_kernel_log();
    (void)source->size("/x");
    (void)source->link("/fd/1");
    (void)source->socket_protocol("/fd/1");
    (void)source->read("/x");
  }
  (void)directory.write(file.name, file.content);
  return 0;
}
