// SPDX-License-Identifier: Apache-2.0
// say PORT TEXT: whoever connects to 127.0.0.1:PORT first is told TEXT, in which \r and \n stand for these
// characters, when it has said something; then the connection and the program end.
#include <netinet/in.h>
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

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{.sin_family = AF_INET,
                      .sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1]))),
                      .sin_addr = {htonl(INADDR_LOOPBACK)}};
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return 1;
  if (::listen(listener, 1) != 0) return 1;
  const int client = ::accept(listener, nullptr, nullptr);
  std::array<char, 4096> heard{};
  if (::read(client, heard.data(), heard.size()) <= 0) return 1;
  const auto text = unescaped(argv[2]);
  if (::write(client, text.data(), text.size()) != static_cast<ssize_t>(text.size())) return 1;
  ::close(client);
  return 0;
}
