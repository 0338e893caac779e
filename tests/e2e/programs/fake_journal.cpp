// SPDX-License-Identifier: Apache-2.0
// fake_journal PATH [deaf]: stands in for journald at the socket PATH and prints every entry that comes, a
// blank line behind each. When it is deaf it reads nothing, and its queue is full from the beginning.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <vector>

namespace {

void fill_queue(const sockaddr_un& address) {
  const int sender = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  while (::sendto(sender, "x", 1, 0, name, sizeof address) == 1) {
  }
}

}  // namespace

int main(int argc, char** argv) {
  sockaddr_un address{.sun_family = AF_UNIX};
  if (argc < 2 || std::strlen(argv[1]) >= sizeof address.sun_path) return 2;
  std::strcpy(address.sun_path, argv[1]);
  const int journal = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  if (::bind(journal, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return 1;
  if (argc > 2) {
    fill_queue(address);
    for (;;) ::pause();
  }
  std::vector<char> entry(1 << 20);
  for (;;) {
    const auto length = ::recv(journal, entry.data(), entry.size(), 0);
    if (length < 0) return 1;
    std::fwrite(entry.data(), 1, static_cast<std::size_t>(length), stdout);
    std::fputc('\n', stdout);
    std::fflush(stdout);
  }
}
