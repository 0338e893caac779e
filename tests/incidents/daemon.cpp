// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/daemon.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace tcpdiag::incidents {
namespace {

[[noreturn]] void execute(const std::vector<std::string>& words, const std::filesystem::path& log) {
  const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::dup2(file, STDOUT_FILENO);
  ::dup2(file, STDERR_FILENO);
  ::close(file);
  std::vector<char*> arguments;
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execv(arguments[0], arguments.data());
  throw std::runtime_error(words[0] + " cannot be started");
}

std::string netns_of(Side side) { return side == Side::peer ? "peer" : ""; }

}  // namespace

Program::Program(const std::string& name, Side side, const std::vector<std::string>& words)
    : log_("/run/" + name + "-" + (side == Side::peer ? "peer" : "home") + ".log"),
      process_(name, netns_of(side), [&] { execute(words, log_); }) {}

std::string Program::log() const {
  std::ostringstream text;
  text << std::ifstream(log_).rdbuf();
  return text.str();
}

void Program::stop() {
  process_.signal(SIGTERM);
  process_.wait();
}

Program start_daemon(const std::filesystem::path& programs, Side side, bool finds_containers) {
  std::vector<std::string> words = {programs / "tcpdiagd", "--web.listen-address=127.0.0.1:10180"};
  if (!finds_containers) words.emplace_back("--no-collector.namespaces");
  return {"tcpdiagd", side, words};
}

Program start_recording(const std::filesystem::path& programs, Side side,
                        const std::filesystem::path& directory) {
  return {"record", side, {programs / "tcpdiag", "record", directory, "--duration=110s"}};
}

}  // namespace tcpdiag::incidents
