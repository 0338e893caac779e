// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace tcpdiag {

/// Whether it is "http://HOST[:PORT][/PATH]" or the same with https, HOST being a name, an IPv4 address or an
/// IPv6 one in brackets: a link that can be put into any text. User names, queries, fragments, quotes and
/// what is not ASCII are refused, and more than 512 bytes.
bool is_external_url(std::string_view text);

/// Its host, without port, an IPv6 address in its brackets. Only for what is_external_url() takes.
std::string_view host_of(std::string_view external_url);

/// With a slash at its end, so that a path or a fragment can follow; empty stays empty.
std::string with_slash(std::string_view external_url);

}  // namespace tcpdiag
