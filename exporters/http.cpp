// SPDX-License-Identifier: Apache-2.0
#include "exporters/http.h"

#include <microhttpd.h>
#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>
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
#include <system_error>
#include <thread>

#include "exporters/acceptor.h"
#include "exporters/http_exchange.h"
#include "exporters/listen_socket.h"
#include "exporters/mhd_loop.h"
#include "exporters/open_connections.h"
#include "exporters/rate_limiter.h"
#include "exporters/tls_relay.h"
#include "exporters/without_capabilities.h"

namespace tcpdiag {
namespace {

// A request's header must fit; a longer one is answered with 431.
constexpr std::size_t kConnectionMemoryBytes = 16 << 10;
constexpr unsigned kThreads = 2;
// Whoever got in before the server stops is answered, if that takes no longer.
constexpr std::chrono::milliseconds kLastAnswers{200}, kLook{2};

int descriptor_of(MHD_Connection* connection) {
  return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

/// The address of the client, without its port; empty: not known.
std::string address_text(const Accepted& client) {
  std::array<char, NI_MAXHOST> text{};
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&client.peer), client.peer_length, text.data(),
                  text.size(), nullptr, 0, NI_NUMERICHOST) != 0)
    return {};
  return text.data();
}

/// The kernel would keep megabytes for each client that does not read; and they are written before it is
/// known.
void limit_send_buffer(int fd) {
  constexpr int kBytes = 128 << 10;
  (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kBytes, sizeof kBytes);
}

/// A connection that MHD serves, by its client: with TLS, MHD has another descriptor.
struct Served {
  OpenConnections& connections;
  int fd;
  bool closes_with_mhd;  // and not when the TLS of it ends
};

Served& served_by(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return *static_cast<Served*>(info->socket_context);
}

/// A request without a body, between the calls that MHD makes about it.
struct Asking {
  std::optional<int> admitted;  // see admit(); empty: not known yet
  bool served = false;          // answered with what it had asked for
};

}  // namespace

struct HttpServer::Threads {
  using Write = std::function<void(std::string)>;

  Threads(const HttpOptions& options, const Published<Report>& reports, HealthCheck health, HttpLog write_log)
      : pages(reports, std::move(health), options.limits),
        max_connections_per_ip(options.max_connections_per_ip),
        clock(options.clock),
        log(std::move(write_log)) {
    pages.set_allowed_hosts(options.allowed_hosts);
    security.publish(options.security ? options.security : std::make_shared<const WebSecurity>());
  }

  ~Threads() {
    acceptor.reset();  // nobody gets in any more
    const auto someone_waits = [](const auto& listener) { return listener->unanswered() > 0; };
    for (auto left = kLastAnswers; left.count() > 0 && std::ranges::any_of(listeners, someone_waits);
         left -= kLook)
      std::this_thread::sleep_for(kLook);
    passwords.stop();  // MHD cannot be stopped while a connection waits
    loops.clear();
    relay.reset();
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

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
    // some messages hold the page that was answered
    log_seldom(log.debug, std::string(format), "HTTP client: " + std::string(text.substr(0, text.find('<'))));
  }

  MHD_Result handle(MHD_Connection* connection, const char* path, const char* method,
                    std::string_view version, void** seen) {
    const auto in_force = security.latest();
    const auto framing = framing_of(connection);
    const HttpRequest request{method,
                              path,
                              header_of(connection, MHD_HTTP_HEADER_ACCEPT_ENCODING),
                              announces_body(framing, connection),
                              header_of(connection, MHD_HTTP_HEADER_HOST),
                              netns_of(connection)};
    const auto reply = [&](HttpResponse answer, bool close = false) {
      set_headers(answer, in_force->headers);
      return send(connection, answer, close);
    };
    if (*seen == nullptr && is_ambiguous(framing, version)) return reply(refuse(400), true);
    // Answered at the first call, before the body is read, MHD closes the connection; without a body the
    // second call is the one to answer, which keeps it open.
    if (request.has_body) return reply(pages.answer(request), true);
    if (*seen == nullptr) {
      *seen = new Asking;
      const auto& client = served_by(connection);
      client.connections.requested(client.fd);
      return MHD_YES;
    }
    auto& asking = *static_cast<Asking*>(*seen);
    const auto status = admit(connection, *in_force, asking);
    if (!status) return MHD_YES;  // it waits, and will come again
    auto answer = *status == 200 ? pages.answer(request) : refuse(*status);
    asking.served = answer.status == 200;
    return reply(std::move(answer));
  }

