// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/known_servers.h"

#include <algorithm>
#include <array>

namespace tcpdiag {
namespace {

constexpr auto kServers = std::to_array<KnownServer>({
    {"nginx", "nginx", "listen ... backlog={backlog}; in nginx.conf, then reload nginx", "511",
     "worker_rlimit_nofile {limit}; in nginx.conf, then reload nginx",
     "worker_connections in the events block of nginx.conf", true},
    {"gunicorn*", "gunicorn", "gunicorn --backlog {backlog}", "2048", "",
     "gunicorn --workers and --threads, --worker-connections with gevent"},
    {"uvicorn*", "uvicorn", "uvicorn --backlog {backlog}", "2048"},
    {"hypercorn*", "hypercorn", "hypercorn --backlog {backlog}", "100"},
    {"uwsgi*", "uWSGI", "uwsgi --listen {backlog}", "100", "uwsgi --max-fd {limit}",
     "uwsgi --processes and --threads"},
    {"redis-server", "Redis", "tcp-backlog {backlog} in redis.conf", "511", "", "maxclients in redis.conf"},
    {"valkey-server", "Valkey", "tcp-backlog {backlog} in valkey.conf", "511", "",
     "maxclients in valkey.conf"},
    {"haproxy", "HAProxy", "backlog {backlog} in the frontend or defaults section of haproxy.cfg",
     "maxconn of the frontend", "", "maxconn in the global section and of the frontend in haproxy.cfg"},
    {"apache2", "Apache httpd", "ListenBackLog {backlog} in apache2.conf", "511", "",
     "MaxRequestWorkers in apache2.conf"},
    {"httpd", "Apache httpd", "ListenBackLog {backlog} in httpd.conf", "511", "",
     "MaxRequestWorkers in httpd.conf"},
    {"java", "Java",
     "acceptCount=\"{backlog}\" of Tomcat's Connector, server.tomcat.accept-count={backlog} of Spring Boot, "
     "new ServerSocket(port, {backlog})",
     "50 (ServerSocket), 100 (Tomcat)", "", "maxConnections and maxThreads of Tomcat's Connector"},
    {"mysqld", "MySQL", "back_log={backlog} under [mysqld] in my.cnf", "max_connections",
     "open_files_limit={limit} under [mysqld] in my.cnf", "max_connections under [mysqld] in my.cnf"},
    {"mariadbd", "MariaDB", "back_log={backlog} under [mysqld] in my.cnf", "at most 900",
     "open_files_limit={limit} under [mysqld] in my.cnf", "max_connections under [mysqld] in my.cnf"},
    {"postgres", "PostgreSQL", "it has no setting for it and asks for 2 x max_connections",
     "2 x max_connections", "", "max_connections in postgresql.conf"},
    {"memcached", "memcached", "memcached -b {backlog}", "1024", "", "memcached -c"},
    {"node", "Node.js", "server.listen({port, backlog: {backlog}})", "511"},
    {"puma*", "Puma", "bind 'tcp://0.0.0.0:PORT?backlog={backlog}' in config/puma.rb", "1024", "",
     "threads and workers in config/puma.rb"},
    {"unicorn*", "Unicorn", "listen PORT, backlog: {backlog} in unicorn.rb", "1024"},
    {"php-fpm*", "PHP-FPM", "listen.backlog = {backlog} in the pool's .conf", "511",
     "rlimit_files = {limit} in the pool's .conf", "pm.max_children in the pool's .conf"},
    {"envoy", "Envoy", "tcp_backlog_size: {backlog} of the listener", "somaxconn"},
    {"traefik", "Traefik",
     "it has no setting for it: Go asks for net.core.somaxconn as it was when the "
     "program started",
     "somaxconn"},
    {"dockerd", "Docker",
     "it has no setting for it: Go asks for net.core.somaxconn as it was when the "
     "program started",
     "somaxconn"},
    {"caddy", "Caddy",
     "it has no setting for it: Go asks for net.core.somaxconn as it was when the program "
     "started",
     "somaxconn"},
    {"sshd", "OpenSSH", "it has no setting for it and asks for 128", "128"},
    {"python*", "Python",
     "sock.listen({backlog}); for socketserver request_queue_size = {backlog}; for gevent backlog={backlog}",
     "5 (socketserver), 256 (gevent), 100 (asyncio)"},
});

bool matches(std::string_view pattern, std::string_view process) {
  if (!pattern.ends_with('*')) return pattern == process;
  return process.starts_with(pattern.substr(0, pattern.size() - 1));
}

// Other braces belong to the server's own language.
std::string with_number(std::string_view knob, std::string_view place, std::string_view number) {
  std::string text(knob);
  for (auto at = text.find(place); at != std::string::npos; at = text.find(place, at + number.size()))
    text.replace(at, place.size(), number);
  return text;
}

}  // namespace

std::span<const KnownServer> known_servers() { return kServers; }

const KnownServer* find_known_server(std::string_view process) {
  const auto found = std::ranges::find_if(
      kServers, [&](const KnownServer& server) { return matches(server.process, process); });
  return found == kServers.end() ? nullptr : &*found;
}

std::optional<std::string> server_knob(std::string_view process, std::string_view backlog) {
  const auto* server = find_known_server(process);
  if (server == nullptr) return std::nullopt;
  return with_number(server->backlog, "{backlog}", backlog);
}

std::optional<std::string> connection_knob(std::string_view process) {
  const auto* server = find_known_server(process);
  if (server == nullptr || server->connections.empty()) return std::nullopt;
  return std::string(server->connections);
}

std::optional<std::string> closing_knob(std::string_view process) {
  const auto* server = find_known_server(process);
  return server == nullptr || !server->closes_beyond ? std::nullopt : connection_knob(process);
}

std::optional<std::string> descriptor_knob(std::string_view process, std::string_view limit) {
  const auto* server = find_known_server(process);
  if (server == nullptr || server->descriptors.empty()) return std::nullopt;
  return with_number(server->descriptors, "{limit}", limit);
}

}  // namespace tcpdiag
