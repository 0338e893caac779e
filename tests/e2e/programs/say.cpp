// SPDX-License-Identifier: Apache-2.0
// say PORT TEXT [MORE [MILLISECONDS]]: whoever connects to 127.0.0.1:PORT first is told TEXT, in which \r and
// \n stand for these characters, when it has said something, which is shown; then MORE, again and again until
// it hangs up, every so many milliseconds or without a pause. Then the connection and the program end.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

std::string unescaped(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 1 < text.size();
    if (escape) ++i;
    result += !escape ? text[i] : text[i] == 'r' ? '\r' : text[i] == 'n' ? '\n' : text[i];
  }
  return result;
}

bool say(int client, const std::string& text) {
  return ::send(client, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

/// Waits; false when the other side hangs up meanwhile.
bool pause(int client, int milliseconds) {
  pollfd hung_up{.fd = client, .events = POLLRDHUP};
  return ::poll(&hung_up, 1, milliseconds) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 5) return 2;
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{.sin_family = AF_INET,
                      .sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1]))),
                      .sin_addr = {htonl(INADDR_LOOPBACK)}};
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return 1;
  if (::listen(listener, 1) != 0) return 1;
  const int client = ::accept(listener, nullptr, nullptr);
  ::close(listener);  // before anything is said: who has heard it may start the next one on this port
  std::array<char, 4096> heard{};
  const auto length = ::read(client, heard.data(), heard.size());
  if (length <= 0 || ::write(STDOUT_FILENO, heard.data(), static_cast<std::size_t>(length)) != length)
    return 1;
  if (!say(client, unescaped(argv[2]))) return 1;
  if (argc > 3) {
    const auto more = unescaped(argv[3]);
    while (say(client, more) && pause(client, argc > 4 ? std::atoi(argv[4]) : 0)) {
    }
  }
  ::close(client);
  return 0;
}
