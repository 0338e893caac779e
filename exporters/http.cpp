// SPDX-License-Identifier: Apache-2.0
#include "exporters/http.h"

#include <microhttpd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdarg>
#include <cstdio>
#include <map>
#include <mutex>

#include "exporters/listen_socket.h"

namespace tcpdiag {
namespace {

// A request's header must fit; a longer one is answered with 431.
constexpr std::size_t kConnectionMemoryBytes = 32 << 10;
constexpr unsigned kThreads = 2;

struct StopDaemon {
  void operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }
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

}  // namespace

struct HttpServer::Threads {
  Threads(const Published<Report>& reports, HealthCheck health, Limits limits, Log write_log)
      : pages(reports, std::move(health), limits), log(std::move(write_log)) {}

  /// Passes on the 1st, 2nd, 4th, 8th ... message of a kind: a peer can cause them as often as it likes.
  void log_seldom(const std::string& kind, const std::string& message) {
    const std::scoped_lock lock(mutex);
    const auto count = ++times_logged[kind];
    if (!std::has_single_bit(count)) return;
    log(message + (count == 1 ? "" : " (" + std::to_string(count) + " times so far)"));
  }

  MHD_Result handle(MHD_Connection* connection, const char* path, const char* method, void** seen) {
    const HttpRequest request{method, path, header(connection, MHD_HTTP_HEADER_ACCEPT_ENCODING),
                              announces_body(connection)};
    // Answered at the first call, before the body is read, MHD closes the connection; without a body the
    // second call is the one to answer, which keeps it open.
    if (!request.has_body && *seen == nullptr) {
      *seen = this;
      return MHD_YES;
    }
    return send(connection, pages.answer(request), request.has_body);
  }

  HttpPages pages;
  Log log;
  std::mutex mutex;  ///< guards times_logged and calls of log
  std::map<std::string, std::uint64_t> times_logged;
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
    threads.log_seldom("exception", std::string("a request failed: ") + error.what());
    return MHD_NO;
  }
}

template <class Threads>
void on_message(void* context, const char* format, va_list arguments) {
  std::array<char, 512> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  std::string message(text.data());
  while (message.ends_with('\n')) message.pop_back();
  static_cast<Threads*>(context)->log_seldom(format, message);
}

}  // namespace

HttpServer::HttpServer(const HttpOptions& options, const Published<Report>& reports, HealthCheck health,
                       Log log)
    : threads_(std::make_unique<Threads>(reports, std::move(health), options.limits, std::move(log))) {}

HttpServer::~HttpServer() = default;

void HttpServer::set_limits(const Limits& limits) { threads_->pages.set_limits(limits); }

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpOptions& options,
                                                      const Published<Report>& reports, HealthCheck health,
                                                      Log log) {
  std::vector<ListenSocket> sockets;
  for (const auto& address : options.listen) {
    auto socket = ListenSocket::open(address);
    if (!socket) return tl::unexpected<Error>(socket.error());
    sockets.push_back(std::move(*socket));
  }
  std::unique_ptr<HttpServer> server(new HttpServer(options, reports, std::move(health), std::move(log)));
  auto& threads = *server->threads_;
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    const auto port = sockets[i].port();
    Daemon daemon(MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG, port, nullptr, nullptr,
        on_request<Threads>, &threads, MHD_OPTION_EXTERNAL_LOGGER, on_message<Threads>, &threads,
        MHD_OPTION_LISTEN_SOCKET, sockets[i].fd(), MHD_OPTION_THREAD_POOL_SIZE, kThreads,
        MHD_OPTION_CONNECTION_LIMIT, std::max(options.max_connections, kThreads),
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, options.max_connections_per_ip, MHD_OPTION_CONNECTION_TIMEOUT,
        static_cast<unsigned>(options.idle_timeout.count()), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        kConnectionMemoryBytes, MHD_OPTION_END));
    if (!daemon)  // MHD has told the log why
      return unexpected(Errc::failed, to_string(options.listen[i]) + ": the HTTP server did not start");
    sockets[i].release();  // MHD closes it
    threads.daemons.push_back(std::move(daemon));
    server->addresses_.push_back({options.listen[i].address, port});
  }
  return server;
}

}  // namespace tcpdiag
