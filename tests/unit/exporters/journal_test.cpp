// SPDX-License-Identifier: Apache-2.0
#include "exporters/journal.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/catch.h"
#include "tests/sample_report.h"
#include "tests/temporary_directory.h"

using namespace tcpdiag;
using namespace std::string_literals;

namespace {

std::string field(const JournalFields& fields, std::string_view name) {
  for (const auto& [key, value] : fields)
    if (key == name) return value;
  return "(none)";
}

JournalFields fields_of(IncidentEvent event, const Incident& incident) {
  return journal_fields({event, incident});
}

/// Stands in for journald.
class Receiver {
 public:
  explicit Receiver(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{.sun_family = AF_UNIX};
    REQUIRE(path.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path.data(), path.size());
    REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver() { ::close(socket_); }

  std::string receive() const {
    std::string datagram(1 << 18, '\0');
    const auto length = ::recv(socket_, datagram.data(), datagram.size(), MSG_DONTWAIT);
    REQUIRE(length > 0);
    datagram.resize(static_cast<std::size_t>(length));
    return datagram;
  }

 private:
  int socket_;
};

}  // namespace

TEST_CASE("an entry names the finding, its subject and what happened") {
  const auto incident = sample_report().incidents[0];
  const auto fields = fields_of(IncidentEvent::opened, incident);
  CHECK(field(fields, "MESSAGE") == "opened: " + incident.finding.summary);
  CHECK(field(fields, "PRIORITY") == "2");
  CHECK(field(fields, "SYSLOG_IDENTIFIER") == "tcpdiagd");
  CHECK(field(fields, "TCPDIAG_EVENT") == "opened");
  CHECK(field(fields, "TCPDIAG_FINDING") == "accept-queue-app-stalled");
  CHECK(field(fields, "TCPDIAG_SEVERITY") == "critical");
  CHECK(field(fields, "TCPDIAG_NETNS") == "host");
  CHECK(field(fields, "TCPDIAG_SUBJECT_KIND") == "listener");
  CHECK(field(fields, "TCPDIAG_SUBJECT") == "0.0.0.0:80");
  CHECK(field(fields, "TCPDIAG_PROCESS") == "nginx");
  CHECK(field(fields, "TCPDIAG_PID") == "800");
  CHECK(field(fields, "TCPDIAG_UNIT") == "nginx.service");
  CHECK(field(fields, "TCPDIAG_SUMMARY") == incident.finding.summary);
  const auto json = nlohmann::json::parse(field(fields, "TCPDIAG_JSON"));
  CHECK(json["evidence"][0]["value"] == 392);
}

TEST_CASE("what is not known of a finding has no field") {
  const auto fields = fields_of(IncidentEvent::opened, sample_report().incidents[2]);
  for (const auto* name : {"TCPDIAG_NETNS", "TCPDIAG_PROCESS", "TCPDIAG_PID", "TCPDIAG_UNIT"})
    CHECK(field(fields, name) == "(none)");
  CHECK(field(fields, "TCPDIAG_SUBJECT") == "net.core.somaxconn");
}

TEST_CASE("an entry is as urgent as the finding, and its end is a notice") {
  const auto incidents = sample_report().incidents;
  CHECK(field(fields_of(IncidentEvent::opened, incidents[1]), "PRIORITY") == "4");
  CHECK(field(fields_of(IncidentEvent::opened, incidents[2]), "PRIORITY") == "6");
  CHECK(field(fields_of(IncidentEvent::changed, incidents[0]), "PRIORITY") == "2");
  CHECK(field(fields_of(IncidentEvent::closed, incidents[3]), "PRIORITY") == "5");
}

TEST_CASE("each event has an identifier of its own, which the documentation has, as every field") {
  std::ifstream stream(TCPDIAG_SOURCE_DIR "/docs/reference/journal.md");
  const std::string document{std::istreambuf_iterator<char>(stream), {}};
  std::set<std::string> ids;
  for (const auto event : {IncidentEvent::opened, IncidentEvent::changed, IncidentEvent::closed}) {
    const auto fields = fields_of(event, sample_report().incidents[0]);
    const auto id = field(fields, "MESSAGE_ID");
    CHECK(id.size() == 32);
    CHECK(ids.insert(id).second);
    CHECK_THAT(document, ContainsSubstring(id));
    for (const auto& [name, value] : fields)
      CHECK_THAT(document, ContainsSubstring("`" + std::string(name) + "`"));
  }
}

TEST_CASE("no field holds a control character, whatever a process is called") {
  const auto fields = fields_of(IncidentEvent::opened, hostile_report().incidents[0]);
  for (const auto& [name, value] : fields) {
    CAPTURE(name, value);
    CHECK(std::ranges::none_of(value, [](char c) { return c >= 0 && c < 0x20; }));
  }
}

TEST_CASE("a value of several lines goes with its length, as the protocol asks") {
  CHECK(to_journal_datagram({{"A", "1"}, {"B", ""}}) == "A=1\nB=\n");
  CHECK(to_journal_datagram({{"A", "x\ny"}, {"B", "2"}}) == "A\n\x03\0\0\0\0\0\0\0x\ny\nB=2\n"s);
  const auto large = to_journal_datagram({{"A", "\n" + std::string(0x10203, 'x')}});
  CHECK(large.substr(0, 10) == "A\n\x04\x02\x01\0\0\0\0\0"s);
  CHECK(large.size() == 2 + 8 + 0x10204 + 1);
}

TEST_CASE("standard error is the journal when JOURNAL_STREAM names its device and inode") {
  CHECK(is_journal_stream("9:4711", 9, 4711));
  CHECK(is_journal_stream("9:18446744073709551615", 9, 18446744073709551615U));
  for (const auto* other : {"", ":", "9", "9:", ":4711", "9:4712", "8:4711", "9:4711 ", " 9:4711", "9:4711x",
                            "9:-4711", "0x9:4711", "9:18446744073709551616"}) {
    CAPTURE(other);
    CHECK_FALSE(is_journal_stream(other, 9, 4711));
  }
}

TEST_CASE("an entry reaches the journal's socket whole, also after the journal was started anew") {
  const TemporaryDirectory directory;
  const auto path = directory.path("socket");
  const Journal journal(path);
  const auto fields = fields_of(IncidentEvent::opened, sample_report().incidents[0]);
  CHECK(journal.send(fields).error().code == Errc::missing);
  for (int start = 0; start < 2; ++start) {
    const Receiver journald(path);
    REQUIRE(journal.send(fields));
    CHECK(journald.receive() == to_journal_datagram(fields));
    ::unlink(path.c_str());
  }
}

TEST_CASE("a journal that does not answer is not waited for") {
  const TemporaryDirectory directory;
  const auto path = directory.path("socket");
  const Receiver journald(path);
  const Journal journal(path);
  Result<void> sent;
  for (int i = 0; sent && i < 100'000; ++i) sent = journal.send({{"MESSAGE", "x"}});
  REQUIRE_FALSE(sent);
  CHECK(sent.error().code == Errc::timed_out);
  CHECK_THAT(sent.error().detail, ContainsSubstring(path));
}

TEST_CASE("an entry that is very large goes without its JSON") {
  const TemporaryDirectory directory;
  const auto path = directory.path("socket");
  const Receiver journald(path);
  REQUIRE(Journal(path).send({{"MESSAGE", "x"}, {"TCPDIAG_JSON", std::string(1 << 20, 'x')}}));
  CHECK(journald.receive() == "MESSAGE=x\n");
  CHECK_FALSE(Journal(std::string(200, 'x')).send({{"MESSAGE", "x"}}));
}
