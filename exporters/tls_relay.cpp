// SPDX-License-Identifier: Apache-2.0
#include "exporters/tls_relay.h"

#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

#include "exporters/peer_end.h"

namespace tcpdiag {
namespace {

constexpr std::uint64_t kWake = 0;        // in place of a connection's number
constexpr int kTurns = 32;                // of one connection, before the others have theirs
constexpr std::size_t kPiece = 16 << 10;  // a TLS record

/// What came of an attempt.
enum class Step { waits, moved, ended };

int checked(int fd, const char* what) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
  return fd;
}

bool is_for_later(ssize_t result) { return result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED; }

bool would_block() { return errno == EAGAIN || errno == EINTR; }

/// Both directions are shut down.
bool is_hung_up(int fd) {
  pollfd watched{.fd = fd};
  return ::poll(&watched, 1, 0) == 1 && (watched.revents & (POLLHUP | POLLERR)) != 0;
}

void let_go(std::string& text) { std::string().swap(text); }

}  // namespace

/// One client: its TLS session, and this end of the pair whose other end the HTTP server has.
class TlsRelay::Connection {
 public:
  Connection(const Accepted& client, std::shared_ptr<const TlsServer> tls)
      : client_(client), tls_(std::move(tls)) {
    ready_ = gnutls_init(&session_, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) == GNUTLS_E_SUCCESS &&
             tls_->begin(session_);
    if (ready_) gnutls_transport_set_int(session_, client_.fd);
    // An answer of several records must not wait until the client has acknowledged the first (Nagle): 40 ms.
    const int on = 1;
    ::setsockopt(client_.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    if (session_ != nullptr) gnutls_deinit(session_);
    close_http();
    ::close(client_.fd);
  }

  [[nodiscard]] const Accepted& client() const { return client_; }
  [[nodiscard]] bool is_ready() const { return ready_; }
  /// The end of the pair on this side; -1: there is none.
  [[nodiscard]] int http() const { return http_; }

  /// The other end of a new pair; -1: no descriptor is left.
  int open_pair() {
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) != 0) return -1;
    http_ = pair[0];
    doing_ = Doing::relaying;
    return pair[1];
  }

  [[nodiscard]] bool shakes_hands() const { return doing_ == Doing::shaking_hands; }
  /// Moved: the handshake is done, or has failed and it does not shake hands any more.
  Step shake_hands() {
    for (int i = 0; i < kTurns; ++i) {
      const int result = gnutls_handshake(session_);
      if (result == GNUTLS_E_SUCCESS) return Step::moved;
      const auto next = after(result);
      if (next == Step::waits) return next;
      if (next == Step::moved) continue;
      // Without an alert, which who speaks plain HTTP would take for an answer.
      linger();
      return Step::moved;
    }
    return Step::ended;
  }

  /// Moved: there may be more at once.
  Step relay() {
    if (doing_ == Doing::lingering) return discard();
    auto outcome = Step::waits;
    for (const auto step : {&Connection::hear_client, &Connection::tell_http, &Connection::hear_http,
                            &Connection::tell_client}) {
      const auto result = (this->*step)();
      if (result == Step::ended) return result;
      if (result == Step::moved) outcome = result;
    }
    return outcome;
  }

 private:
  enum class Doing { shaking_hands, relaying, lingering };

  /// What to do after an error of GnuTLS's. It asks to be called again not only where the socket is empty:
  /// also after a message of TLS itself, such as a KeyUpdate, with more behind it, and where the end came
  /// together with a part of a record. Neither will epoll report again.
  [[nodiscard]] Step after(ssize_t error) const {
    if (!is_for_later(error))
      return gnutls_error_is_fatal(static_cast<int>(error)) != 0 ? Step::ended : Step::moved;
    switch (unread_of(client_.fd)) {
      case Unread::end: return Step::ended;
      case Unread::something: return wants_to_send() ? Step::waits : Step::moved;
      case Unread::nothing: break;
    }
    return Step::waits;
  }

  [[nodiscard]] bool wants_to_send() const { return gnutls_record_get_direction(session_) == 1; }

  Step hear_client() {
    if (client_ended_) return is_hung_up(client_.fd) ? Step::ended : Step::waits;
    if (!to_http_.empty()) return Step::waits;
    std::array<char, kPiece> piece;
    const auto length = gnutls_record_recv(session_, piece.data(), piece.size());
    if (length > 0) {
      to_http_.assign(piece.data(), static_cast<std::size_t>(length));
      return Step::moved;
    }
    if (const auto next = after(length); is_for_later(length) && next != Step::ended) return next;
    const bool cut_off = length == GNUTLS_E_PREMATURE_TERMINATION || is_for_later(length);
    if (length != 0 && !cut_off) return Step::ended;
    client_ended_ = true;
    ::shutdown(http_, SHUT_WR);
    return Step::moved;
  }

  Step tell_http() {
    if (to_http_.empty()) return Step::waits;
    const auto length = ::send(http_, to_http_.data(), to_http_.size(), MSG_NOSIGNAL);
    if (length < 0 && would_block()) return Step::waits;
    if (length < 0) {  // it has heard enough, and its answer may be there
      client_ended_ = true;
      let_go(to_http_);
      return Step::moved;
    }
    to_http_.erase(0, static_cast<std::size_t>(length));
    if (to_http_.empty()) let_go(to_http_);
    return Step::moved;
  }

  Step hear_http() {
    if (http_ended_ || !to_client_.empty()) return Step::waits;
    std::array<char, kPiece> piece;
    const auto length = ::recv(http_, piece.data(), piece.size(), 0);
    if (length < 0 && would_block()) return Step::waits;
    if (length > 0)
      to_client_.assign(piece.data(), static_cast<std::size_t>(length));
    else
      http_ended_ = true;
    return Step::moved;
  }

  Step tell_client() {
    if (!to_client_.empty()) {
      const auto length = gnutls_record_send(session_, to_client_.data(), to_client_.size());
      if (is_for_later(length)) return Step::waits;
      if (length < 0) return Step::ended;
      to_client_.erase(0, static_cast<std::size_t>(length));
      if (to_client_.empty()) let_go(to_client_);
      return Step::moved;
    }
    if (!http_ended_) return Step::waits;
    if (is_for_later(gnutls_bye(session_, GNUTLS_SHUT_WR))) return Step::waits;
    close_http();
    linger();
    return Step::moved;
  }

  /// Closed with something unread, the connection would be reset, and the last answer lost with it.
  void linger() {
    ::shutdown(client_.fd, SHUT_WR);
    doing_ = Doing::lingering;
  }

  Step discard() {
    std::array<char, kPiece> piece;
    const auto length = ::recv(client_.fd, piece.data(), piece.size(), 0);
    if (length > 0) return Step::moved;
    return length < 0 && would_block() ? Step::waits : Step::ended;
  }

  void close_http() {
    if (http_ >= 0) ::close(http_);
    http_ = -1;
  }

  const Accepted client_;
  const std::shared_ptr<const TlsServer> tls_;
  gnutls_session_t session_ = nullptr;
  bool ready_ = false;
  int http_ = -1;
  Doing doing_ = Doing::shaking_hands;
  std::string to_http_, to_client_;  // what one has said and the other has not heard
  bool client_ended_ = false, http_ended_ = false;
};

