// SPDX-License-Identifier: Apache-2.0
#include "core/result.h"

#include <cerrno>
#include <system_error>

namespace tcpdiag {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::not_read: return "not_read";
    case Errc::missing: return "missing";
    case Errc::no_netns: return "no_netns";
    case Errc::denied: return "denied";
    case Errc::malformed: return "malformed";
    case Errc::too_large: return "too_large";
    case Errc::timed_out: return "timed_out";
    case Errc::too_early: return "too_early";
    case Errc::failed: return "failed";
  }
  return "failed";
}

namespace {

Errc to_errc(int errno_value) {
  switch (errno_value) {
    case ENOENT:
    case ENOTDIR:
    case ESRCH: return Errc::missing;
    case EACCES:
    case EPERM: return Errc::denied;
    case EAGAIN:
    case ETIMEDOUT: return Errc::timed_out;
    default: return Errc::failed;
  }
}

}  // namespace

Error system_error(int errno_value, std::string_view where) {
  return {to_errc(errno_value),
          std::string(where) + ": " + std::error_code(errno_value, std::generic_category()).message()};
}

}  // namespace tcpdiag
