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

namespace tcpdiag {

struct HttpOptions {
  std::vector<ListenAddress> listen = {ListenAddress{std::nullopt, 10180}};
  unsigned max_connections = 512;        ///< at each address; further ones are closed at once
  unsigned max_connections_per_ip = 64;  ///< of them, from one peer: a slow one cannot take them all
  std::chrono::seconds idle_timeout{10};
  Limits limits;
};

/// Serves HttpPages over HTTP/1.1 on threads of its own, from start() until it is destroyed.
class HttpServer {
 public:
  /// Called on the server's threads, seldom for one and the same message.
  using Log = std::function<void(std::string)>;

  /// `reports` must outlive the server. The Error is ready for the user: ":10180: Address already in use".
  static Result<std::unique_ptr<HttpServer>> start(const HttpOptions& options,
                                                   const Published<Report>& reports, HealthCheck health,
                                                   Log log);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  /// Takes effect with the next request.
  void set_limits(const Limits& limits);

  /// Where it listens, in the order of HttpOptions::listen, with the ports that the kernel chose for 0.
  [[nodiscard]] const std::vector<ListenAddress>& addresses() const { return addresses_; }

 private:
  struct Threads;

  HttpServer(const HttpOptions& options, const Published<Report>& reports, HealthCheck health, Log log);

  std::unique_ptr<Threads> threads_;
  std::vector<ListenAddress> addresses_;
};

}  // namespace tcpdiag
