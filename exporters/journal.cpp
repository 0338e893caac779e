// SPDX-License-Identifier: Apache-2.0
#include "exporters/journal.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "core/utf8.h"
#include "exporters/findings_json.h"

namespace tcpdiag {
namespace {

// A larger entry goes without its JSON. The kernel takes datagrams of more than three times this size.
constexpr std::size_t kMostBytes = 64 << 10;

// One for each event, never changed (sd-id128(3)).
std::string_view message_id(IncidentEvent event) {
  switch (event) {
    case IncidentEvent::opened: return "1ea62e061d704735a35bea6e695c7ca6";
    case IncidentEvent::changed: return "39a3c5379bc646d49848e68dbe67874e";
    case IncidentEvent::closed: return "f3d478e12e3843379ed185bee461d2a9";
  }
  return "";
}

// syslog(3): 2 critical, 4 warning, 5 notice, 6 informational.
std::string_view priority(const IncidentChange& change) {
  if (change.event == IncidentEvent::closed) return "5";
  switch (change.incident.finding.severity) {
    case Severity::info: return "6";
    case Severity::warning: return "4";
    case Severity::critical: return "2";
  }
  return "";
}

/// Takes a number in decimal digits off the front.
template <class Number>
bool take_number(std::string_view& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc{};
}

}  // namespace

JournalFields journal_fields(const IncidentChange& change) {
  const auto& finding = change.incident.finding;
  const auto& subject = finding.subject;
  JournalFields fields;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) fields.emplace_back(name, one_line(value));
  };
  add("MESSAGE", sentence_about(change));
  add("MESSAGE_ID", message_id(change.event));
  add("PRIORITY", priority(change));
  add("SYSLOG_IDENTIFIER", "tcpdiagd");
  add("TCPDIAG_EVENT", to_string(change.event));
  add("TCPDIAG_FINDING", finding.id);
  add("TCPDIAG_SEVERITY", to_string(finding.severity));
  add("TCPDIAG_NETNS", finding.netns);
  add("TCPDIAG_SUBJECT_KIND", to_string(subject.kind));
  add("TCPDIAG_SUBJECT", to_string(subject));
  add("TCPDIAG_PROCESS", subject.process);
  if (subject.pid) add("TCPDIAG_PID", std::to_string(*subject.pid));
  add("TCPDIAG_UNIT", to_string(subject.owner));
  add("TCPDIAG_SUMMARY", finding.summary);
  add("TCPDIAG_JSON", finding_json_line(change.incident));
  return fields;
}

std::string to_journal_datagram(const JournalFields& fields) {
  std::string datagram;
  for (const auto& [name, value] : fields) {
    datagram += name;
    if (value.find('\n') == std::string::npos) {
      datagram.append("=").append(value).append("\n");
      continue;
    }
    datagram += '\n';
    for (std::uint64_t rest = value.size(), byte = 0; byte < sizeof rest; ++byte, rest >>= 8)
      datagram += static_cast<char>(rest & 0xff);  // little endian on every machine
    datagram.append(value).append("\n");
  }
  return datagram;
}

bool is_journal_stream(std::string_view journal_stream, dev_t device, ino_t inode) {
  dev_t named_device = 0;
  ino_t named_inode = 0;
  if (!take_number(journal_stream, named_device) || !journal_stream.starts_with(':')) return false;
  journal_stream.remove_prefix(1);
  return take_number(journal_stream, named_inode) && journal_stream.empty() && named_device == device &&
         named_inode == inode;
}

Journal::Journal(std::string path)
    : path_(std::move(path)), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {}

Journal::Journal(Journal&& other) noexcept
    : path_(std::move(other.path_)), socket_(std::exchange(other.socket_, -1)) {}

Journal::~Journal() {
  if (socket_ >= 0) ::close(socket_);
}

Result<void> Journal::send(const JournalFields& fields) const {
  sockaddr_un address{.sun_family = AF_UNIX};
  if (path_.size() >= sizeof address.sun_path)
    return unexpected(Errc::too_large, path_ + ": too long for a socket");
  std::memcpy(address.sun_path, path_.data(), path_.size());
  auto datagram = to_journal_datagram(fields);
  if (datagram.size() > kMostBytes) {
    auto without_json = fields;
    std::erase_if(without_json, [](const auto& field) { return field.first == "TCPDIAG_JSON"; });
    datagram = to_journal_datagram(without_json);
  }
  // By its path each time: journald may have been started anew.
  const auto sent = ::sendto(socket_, datagram.data(), datagram.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (sent < 0) return tl::unexpected<Error>(system_error(errno, path_));
  return {};
}

}  // namespace tcpdiag
