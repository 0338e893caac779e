// SPDX-License-Identifier: Apache-2.0
#include "exporters/html_text.h"

#include "exporters/label_text.h"

namespace tcpdiag {

std::string html_text(std::string_view text) {
  std::string html;
  for (const char c : to_label_text(text)) switch (c) {
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
