// SPDX-License-Identifier: Apache-2.0
// What to do about connections that the peer has closed, and what does not help.
#pragma once

#include <array>

#include "diagnosis/owner_values.h"
#include "diagnosis/rule.h"

namespace tcpdiag::close_wait_words {

inline constexpr std::string_view kFamily = "Closing";

inline constexpr AdviceText kRestart{"Restart it if descriptors run out before it is fixed.", kRestartCommand,
                                     "All its descriptors are closed.",
                                     "Its other connections are closed; the leak starts again."};

inline constexpr std::array kLeakAdvice = {
    AdviceText{"To gain time, raise the limit of the running process.",
               "prlimit --pid {pid} --nofile={new_limits}", "It accepts again at once.",
               "Only until that many have leaked again; going above its hard limit takes CAP_SYS_RESOURCE."},
    AdviceText{
        "See which connections it does not close.",
        "ss -tnp state close-wait[ '( sport = :{server_port} )'][ '( dport = :{client_port} )'] | head -n 20",
        "Recv-Q above 1 means that it has not even read what the peer sent.", ""},
    AdviceText{"See what its threads are doing.",
               "cat /proc/{pid}/wchan; gdb -p {pid} -batch -ex 'thread apply all bt'",
               "If all threads wait for the same thing, the program is slow rather than forgetful.",
               "gdb stops the process for a second or two."},
    kRestart,
    AdviceText{"Its developers: close() a socket when read() returns 0, and on every error path.", "",
               "Nothing else ends a connection in CLOSE_WAIT.", ""}};
inline constexpr std::string_view kLeakNot[] = {
    "Any sysctl: CLOSE_WAIT has no timer. net.ipv4.tcp_fin_timeout is for FIN_WAIT2.",
    "net.ipv4.tcp_keepalive_time: probes end the connection at best; its descriptor stays open.",
    "A permanently higher descriptor limit: they only run out later."};
inline constexpr std::string_view kLeakExplains[] = {"closed-socket-fd-leak", "ephemeral-ports-exhausted",
                                                     "ephemeral-ports-low"};

inline constexpr auto kUnacceptedAdvice = std::to_array<AdviceText>({
    {"Find out what {owner} is waiting for: it does not call accept() in time.",
     "cat /proc/{pid}/stack /proc/{pid}/wchan", "Shows where in the kernel its main thread is waiting.", ""},
    {"Take a stack trace before you restart it: the restart destroys the evidence.",
     "gdb -p {pid} -batch -ex 'thread apply all bt'", "Shows what every thread is waiting for.",
     "Stops the process for a second or two."},
    {"See who has given up.", "ss -tn state close-wait '( sport = :{port} )' | head -n 20",
     "Shows the clients, and in Recv-Q whether they had sent a request.", ""},
});
inline constexpr std::string_view kUnacceptedNot[] = {
    "Looking for a leak: no descriptor is held for these, the program has never seen them.",
    "A larger backlog: it does not make clients wait any longer before they give up.",
    "Any sysctl: CLOSE_WAIT has no timer."};

inline constexpr std::array kClosedAdvice = {
    AdviceText{"See what it holds.", "tcpdiag fds {pid}", "Shows its descriptors by kind.", ""}, kRestart,
    AdviceText{"Its developers: close() a socket whose connection has ended, including one that has failed.",
               "", "Nothing but close() frees the descriptor.", ""}};
inline constexpr std::string_view kClosedNot[] = {
    "Counting CLOSE_WAIT: these connections have left the socket table, so ss shows none and all looks well.",
    "net.ipv4.tcp_keepalive_time: it is what ended the connections; it frees no descriptor."};

}  // namespace tcpdiag::close_wait_words
