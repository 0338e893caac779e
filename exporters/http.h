// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/listen_address.h"
#include "core/published.h"
#include "core/report.h"
#include "core/result.h"
#include "exporters/http_pages.h"
#include "exporters/web_security.h"

namespace tcpdiag {

struct HttpOptions {
  std::vector<ListenAddress> listen = {ListenAddress{std::nullopt, 10180}};
  std::vector<int> inherited;      ///< sockets that listen already, used instead; the server closes them
  unsigned max_connections = 512;  ///< at each address; further ones wait in the accept queue
  unsigned max_connections_per_ip = 64;   ///< of them, from one peer; further ones are closed at once
  std::chrono::seconds idle_timeout{10};  ///< of a silent client; for slow ones see drop_slow()
  Limits limits;
  AllowedHosts allowed_hosts;
  std::shared_ptr<const WebSecurity> security;  ///< nullptr: none
  /// For WebSecurity::rate_limit, and how long passwords take to check; empty: the limit does not apply.
  std::function<TimePoint()> clock;
};

/// Where the server writes what happens to it. Called on its threads, seldom for one and the same message.
struct HttpLog {
  std::function<void(std::string)> warn;   ///< what the operator should know
  std::function<void(std::string)> debug;  ///< what single clients did
};

/// Serves HttpPages over HTTP/1.1 on threads of its own, from start() until it is destroyed.
class HttpServer {
 public:
  /// `reports` must outlive the server. The Error is ready for the user: ":10180: Address already in use".
  static Result<std::unique_ptr<HttpServer>> start(const HttpOptions& options,
                                                   const Published<Report>& reports, HealthCheck health,
                                                   HttpLog log);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  /// Takes effect with the next request.
  void set_limits(const Limits& limits);
  /// See HttpPages::set_allowed_hosts().
  void set_allowed_hosts(AllowedHosts hosts);
  /// Takes effect with the next connection and the next request. Error: it would switch TLS on, which takes
  /// a new server, or lose what keeps strangers out, see what_is_lost(); then all stays as it is.
  Result<void> set_security(std::shared_ptr<const WebSecurity> security);

  /// Closes connections whose client takes too long: 10 s for a request to come or an answer to be taken, 1 s
  /// for a request while the server is full. To be called once a second; without it, clients that send a byte
  /// now and then hold the port for ever.
  void drop_slow(TimePoint now);
  [[nodiscard]] HttpUsage usage() const;

  /// Where it listens, in the order of HttpOptions::listen, with the ports that the kernel chose for 0.
  [[nodiscard]] const std::vector<ListenAddress>& addresses() const { return addresses_; }

 private:
  struct Threads;

  HttpServer(const HttpOptions& options, const Published<Report>& reports, HealthCheck health, HttpLog log);

  std::unique_ptr<Threads> threads_;
  std::vector<ListenAddress> addresses_;
};

}  // namespace tcpdiag
