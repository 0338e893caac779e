// SPDX-License-Identifier: Apache-2.0
#include "exporters/html_text.h"

#include "core/utf8.h"

namespace tcpdiag {

std::string html_text(std::string_view text) {
  std::string html;
  for (const char c : one_line(text)) switch (c) {
      case '&': html += "&amp;"; break;
      case '<': html += "&lt;"; break;
      case '>': html += "&gt;"; break;
      case '"': html += "&quot;"; break;
      case '\'': html += "&#39;"; break;
      default: html += c;
    }
  return html;
}

}  // namespace tcpdiag
