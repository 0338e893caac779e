// SPDX-License-Identifier: Apache-2.0
#include "exporters/http_exchange.h"

#include <strings.h>

#include <cstring>

#include "exporters/gzip.h"

namespace tcpdiag {
namespace {

bool is_header(const char* name, const char* wanted) { return strcasecmp(name, wanted) == 0; }

// Whether the header, which says how long the request is, may be `wanted`: MHD 0.9.75 appends a folded line
// (RFC 9112, 5.2) to the header's name.
bool is_framing_header(Framing& framing, const char* name, const char* wanted) {
  if (strncasecmp(name, wanted, std::strlen(wanted)) != 0) return false;
  if (!is_header(name, wanted)) framing.malformed_name = true;
  return true;
}

MHD_Result note_header(void* context, MHD_ValueKind, const char* name, const char* value) {
  auto& framing = *static_cast<Framing*>(context);
  if (is_header(name, MHD_HTTP_HEADER_HOST)) ++framing.hosts;
  if (is_framing_header(framing, name, MHD_HTTP_HEADER_CONTENT_LENGTH)) ++framing.lengths;
  if (is_framing_header(framing, name, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
    ++framing.encodings;
    if (value == nullptr || strcasecmp(value, "chunked") != 0) framing.not_chunked = true;
  }
  if (std::strpbrk(name, " \t") != nullptr) framing.malformed_name = true;
  return MHD_YES;
}

ssize_t unpack(void* file, std::uint64_t, char* to, std::size_t most) {
  try {
    const auto bytes = static_cast<Gunzip*>(file)->read(to, most);
    return bytes == 0 ? MHD_CONTENT_READER_END_OF_STREAM : static_cast<ssize_t>(bytes);
  } catch (const std::exception&) {  // MHD is C: nothing may fly through it
    return MHD_CONTENT_READER_END_WITH_ERROR;
  }
}

MHD_Response* unpacked_response(const HttpResponse& answer) {
  constexpr std::size_t kPiece = 16384;
  auto* file = new Gunzip(answer.body);
  const auto free_file = [](void* read) { delete static_cast<Gunzip*>(read); };
  auto* response = MHD_create_response_from_callback(*answer.unpacked_size, kPiece, unpack, file, free_file);
  if (response == nullptr) free_file(file);
  return response;
}

MHD_Response* response_of(const HttpResponse& answer) {
  if (answer.unpacked_size) return unpacked_response(answer);
  using Body = std::shared_ptr<const std::string>;
  auto* body = new Body(answer.body);  // keeps the page alive until MHD has sent it and frees this
  // MHD takes a pointer to what it could change and does not
  auto* bytes = const_cast<char*>((*body)->data());
  const auto free_body = [](void* shared) { delete static_cast<Body*>(shared); };
  auto* response =
      MHD_create_response_from_buffer_with_free_callback_cls((*body)->size(), bytes, free_body, body);
  if (response == nullptr) free_body(body);
  return response;
}

}  // namespace

std::string_view header_of(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? std::string_view{} : value;
}

std::string_view netns_of(MHD_Connection* connection) {
  const char* value = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "netns");
  return value == nullptr ? std::string_view{} : value;
}

Framing framing_of(MHD_Connection* connection) {
  Framing framing;
  MHD_get_connection_values(connection, MHD_HEADER_KIND, note_header, &framing);
  return framing;
}

bool is_ambiguous(const Framing& framing, std::string_view version) {
  return framing.hosts > 1 || (framing.hosts == 0 && version == MHD_HTTP_VERSION_1_1) ||
         framing.lengths > 1 || framing.encodings > 1 || framing.not_chunked || framing.malformed_name;
}

bool announces_body(const Framing& framing, MHD_Connection* connection) {
  return framing.encodings > 0 ||
         (framing.lengths > 0 && header_of(connection, MHD_HTTP_HEADER_CONTENT_LENGTH) != "0");
}

MHD_Result send(MHD_Connection* connection, const HttpResponse& answer, bool close) {
  auto* response = response_of(answer);
  if (response == nullptr) return MHD_NO;
  for (const auto& [name, value] : answer.headers)
    MHD_add_response_header(response, std::string(name).c_str(), std::string(value).c_str());
  if (close) MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
  const auto queued = MHD_queue_response(connection, static_cast<unsigned>(answer.status), response);
  MHD_destroy_response(response);
  return queued;
}

}  // namespace tcpdiag