TlsRelay::TlsRelay(Serve serve, Closing closing)
    : serve_(std::move(serve)),
      closing_(std::move(closing)),
      epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kWake}};
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "http-tls");
}

TlsRelay::~TlsRelay() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  ::eventfd_write(wake_, 1);
  thread_.join();
  ::close(wake_);
  ::close(epoll_);
}

void TlsRelay::add(const Accepted& client, std::shared_ptr<const TlsServer> tls) {
  auto connection = std::make_unique<Connection>(client, std::move(tls));
  {
    const std::scoped_lock lock(mutex_);
    new_.push_back(std::move(connection));
  }
  ::eventfd_write(wake_, 1);
}

void TlsRelay::watch(int fd, std::uint64_t id) const {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.u64 = id}};
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void TlsRelay::run() {
  std::array<epoll_event, 64> events{};
  for (;;) {
    const int count = ::epoll_wait(epoll_, events.data(), events.size(), busy_.empty() ? -1 : 0);
    {
      const std::scoped_lock lock(mutex_);
      if (stop_) break;
    }
    const auto busy = std::exchange(busy_, {});
    for (const auto id : busy) advance(id);
    for (int i = 0; i < count; ++i) {
      const auto id = events[static_cast<std::size_t>(i)].data.u64;
      if (id == kWake)
        take_new();
      else
        advance(id);
    }
  }
  while (!connections_.empty()) {
    const auto id = connections_.begin()->first;
    advance(id);
    const auto left = connections_.find(id);
    if (left == connections_.end()) continue;
    closing_(left->second->client());
    connections_.erase(left);
  }
  busy_.clear();
  take_new();
}

void TlsRelay::take_new() {
  eventfd_t ignored = 0;
  ::eventfd_read(wake_, &ignored);
  std::vector<std::unique_ptr<Connection>> taken;
  bool stops = false;
  {
    const std::scoped_lock lock(mutex_);
    taken.swap(new_);
    stops = stop_;
  }
  for (auto& connection : taken) {
    if (stops || !connection->is_ready()) {
      closing_(connection->client());
      continue;
    }
    const auto id = ++last_id_;
    const int fd = connection->client().fd;
    connections_.emplace(id, std::move(connection));
    watch(fd, id);
    advance(id);
  }
}

void TlsRelay::advance(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;  // what happened to it before it ended
  auto& connection = *found->second;
  auto step = Step::moved;
  if (connection.shakes_hands()) {
    step = connection.shake_hands();
    if (step == Step::moved && connection.shakes_hands()) {
      const int fd = connection.open_pair();
      if (fd < 0) {
        step = Step::ended;
      } else {
        watch(connection.http(), id);
        serve_(connection.client(), fd);
      }
    }
  }
  for (int turn = 0; step == Step::moved && turn < kTurns; ++turn) step = connection.relay();
  if (step == Step::moved) busy_.push_back(id);
  if (step != Step::ended) return;
  closing_(connection.client());
  connections_.erase(found);
}

}  // namespace tcpdiag
