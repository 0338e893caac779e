// SPDX-License-Identifier: Apache-2.0
#include "exporters/http.h"

#include <microhttpd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>

#include "exporters/listen_socket.h"
#include "exporters/open_connections.h"
#include "exporters/without_capabilities.h"

namespace tcpdiag {
namespace {

// A request's header must fit; a longer one is answered with 431.
constexpr std::size_t kConnectionMemoryBytes = 32 << 10;
constexpr unsigned kThreads = 2;

struct StopDaemon {
  void operator()(MHD_Daemon* daemon) const {
    // Stopping it shuts the socket down for everybody, also for a service manager that goes on listening.
    const auto listener = MHD_quiesce_daemon(daemon);
    MHD_stop_daemon(daemon);
    if (listener != MHD_INVALID_SOCKET) close(listener);
  }
};
using Daemon = std::unique_ptr<MHD_Daemon, StopDaemon>;

std::string_view header(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? std::string_view{} : value;
}

bool announces_body(MHD_Connection* connection) {
  const auto length = header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
  return (!length.empty() && length != "0") || !header(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING).empty();
}

MHD_Result send(MHD_Connection* connection, const HttpResponse& answer, bool close) {
  using Body = std::shared_ptr<const std::string>;
  auto* body = new Body(answer.body);  // keeps the page alive until MHD has sent it and frees this
  // MHD takes a pointer to what it could change and does not
  auto* bytes = const_cast<char*>((*body)->data());
  const auto free_body = [](void* shared) { delete static_cast<Body*>(shared); };
  auto* response =
      MHD_create_response_from_buffer_with_free_callback_cls((*body)->size(), bytes, free_body, body);
  if (response == nullptr) {
    free_body(body);
    return MHD_NO;
  }
  for (const auto& [name, value] : answer.headers)
    MHD_add_response_header(response, std::string(name).c_str(), std::string(value).c_str());
  if (close) MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
  const auto queued = MHD_queue_response(connection, static_cast<unsigned>(answer.status), response);
  MHD_destroy_response(response);
  return queued;
}

int descriptor_of(MHD_Connection* connection) {
  return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

}  // namespace

struct HttpServer::Threads {
  using Write = std::function<void(std::string)>;

  Threads(const HttpOptions& options, const Published<Report>& reports, HealthCheck health, HttpLog write_log)
      : pages(reports, std::move(health), options.limits),
        max_connections_per_ip(options.max_connections_per_ip),
        log(std::move(write_log)) {}

  /// Passes on the 1st, 2nd, 4th, 8th ... message of a kind: a peer can cause them as often as it likes.
  void log_seldom(const Write& write, const std::string& kind, const std::string& message) {
    const std::scoped_lock lock(mutex);
    const auto count = ++times_logged[kind];
    if (!std::has_single_bit(count)) return;
    write(message + (count == 1 ? "" : " (" + std::to_string(count) + " times so far)"));
  }

  /// `format` is what MHD calls the message, `text` how it reads.
  void on_message(std::string_view format, std::string_view text) {
    if (!started)  // why it cannot start
      return log.warn("the HTTP server: " + std::string(text));
    if (format.starts_with("Server reached connection limit")) {
      ++refused;
      return log_seldom(log.warn, "refused",
                        "HTTP connection refused: max_connections_per_ip (" +
                            std::to_string(max_connections_per_ip) + ") reached");
    }
    if (format.starts_with("Hit process or system resource limit"))
      return log_seldom(log.warn, "resources",
                        "HTTP connections have to wait: no file descriptor or memory left");
    // some messages hold the page that was answered
    log_seldom(log.debug, std::string(format), "HTTP client: " + std::string(text.substr(0, text.find('<'))));
  }

  MHD_Result handle(MHD_Connection* connection, const char* path, const char* method, void** seen) {
    const HttpRequest request{method, path, header(connection, MHD_HTTP_HEADER_ACCEPT_ENCODING),
                              announces_body(connection)};
    // Answered at the first call, before the body is read, MHD closes the connection; without a body the
    // second call is the one to answer, which keeps it open.
    if (!request.has_body && *seen == nullptr) {
      *seen = this;
      connections_of(connection).requested(descriptor_of(connection));
      return MHD_YES;
    }
    return send(connection, pages.answer(request), request.has_body);
  }

  static OpenConnections& connections_of(MHD_Connection* connection) {
    const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return *static_cast<OpenConnections*>(info->socket_context);
  }