  /// 200: the request may be answered; empty: the connection waits for its password to be checked; otherwise
  /// how it is refused.
  std::optional<int> admit(MHD_Connection* connection, const WebSecurity& in_force, Asking& asking) {
    const auto& client = served_by(connection);
    if (asking.admitted) {
      client.connections.requested(client.fd);
      return asking.admitted;
    }
    if (in_force.rate_limit && clock && !limiter.allow(*in_force.rate_limit, clock()))
      return count(limited, 429);
    if (in_force.users.empty()) return 200;
    const auto credentials = parse_basic_auth(header_of(connection, MHD_HTTP_HEADER_AUTHORIZATION));
    if (!credentials) return 401;
    const auto waits = [&client, connection] {
      client.connections.held(client.fd);
      MHD_suspend_connection(connection);
    };
    const auto checked = [this, connection, &asking](std::optional<bool> right) {
      asking.admitted = !right ? 503 : *right ? 200 : count(unauthorized, 401);
      MHD_resume_connection(connection);
      for (const auto& loop : loops) loop->wake();
    };
    switch (passwords.check(in_force.users, *credentials, client.connections.address_of(client.fd), waits,
                            checked)) {
      case PasswordChecks::Answer::right: return 200;
      case PasswordChecks::Answer::later: return std::nullopt;
      case PasswordChecks::Answer::busy: break;
    }
    return count(limited, 503);
  }

  static int count(std::atomic<std::uint64_t>& refusals, int status) {
    ++refusals;
    return status;
  }

  /// Starts all there is. An Error: MHD did not start, and the log says why.
  std::optional<Error> begin(const HttpOptions& options, std::vector<ListenSocket> opened);
  std::size_t connection_limit(const HttpOptions& options, std::size_t of_listeners);
  void accepted(const Accepted& client);
  void no_room(int error);
  /// Has MHD serve plain HTTP at `fd` for a client whose descriptor is that or, with TLS, another one.
  void serve(const Accepted& client, int fd);
  Served* take_handed_over(int fd);

  HttpPages pages;
  const unsigned max_connections_per_ip;
  const std::function<TimePoint()> clock;
  Published<WebSecurity> security;
  RateLimiter limiter;
  PasswordChecks passwords;
  HttpLog log;
  std::atomic<bool> started = false;
  std::atomic<std::uint64_t> refused = 0;
  std::atomic<std::uint64_t> dropped = 0;
  std::atomic<std::uint64_t> unauthorized = 0;
  std::atomic<std::uint64_t> limited = 0;
  std::mutex mutex;  ///< guards times_logged and calls of log_seldom's writers
  std::map<std::string, std::uint64_t> times_logged;
  std::mutex handed_over_mutex;
  /// To MHD, which has not looked at them yet; by its fd.
  std::map<int, std::unique_ptr<Served>> handed_over;
  std::vector<ListenSocket> sockets;
  std::vector<std::unique_ptr<OpenConnections>> listeners;  ///< of each of them
  // From the last one on, their threads use the rest until they are stopped.
  std::vector<std::unique_ptr<MhdLoop>> loops;
  std::atomic<std::size_t> next_loop = 0;
  std::unique_ptr<TlsRelay> relay;  ///< nullptr: plain HTTP
  std::unique_ptr<Acceptor> acceptor;
};

void HttpServer::Threads::accepted(const Accepted& client) {
  auto& connections = *listeners[client.listener];
  switch (connections.arrives(client.fd, address_text(client))) {
    case OpenConnections::Arrival::taken:
      limit_send_buffer(client.fd);
      if (!relay) return serve(client, client.fd);
      connections.opened(client.fd);
      return relay->add(client, security.latest()->tls);
    case OpenConnections::Arrival::address_full:
      log_seldom(log.warn, "refused",
                 "HTTP connection refused: max_connections_per_ip (" +
                     std::to_string(max_connections_per_ip) + ") reached");
      break;
    case OpenConnections::Arrival::full:
      log_seldom(log.warn, "full",
                 "HTTP connection refused: max_connections reached, and all of them are busy");
      break;
  }
  ++refused;
  close(client.fd);
}

