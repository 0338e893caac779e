// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/real_servers.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/shell.h"

namespace tcpdiag::incidents {
namespace {

std::vector<pid_t> children_of(pid_t pid) {
  const auto text = std::to_string(pid);
  std::ifstream file("/proc/" + text + "/task/" + text + "/children");
  std::vector<pid_t> children;
  for (pid_t child = 0; file >> child;) children.push_back(child);
  return children;
}

bool share_one(const std::vector<pid_t>& one, const std::vector<pid_t>& other) {
  return std::ranges::any_of(one, [&](pid_t pid) { return std::ranges::find(other, pid) != other.end(); });
}

Program start_nginx(const NginxPlan& plan) {
  const std::filesystem::path directory = "/run/nginx";
  std::filesystem::create_directories(directory / "html");
  std::ofstream(directory / "html/index.html") << "It works.\n";
  std::ofstream(directory / "html/large") << std::string(1 << 20, 'x');
  std::ofstream(directory / "nginx.conf")
      << "daemon off;\nuser nobody nogroup;\npid nginx.pid;\nerror_log stderr;\nworker_processes "
      << plan.workers << ";\nevents { worker_connections " << plan.worker_connections << "; }\n"
      << "http {\naccess_log off;\nclient_body_temp_path body;\nproxy_temp_path proxy;\n"
      << "fastcgi_temp_path fastcgi;\nuwsgi_temp_path uwsgi;\nscgi_temp_path scgi;\n"
      << "server {\nlisten " << plan.port << ' ' << plan.listen << ";\nroot html;\n"
      << plan.server << "\n}\n}\n";
  return {"nginx",
          Side::home,
          {find_program("nginx"), "-p", directory.string() + "/", "-c", "nginx.conf", "-e", "stderr"}};
}

Program start_gunicorn(std::uint16_t port, unsigned workers) {
  const std::filesystem::path directory = "/run/gunicorn";
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "app.py")
      << "def app(environ, start_response):\n"
         "    body = b'It works.\\n'\n"
         "    start_response('200 OK', [('Content-Length', str(len(body)))])\n"
         "    return [body]\n";
  return {"gunicorn",
          Side::home,
          {find_program("gunicorn"), "--bind", "0.0.0.0:" + std::to_string(port), "--workers",
           std::to_string(workers), "--chdir", directory, "--worker-tmp-dir", directory, "app:app"}};
}

}  // namespace

std::filesystem::path find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream directories(path == nullptr ? "" : path);
  for (std::string directory; std::getline(directories, directory, ':');)
    if (const auto file = std::filesystem::path(directory) / name; ::access(file.c_str(), X_OK) == 0)
      return file;
  return {};
}

std::vector<pid_t> Prefork::workers() const { return children_of(master()); }

Nginx::Nginx(const NginxPlan& plan) : Prefork(start_nginx(plan)) {
  wait_until("nginx", [&] { return workers().size() == plan.workers; });
}

Gunicorn::Gunicorn(std::uint16_t port, unsigned workers_) : Prefork(start_gunicorn(port, workers_)) {
  wait_until("gunicorn", [&] { return workers().size() == workers_; });
}

Reloads::Reloads(const Prefork& server, std::chrono::milliseconds apart)
    : actor_("reload", "", [master = server.master(), apart](Tally& tally) {
        for (;; ++tally.done) {
          std::this_thread::sleep_for(apart);
          const auto before = children_of(master);
          ::kill(master, SIGHUP);
          wait_until("other workers", [&] {
            const auto workers = children_of(master);
            return workers.size() == before.size() && !share_one(workers, before);
          });
        }
      }) {}

}  // namespace tcpdiag::incidents
