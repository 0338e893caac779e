// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/watch.h"

#include <algorithm>

#include "tests/bench/http_client.h"
#include "tests/incidents/namespaces.h"
#include "tests/shell.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 10180;
constexpr auto kPeriod = 200ms;

}  // namespace

Watch::~Watch() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void Watch::begin() {
  inside(side_, [] {
    wait_until("the daemon to be ready", [] {
      std::this_thread::sleep_for(20ms);
      return bench::HttpClient(kPort, "/-/ready").fetch().has_value();
    });
  });
  thread_ = std::thread([this] { inside(side_, [this] { ask_on(); }); });
}

void Watch::ask_on() {
  bench::HttpClient client(kPort, "/api/v1/findings");
  for (auto next_at = now(); !stopping_; next_at = std::max(next_at + kPeriod, now())) {
    std::this_thread::sleep_until(next_at);
    auto answer = client.fetch();
    if (!answer) answer = client.fetch();  // the daemon may have closed a connection that was idle for long
    const std::lock_guard lock(mutex_);
    if (answer)
      said_.take(*answer, now());
    else
      said_.miss("twice no answer with status 200 from /api/v1/findings");
  }
}

Said Watch::said() const {
  const std::lock_guard lock(mutex_);
  return said_;
}

std::string Watch::report() const {
  std::string report;
  inside(side_, [&] { report = bench::HttpClient(kPort, "/api/v1/report").fetch().value_or(""); });
  return report;
}

}  // namespace tcpdiag::incidents