void HttpServer::Threads::no_room(int error) {
  log_seldom(log.warn, "resources",
             "HTTP connections have to wait: " + std::generic_category().message(error));
}

void HttpServer::Threads::serve(const Accepted& client, int fd) {
  {
    const std::scoped_lock lock(handed_over_mutex);
    handed_over[fd] = std::make_unique<Served>(*listeners[client.listener], client.fd, client.fd == fd);
  }
  loops[next_loop++ % loops.size()]->add(fd, client.peer, client.peer_length, [this, fd, client] {
    const std::scoped_lock lock(handed_over_mutex);
    handed_over.erase(fd);
    if (client.fd == fd) listeners[client.listener]->closed(fd);
  });
}

Served* HttpServer::Threads::take_handed_over(int fd) {
  const std::scoped_lock lock(handed_over_mutex);
  auto taken = handed_over.extract(fd);
  return taken.empty() ? nullptr : taken.mapped().release();
}

namespace {

template <class Threads>
MHD_Result on_request(void* context, MHD_Connection* connection, const char* path, const char* method,
                      const char* version, const char*, std::size_t*, void** seen) {
  auto& threads = *static_cast<Threads*>(context);
  try {
    return threads.handle(connection, path, method, version, seen);
  } catch (const std::exception& error) {  // MHD is C: nothing may fly through it
    threads.log_seldom(threads.log.warn, "exception", std::string("a request failed: ") + error.what());
    return MHD_NO;
  }
}

template <class Threads>
void on_mhd_message(void* context, const char* format, va_list arguments) {
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

template <class Threads>
void on_connection(void* context, MHD_Connection* connection, void** socket_context,
                   MHD_ConnectionNotificationCode code) {
  if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
    const std::unique_ptr<Served> client(static_cast<Served*>(*socket_context));
    if (client->closes_with_mhd) client->connections.closed(client->fd);
    return;
  }
  auto* client = static_cast<Threads*>(context)->take_handed_over(descriptor_of(connection));
  *socket_context = client;
  if (client->closes_with_mhd) client->connections.opened(client->fd);
}

void on_answered(void*, MHD_Connection* connection, void** seen, MHD_RequestTerminationCode code) {
  const std::unique_ptr<Asking> asking(static_cast<Asking*>(*seen));
  *seen = nullptr;
  const auto& client = served_by(connection);
  client.connections.answered(client.fd,
                              asking && asking->served && code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
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

/// How many connections each of the listeners may have, so that strangers leave the collectors their
/// descriptors.
std::size_t HttpServer::Threads::connection_limit(const HttpOptions& options, std::size_t of_listeners) {
  constexpr std::size_t kForCollectors = 256;
  const std::size_t wanted = std::max(options.max_connections, kThreads);
  rlimit descriptors{};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) != 0 || descriptors.rlim_cur == RLIM_INFINITY) return wanted;
  const std::size_t all = descriptors.rlim_cur;
  const std::size_t each = security.latest()->tls ? 3 : 1;
  const auto share = (all - std::min(all / 2, kForCollectors)) / each / of_listeners;
  auto limit = wanted;
  while (limit > kThreads && OpenConnections::most_descriptors(limit) > share) --limit;
  if (limit < wanted)
    log.warn("max_connections is " + std::to_string(limit) + " instead of " + std::to_string(wanted) +
             ": the process may have " + std::to_string(all) + " file descriptors (LimitNOFILE)");
  return limit;
}

std::optional<Error> HttpServer::Threads::begin(const HttpOptions& options,
                                                std::vector<ListenSocket> opened) {
  sockets = std::move(opened);
  const auto limit = connection_limit(options, sockets.size());
  std::vector<int> descriptors;
  for (const auto& socket : sockets) {
    descriptors.push_back(socket.fd());
    listeners.push_back(std::make_unique<OpenConnections>(limit, options.max_connections_per_ip));
  }
  // twice: who had to make room may not be closed yet
  const auto mhd_limit = static_cast<unsigned>(2 * limit * sockets.size()) + kThreads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    auto* daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | MHD_USE_NO_LISTEN_SOCKET, 0, nullptr,
        nullptr, on_request<Threads>, this, MHD_OPTION_EXTERNAL_LOGGER, on_mhd_message<Threads>, this,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection<Threads>, this, MHD_OPTION_NOTIFY_COMPLETED, on_answered,
        nullptr, MHD_OPTION_UNESCAPE_CALLBACK, decode, nullptr, MHD_OPTION_CONNECTION_LIMIT, mhd_limit,
        MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(options.idle_timeout.count()),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionMemoryBytes, MHD_OPTION_END);
    if (daemon == nullptr)
      return Error{Errc::failed, to_string(sockets.front().address()) + ": the HTTP server did not start"};
    loops.push_back(std::make_unique<MhdLoop>(daemon));
  }
  started = true;
  if (security.latest()->tls)
    relay = std::make_unique<TlsRelay>(
        [this](const Accepted& client, int fd) { serve(client, fd); },
        [this](const Accepted& client) { listeners[client.listener]->closed(client.fd); });
  acceptor = std::make_unique<Acceptor>(
      std::move(descriptors),
      Acceptor::Calls{.has_room = [this](std::size_t listener) { return listeners[listener]->has_room(); },
                      .take = [this](const Accepted& client) { accepted(client); },
                      .trouble = [this](int error) { no_room(error); }});
  return std::nullopt;
}

