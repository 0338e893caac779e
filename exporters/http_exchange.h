// SPDX-License-Identifier: Apache-2.0
// What is read of a request and sent as an answer by libmicrohttpd.
#pragma once

#include <microhttpd.h>

#include <string_view>

#include "exporters/http_pages.h"

namespace tcpdiag {

/// Empty: there is no such header.
std::string_view header_of(MHD_Connection* connection, const char* name);

/// The argument "netns" of the query, decoded; empty: there is none.
std::string_view netns_of(MHD_Connection* connection);

/// What of a request's header says where the request ends and whom it is for.
struct Framing {
  int hosts = 0, lengths = 0, encodings = 0;  ///< how often these headers are there
  bool not_chunked = false;                   ///< an encoding that is not "chunked"
  bool malformed_name = false;                ///< with blanks, or one of these with something behind it
};

Framing framing_of(MHD_Connection* connection);

/// What RFC 9112 (3.2, 5.1, 6.3) wants refused: others may read another request out of the same bytes.
bool is_ambiguous(const Framing& framing, std::string_view version);

bool announces_body(const Framing& framing, MHD_Connection* connection);

/// `close`: the connection ends with it.
MHD_Result send(MHD_Connection* connection, const HttpResponse& answer, bool close = false);

}  // namespace tcpdiag
