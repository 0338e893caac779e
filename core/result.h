// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "core/describe.h"

namespace tcpdiag {

/// Why a fact is not known. The code decides what to do about it, Error::detail is for people.
enum class Errc {
  not_read,   ///< nobody has tried yet: the daemon has just started, or the collector is switched off
  missing,    ///< this kernel or host has no such file or socket family
  no_netns,   ///< the network namespace is not there, or not the one that was opened: nothing is known of it
  denied,     ///< EACCES or EPERM
  malformed,  ///< it was read, but is not what the kernel's documentation promises
  too_large,  ///< more than the reader's bound
  timed_out,  ///< the kernel did not answer, or did not finish answering, in time
  too_early,  ///< what was seen so far may become a finding, and was not watched for long enough to say
  failed,     ///< any other system error
};

constexpr auto values_of(Type<Errc>) { return first_values<Errc, 9>(); }

/// One word for a code, as in JSON and logs: "missing", "denied", ...
std::string_view to_string(Errc code);

/// A failure as a value. `detail` reads "where: what", for example
/// "/proc/net/netstat: line 3 has no values".
struct Error {
  Errc code = Errc::not_read;
  std::string detail = "not read yet";
  /// The collector that would have to know: "kernel_log"; points to static text. Empty: it is not one alone.
  std::string_view source{};

  bool operator==(const Error&) const = default;
};
constexpr auto members_of(Type<Error>, auto member) {
  return std::tuple(member("code", &Error::code), member("detail", &Error::detail),
                    member("source", &Error::source, Shown::never));
}

template <class T>
using Result = tl::expected<T, Error>;

/// Shorthand for returning a failure from a function that returns a Result.
inline tl::unexpected<Error> unexpected(Errc code, std::string detail) {
  return tl::unexpected<Error>(Error{code, std::move(detail)});
}

/// A failed system call as an Error: ENOENT, ENOTDIR and ESRCH are `missing`, EACCES and EPERM `denied`,
/// EAGAIN and ETIMEDOUT `timed_out`, the rest `failed`.
Error system_error(int errno_value, std::string_view where);

}  // namespace tcpdiag