  HttpPages pages;
  const unsigned max_connections_per_ip;
  HttpLog log;
  std::atomic<bool> started = false;
  std::atomic<std::uint64_t> refused = 0;
  std::atomic<std::uint64_t> dropped = 0;
  std::mutex mutex;  ///< guards times_logged and calls of log_seldom's writers
  std::map<std::string, std::uint64_t> times_logged;
  std::vector<std::unique_ptr<OpenConnections>> connections;  ///< of each daemon
  std::vector<Daemon> daemons;  ///< last: its threads use the rest until they are stopped
};

namespace {

template <class Threads>
MHD_Result on_request(void* context, MHD_Connection* connection, const char* path, const char* method,
                      const char*, const char*, std::size_t*, void** seen) {
  auto& threads = *static_cast<Threads*>(context);
  try {
    return threads.handle(connection, path, method, seen);
  } catch (const std::exception& error) {  // MHD is C: nothing may fly through it
    threads.log_seldom(threads.log.warn, "exception", std::string("a request failed: ") + error.what());
    return MHD_NO;
  }
}

template <class Threads>
void on_message(void* context, const char* format, va_list arguments) {
  std::array<char, 512> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  std::string message(text.data());
  while (message.ends_with('\n')) message.pop_back();
  static_cast<Threads*>(context)->on_message(format, message);
}

/// Decodes %XX, except where that would end the text: a path with %00 stays one that nobody serves.
std::size_t decode(void*, MHD_Connection*, char* text) {
  if (std::strstr(text, "%00") != nullptr) return std::strlen(text);
  return MHD_http_unescape(text);
}

void on_connection(void* context, MHD_Connection* connection, void** socket_context,
                   MHD_ConnectionNotificationCode code) {
  auto& connections = *static_cast<OpenConnections*>(context);
  *socket_context = &connections;
  if (code == MHD_CONNECTION_NOTIFY_STARTED)
    connections.opened(descriptor_of(connection));
  else
    connections.closed(descriptor_of(connection));
}

void on_answered(void* context, MHD_Connection* connection, void**, MHD_RequestTerminationCode) {
  static_cast<OpenConnections*>(context)->answered(descriptor_of(connection));
}

Result<std::vector<ListenSocket>> open_sockets(const HttpOptions& options) {
  std::vector<ListenSocket> sockets;
  for (const int fd : options.inherited) {
    auto socket = ListenSocket::adopt(fd);
    if (!socket) return tl::unexpected<Error>(socket.error());
    sockets.push_back(std::move(*socket));
  }
  if (!sockets.empty()) return sockets;
  for (const auto& address : options.listen) {
    auto socket = ListenSocket::open(address);
    if (!socket) return tl::unexpected<Error>(socket.error());
    sockets.push_back(std::move(*socket));
  }
  return sockets;
}

}  // namespace

HttpServer::HttpServer(const HttpOptions& options, const Published<Report>& reports, HealthCheck health,
                       HttpLog log)
    : threads_(std::make_unique<Threads>(options, reports, std::move(health), std::move(log))) {}

HttpServer::~HttpServer() = default;

void HttpServer::set_limits(const Limits& limits) { threads_->pages.set_limits(limits); }

void HttpServer::drop_slow(TimePoint now) {
  for (const auto& connections : threads_->connections) {
    const auto [count, peer] = connections->drop_slow(now);
    if (count == 0) continue;
    threads_->dropped += count;
    threads_->log_seldom(threads_->log.warn, "slow",
                         "HTTP connections dropped: " + std::to_string(count) +
                             " with a client that is too slow, one of them from " + peer);
  }
}

HttpUsage HttpServer::usage() const {
  HttpUsage usage{.refused = threads_->refused, .dropped = threads_->dropped};
  for (const auto& connections : threads_->connections) usage.connections += connections->size();
  return usage;
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpOptions& options,
                                                      const Published<Report>& reports, HealthCheck health,
                                                      HttpLog log) {
  auto opened = open_sockets(options);
  if (!opened) return tl::unexpected<Error>(opened.error());
  auto& sockets = *opened;
  std::unique_ptr<HttpServer> server(new HttpServer(options, reports, std::move(health), std::move(log)));
  auto& threads = *server->threads_;
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    const auto address = sockets[i].address();
    const auto limit = std::max(options.max_connections, kThreads);
    threads.connections.push_back(std::make_unique<OpenConnections>(limit));
    auto* connections = threads.connections.back().get();
    Daemon daemon;
    const auto start_daemon = [&] {
      daemon.reset(MHD_start_daemon(
          MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG, address.port, nullptr, nullptr,
          on_request<Threads>, &threads, MHD_OPTION_EXTERNAL_LOGGER, on_message<Threads>, &threads,
          MHD_OPTION_LISTEN_SOCKET, sockets[i].fd(), MHD_OPTION_THREAD_POOL_SIZE, kThreads,
          MHD_OPTION_NOTIFY_CONNECTION, on_connection, connections, MHD_OPTION_NOTIFY_COMPLETED, on_answered,
          connections, MHD_OPTION_UNESCAPE_CALLBACK, decode, nullptr, MHD_OPTION_CONNECTION_LIMIT, limit,
          MHD_OPTION_PER_IP_CONNECTION_LIMIT, options.max_connections_per_ip, MHD_OPTION_CONNECTION_TIMEOUT,
          static_cast<unsigned>(options.idle_timeout.count()), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
          kConnectionMemoryBytes, MHD_OPTION_END));
    };
    if (const auto called = without_capabilities(start_daemon); !called)
      return tl::unexpected<Error>(called.error());
    if (!daemon)  // MHD has told the log why
      return unexpected(Errc::failed, to_string(address) + ": the HTTP server did not start");
    sockets[i].release();  // MHD closes it
    threads.daemons.push_back(std::move(daemon));
    server->addresses_.push_back(address);
  }
  threads.started = true;
  return server;
}

}  // namespace tcpdiag
