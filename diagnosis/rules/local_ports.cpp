// SPDX-License-Identifier: Apache-2.0
// The lint of ports that servers want, and that the kernel may give to clients.
#include <map>

#include "core/ephemeral_ports.h"
#include "core/utf8.h"
#include "diagnosis/evidence.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/setting_facts.h"
#include "diagnosis/subjects.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kRange = "net.ipv4.ip_local_port_range";
constexpr std::string_view kReserved = "net.ipv4.ip_local_reserved_ports";

// The ports of listeners that the kernel gives to clients first: those that are even where the range begins
// with an even port. A program that asks for any port (bind() to port 0) gets one of the others, so that
// these were chosen by somebody. Where two listen on one port, the first one stands for both.
std::map<std::uint16_t, const Listener*> wanted_by_clients(const Listeners& listeners, const PortRange& range,
                                                           const PortSet& reserved) {
  std::map<std::uint16_t, const Listener*> ports;
  for (const auto& listener : listeners.listeners) {
    const auto port = listener.endpoint.port;
    const bool clients_first = port % 2 == range.first % 2;
    if (range.contains(port) && clients_first && !reserved.test(port)) ports.try_emplace(port, &listener);
  }
  return ports;
}

// "8080 (java), 9090".
std::string list_of(const Window& window, const std::map<std::uint16_t, const Listener*>& ports) {
  constexpr std::size_t kShown = 8;
  std::string list;
  std::size_t count = 0;
  for (const auto& [port, listener] : ports) {
    if (count++ == kShown) return list + " and " + std::to_string(ports.size() - kShown) + " more";
    const auto subject = listener_subject(window, *listener);
    list += (list.empty() ? "" : ", ") + std::to_string(port);
    if (!subject.process.empty()) list += " (" + one_line(subject.process) + ")";
  }
  return list;
}

// The reserved ports with these; empty when that is too long to be typed.
std::string reserved_with(const std::string& reserved,
                          const std::map<std::uint16_t, const Listener*>& ports) {
  constexpr std::size_t kLongest = 400;
  auto list = reserved;
  for (const auto& [port, listener] : ports) list += (list.empty() ? "" : ",") + std::to_string(port);
  return list.size() > kLongest ? "" : list;
}

Verdict port_taken_by_client(const Window& window, const Thresholds&) {
  const auto settings = window.latest(&NetnsView::settings);
  if (!settings) return Verdict::unknown(settings.error());
  for (const auto name : {kRange, kReserved}) {
    const auto known = number_if_any(window, name);
    if (!known) return Verdict::unknown(known.error());
    if (!*known) return Verdict::clear();
  }
  const auto listeners = window.latest(&NetnsView::listeners);
  if (!listeners) return Verdict::unknown(listeners.error());
  const auto range = ephemeral_port_range(**settings);
  const auto* sysctl = (*settings)->find(kReserved);
  const auto reserved = sysctl == nullptr ? std::nullopt : parse_port_list(sysctl->text);
  if (!range || !reserved) return Verdict::clear();
  const auto ports = wanted_by_clients(**listeners, *range, *reserved);
  if (ports.empty()) return Verdict::clear();
  auto facts = setting_facts(window, kReserved, reserved_with(sysctl->text, ports));
  if (facts.values["wanted"].empty()) facts.values.erase("wanted");
  add_reading(facts, "ports of listeners", ports.size(), "ports");
  facts.values["ports"] = std::to_string(ports.size());
  facts.values["list"] = list_of(window, ports);
  facts.values["first_port"] = std::to_string(range->first);
  facts.values["last_port"] = std::to_string(range->last);
  return Verdict::found({facts});
}

constexpr std::string_view kFamily = "Settings";

constexpr auto kTakenAdvice = std::to_array<AdviceText>({
    {"Reserve {ports:the port|the ports}.", "sysctl -w {setting}={wanted}",
     "The kernel does not give {ports:it|them} to clients any more; servers that ask for {ports:it|them} "
     "still get {ports:it|them}.",
     "Connections that have such a port keep it until they end."},
    kChangeLine,
    kOverrideLine,
    {"Make it permanent{?searched}.", "echo '{setting} = {wanted}' >> /etc/sysctl.d/zz-tcp.conf",
     "It survives a reboot.", ""},
    kTellContainer,
    {"Or let the servers listen below {first_port}.", "", "No client is ever given a port there.",
     "Their clients need the new port."},
});
constexpr std::string_view kTakenNot[] = {
    "SO_REUSEADDR: it does not let a server have a port that an outgoing connection holds.",
    "net.ipv4.tcp_tw_reuse: it is for connect() only."};

constexpr Rule kRules[] = {
    {.info = {.id = "port-taken-by-client",
              .family = kFamily,
              .severity = Severity::info,
              .title = "A client can take a server's port",
              .true_when =
                  "Servers listen on ports within net.ipv4.ip_local_port_range that "
                  "net.ipv4.ip_local_reserved_ports does not reserve, and that the kernel gives to clients "
                  "first: the even ones if the range begins with an even port. The others are left out: a "
                  "program that asks for any port (bind to port 0) gets one of those.",
              .clients_see = "Nothing while the server runs; when it restarts, it may fail to listen (errno "
                             "98) while an outgoing connection holds its port.",
              .summary =
                  "{ports} {ports:port|ports} that servers listen on {ports:lies|lie} within "
                  "net.ipv4.ip_local_port_range ({first_port} to {last_port}) and {ports:is|are} not "
                  "reserved: {list}. While a server restarts, an outgoing connection can get its port.",
              .advice = kTakenAdvice,
              .not_helping = kTakenNot,
              .reads = "sock_diag, /proc/sys; who listens: /proc/PID/fd"},
     .evaluate = port_taken_by_client},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> local_port_rules() { return kRules; }

}  // namespace tcpdiag