HttpServer::HttpServer(const HttpOptions& options, const Published<Report>& reports, HealthCheck health,
                       HttpLog log)
    : threads_(std::make_unique<Threads>(options, reports, std::move(health), std::move(log))) {}

HttpServer::~HttpServer() = default;

void HttpServer::set_limits(const Limits& limits) { threads_->pages.set_limits(limits); }

void HttpServer::set_allowed_hosts(AllowedHosts hosts) {
  threads_->pages.set_allowed_hosts(std::move(hosts));
}

Result<void> HttpServer::set_security(std::shared_ptr<const WebSecurity> security) {
  const auto before = threads_->security.latest();
  if (const auto lost = what_is_lost(*before, *security); !lost.empty())
    return unexpected(Errc::failed, "it no longer has " + lost + ", which only a restart can take away");
  if (security->tls && !before->tls)
    return unexpected(Errc::failed, "TLS is switched on, which takes effect only after a restart");
  threads_->security.publish(std::move(security));
  return {};
}

void HttpServer::drop_slow(TimePoint now) {
  for (const auto& listener : threads_->listeners) {
    const auto [count, peer] = listener->drop_slow(now);
    if (count == 0) continue;
    threads_->dropped += count;
    threads_->log_seldom(threads_->log.warn, "slow",
                         "HTTP connections dropped: " + std::to_string(count) +
                             " because the client was too slow or room was needed, one of them from " + peer);
  }
}

HttpUsage HttpServer::usage() const {
  HttpUsage usage{.refused = threads_->refused,
                  .dropped = threads_->dropped,
                  .unauthorized = threads_->unauthorized,
                  .limited = threads_->limited};
  if (const auto tls = threads_->security.latest()->tls) usage.certificate_expires = tls->facts().expires;
  for (const auto& listener : threads_->listeners) usage.connections += listener->size();
  return usage;
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpOptions& options,
                                                      const Published<Report>& reports, HealthCheck health,
                                                      HttpLog log) {
  auto opened = open_sockets(options);
  if (!opened) return tl::unexpected<Error>(opened.error());
  std::unique_ptr<HttpServer> server;  // it has threads that read what strangers send
  std::optional<Error> failed;
  const auto made = without_capabilities([&] {
    server.reset(new HttpServer(options, reports, std::move(health), std::move(log)));
    failed = server->threads_->begin(options, std::move(*opened));
  });
  if (!made) return tl::unexpected<Error>(made.error());
  if (failed) return tl::unexpected<Error>(*failed);
  for (const auto& socket : server->threads_->sockets) server->addresses_.push_back(socket.address());
  return server;
}

}  // namespace tcpdiag
