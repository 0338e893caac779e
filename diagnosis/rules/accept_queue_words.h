// SPDX-License-Identifier: Apache-2.0
// What the accept queue's rules say. Their conditions are in accept_queue.cpp.
#pragma once

#include <array>

#include "diagnosis/owner_values.h"
#include "diagnosis/rule.h"
#include "diagnosis/rules/descriptor_words.h"

namespace tcpdiag {

namespace accept_queue_words {

inline constexpr std::string_view kFamily = "Accept queue";
inline constexpr std::string_view kReads =
    "sock_diag (queue of every listener, ten times a second), ListenOverflows, PassiveOpens, /proc/PID";

inline constexpr std::string_view kReadsWithWaits =
    "sock_diag (queue of every listener, ten times a second; tcp_info of the connections in it), "
    "ListenOverflows, PassiveOpens, /proc/PID";

inline constexpr std::string_view kFull[] = {
    "connections wait in the accept queue; once it is full, further ones are turned away"};
inline constexpr std::string_view kSynRules[] = {"syn-queue-overflow", "syn-queue-full"};

inline constexpr std::string_view kNotSynBacklog =
    "Raising net.ipv4.tcp_max_syn_backlog: it is about half-open connections, and does nothing while SYN "
    "cookies are on.";
inline constexpr std::string_view kNotAbort =
    "net.ipv4.tcp_abort_on_overflow=1: it sends no reset for a SYN, and clients that would have got in after "
    "a burst are reset.";
inline constexpr std::string_view kNotBacklog =
    "A larger backlog or net.core.somaxconn: clients only wait longer.";

inline constexpr AdviceText kLetItGoOn{
    "Resume it: pid {stopped_pid} is stopped, and nothing else is wrong with it.", "kill -CONT {stopped_pid}",
    "It accepts again at once.",
    "If a debugger is attached to it (TracerPid in /proc/{stopped_pid}/status), detach the debugger."};

inline constexpr AdviceText kWhatItIsBusyWith{
    "See what {worker} is busy with: it is using a CPU instead of accepting.", "perf top -p {running_pid}",
    "Shows the functions that take its time: a loop, a garbage collection, a large computation.", ""};
inline constexpr AdviceText kItsThreads{"See which thread of {worker} is busy.", "top -H -p {running_pid}",
                                        "The busy thread is at the top.", ""};
inline constexpr AdviceText kWhatItWaitsFor{
    "Find out what {worker} is waiting for: a lock, a database, a silent client, a full worker pool.",
    "cat /proc/{sleeping_pid}/stack /proc/{sleeping_pid}/wchan; ls /proc/{sleeping_pid}/task | wc -l",
    "Shows where in the kernel its main thread is waiting, and how many threads it has.", ""};
inline constexpr AdviceText kSeeWhoWaits{
    "See who is waiting in the queue.", "ss -tn state established state close-wait '( sport = :{port} )'",
    "Data in Recv-Q: the client has already sent its request. CLOSE-WAIT: the client has given up.", ""};

inline constexpr AdviceText kSeeItsOwnLimit{
    "Check whether {process} is configured to allow only {steady} connections{?steady}: it is waiting for "
    "events, and the number has not changed.",
    "", "It accepts again with a higher limit, or once clients leave; a restart is not the fix.", ""};

inline constexpr auto kLookAtOwner = std::to_array<AdviceText>({
    kLetItGoOn,
    kSeeItsOwnLimit,
    kWhatItIsBusyWith,
    kItsThreads,
    kWhatItWaitsFor,
    {"Take a stack trace before you restart it: the restart destroys the evidence.",
     "gdb -p {worker_pid} -batch -ex 'thread apply all bt'", "Shows what every thread is doing.",
     "Stops the process for a second or two."},
    {"Restart it if clients cannot wait{?worker}.", kRestartCommand, "The queue is emptied.",
     "The waiting connections are reset; unless the cause is fixed, it happens again."},
    kSeeWhoWaits,
});

inline constexpr auto kOwnLimitAdvice = std::to_array<AdviceText>({
    {"Raise the limit of {process} if it can serve more clients at a time: {own_knob}. Then reload it.", "",
     "It accepts again at once.",
     "More memory and descriptors; whatever is behind it gets that many more connections."},
    {"Find out why its {accepted} connections last so long: a slow service behind it, idle keep-alive "
     "connections, clients that send nothing.",
     "ss -tn state established '( sport = :{port} )'",
     "Shows who holds the connections; shorter timeouts free them.", ""},
});

inline constexpr std::string_view kSomaxconnEffect = "listen() can then set a backlog of up to that value.";
inline constexpr std::string_view kSomaxconnRisk =
    "None worth mentioning; containers have their own value (--sysctl net.core.somaxconn=...).";
inline constexpr std::string_view kBacklogEffect = "A burst of that size waits instead of being turned away.";
inline constexpr std::string_view kBacklogRisk =
    "Clients wait longer in the queue if the server stays slow; a few hundred bytes of kernel memory each.";

inline constexpr auto kBacklogAdvice = std::to_array<AdviceText>({
    {"Raise net.core.somaxconn{?clamped}, now {somaxconn}: it caps the backlog that the server asks for.",
     "sysctl -w net.core.somaxconn={new_somaxconn}", kSomaxconnEffect, kSomaxconnRisk},
    {"Raise the backlog{?raise_backlog}[ of {process}][ from {limit} to {new_backlog}][: {server_knob}|; it "
     "is what the server passes to listen()].",
     "", kBacklogEffect, kBacklogRisk},
    {"First raise net.core.somaxconn{?raise_backlog}: it caps the backlog[, and is {somaxconn} now].",
     "sysctl -w net.core.somaxconn={new_somaxconn}", kSomaxconnEffect, kSomaxconnRisk},
    {"Then restart or reload the server: a listener keeps the limit that it got from listen().",
     kRestartCommand, "The new limit shows in `tcpdiag listeners`.", "Open connections are closed."},
    {"If the limit is still {limit}{?clamped}, raise the backlog[ of {process}] as well[: {server_knob}|; it "
     "is what the server passes to listen()].",
     "", kBacklogEffect, kBacklogRisk},
    {"Make net.core.somaxconn permanent{?of_the_host}.",
     "echo 'net.core.somaxconn = {new_somaxconn}' > /etc/sysctl.d/zz-somaxconn.conf",
     "It is set at every boot.", ""},
});
inline constexpr auto kSlowAdvice = std::to_array<AdviceText>({
    kLetItGoOn,
    {"Give the server more capacity to accept: more workers or threads, or less work before accept().", "",
     "Connections are taken from the queue as fast as they arrive.", "More memory and CPU for the workers."},
    kWhatItIsBusyWith,
    kItsThreads,
    kWhatItWaitsFor,
    {"Let clients keep their connections open instead of making a new one for every request.", "",
     "Fewer connections have to be accepted.", "More connections stay open, which takes descriptors."},
});
inline constexpr auto kStuckAdvice = std::to_array<AdviceText>({
    kLetItGoOn,
    kWhatItIsBusyWith,
    {"Find out what the stuck worker {worker} is waiting for.",
     "cat /proc/{sleeping_pid}/stack /proc/{sleeping_pid}/wchan", "Shows where in the kernel it is waiting.",
     ""},
    {"Restart that worker{?worker_pid}.", "kill {worker_pid}",
     "Its clients go to the other members of the group.",
     "The connections in its queue are reset, unless net.ipv4.tcp_migrate_req is 1."},
    {"Restart that worker; while it is stopped, only SIGKILL ends it.", "kill -KILL {stopped_pid}",
     "Its clients go to the other members of the group.",
     "The connections in its queue are reset, unless net.ipv4.tcp_migrate_req is 1."},
    {"See the queue of every member.", "ss -ltn '( sport = :{port} )'",
     "One line for each member of the group: Recv-Q is its queue, Send-Q the limit.", ""},
});

inline constexpr std::string_view kStalledNot[] = {kNotBacklog, kNotSynBacklog, kNotAbort};
inline constexpr std::string_view kOwnLimitNot[] = {
    "Restarting it, if that is its limit: it will reach it again.", kNotBacklog, kNotAbort};
inline constexpr std::string_view kSmallNot[] = {kNotSynBacklog, kNotAbort,
                                                 "Raising net.core.somaxconn alone: it changes no listener "
                                                 "that is already listening, and none that asks for less."};
inline constexpr std::string_view kStuckNot[] = {
    "More workers: the kernel chooses the member by the client's address and port, stuck or not.",
    "A larger backlog: the stuck member never empties it."};

inline constexpr std::string_view kFdExplains[] = {
    "fd-limit-reached",     "fd-limit-near",         "close-wait-unaccepted",      "accept-queue-app-stalled",
    "accept-queue-waiting", "accept-queue-app-slow", "accept-queue-backlog-small", "own-limit-reached",
    "syn-queue-overflow",   "syn-queue-full"};
inline constexpr std::string_view kStuckExplains[] = {
    "requests-not-read",          "close-wait-unaccepted", "close-wait-leak",
    "accept-queue-app-stalled",   "accept-queue-waiting",  "accept-queue-app-slow",
    "accept-queue-backlog-small", "syn-queue-overflow",    "syn-queue-full"};
// A process that stands still does not read or close what it has accepted either.
inline constexpr std::string_view kStalledExplains[] = {
    "requests-not-read",     "close-wait-unaccepted",      "close-wait-leak",    "accept-queue-waiting",
    "accept-queue-app-slow", "accept-queue-backlog-small", "syn-queue-overflow", "syn-queue-full"};
inline constexpr std::string_view kWaitingExplains[] = {
    "requests-not-read",          "close-wait-unaccepted", "close-wait-leak", "accept-queue-app-slow",
    "accept-queue-backlog-small", "syn-queue-overflow",    "syn-queue-full"};
inline constexpr std::string_view kOwnLimitExplains[] = {
    "close-wait-unaccepted",      "accept-queue-app-slow", "accept-overflow-late-reset",
    "accept-queue-backlog-small", "syn-queue-overflow",    "syn-queue-full"};
inline constexpr std::string_view kSlowExplains[] = {
    "close-wait-unaccepted",      "close-wait-leak",    "accept-queue-backlog-small",
    "accept-overflow-late-reset", "syn-queue-overflow", "syn-queue-full"};

inline constexpr std::string_view kStuckReplaces[] = {"accept-queue-app-stalled", "accept-queue-waiting",
                                                      "accept-queue-app-slow"};
inline constexpr std::string_view kStalledReplaces[] = {
    "accept-queue-one-listener-stuck", "accept-queue-waiting", "accept-queue-app-slow", "own-limit-reached"};
inline constexpr std::string_view kWaitingReplaces[] = {"accept-queue-one-listener-stuck",
                                                        "accept-queue-app-stalled", "accept-queue-app-slow",
                                                        "own-limit-reached"};
inline constexpr std::string_view kOwnLimitReplaces[] = {"accept-queue-one-listener-stuck",
                                                         "accept-queue-app-stalled", "accept-queue-waiting",
                                                         "accept-queue-app-slow"};
inline constexpr std::string_view kSlowReplaces[] = {"accept-queue-one-listener-stuck",
                                                     "accept-queue-app-stalled", "accept-queue-waiting",
                                                     "own-limit-reached"};

}  // namespace accept_queue_words

inline constexpr RuleInfo kFdLimitAcceptBlocked = {
    .id = "fd-limit-accept-blocked",
    .family = accept_queue_words::kFamily,
    .severity = Severity::critical,
    .title = "The server is out of file descriptors and cannot accept",
    .true_when =
        "Connections wait in the accept queue, it does not empty, and an owner's open descriptors have "
        "reached its RLIMIT_NOFILE.",
    .clients_see = "Connecting works, then nothing answers; when the queue is full, connecting times out.",
    .summary =
        "{owner} cannot accept: it has {open_fds} open descriptors and its limit is {soft_limit}, so "
        "{length} {length:connection waits|connections wait} in the accept queue of {listener}[ and "
        "{turned_away} {turned_away:was|were} turned away in {window}][; {close_wait} of the descriptors are "
        "sockets whose peer has closed][; {closed} of them are sockets that are already closed][; it gained "
        "{clients} clients while this host's connections to {upstream} stayed at {upstream_connections}].",
    .advice = kDescriptorAdvice,
    .not_helping = kDescriptorNot,
    .consequences = accept_queue_words::kFull,
    .explains = accept_queue_words::kFdExplains,
    .reads = "sock_diag, /proc/PID/fd, /proc/PID/limits",
    .judges_queues = true,
    .explains_clients = true};

inline constexpr RuleInfo kOneListenerStuck = {
    .id = "accept-queue-one-listener-stuck",
    .family = accept_queue_words::kFamily,
    .severity = Severity::critical,
    .title = "One listener of a group does not accept",
    .true_when =
        "Several sockets share a port by SO_REUSEPORT, and the queues of some stay full while those of the "
        "others do not.",
    .clients_see = "Some connections time out, always the same share; the rest are fine.",
    .summary =
        "{stuck} of the {members} listeners that share {listener} {stuck:accepts|accept} nothing: a queue of "
        "{limit} has been full for {pinned} while the others are served[, and {turned_away} connection "
        "{turned_away:attempt was|attempts were} turned away in {window}][. It belongs to {owner}][; "
        "{doing}].",
    .advice = accept_queue_words::kStuckAdvice,
    .not_helping = accept_queue_words::kStuckNot,
    .consequences = accept_queue_words::kFull,
    .explains = accept_queue_words::kStuckExplains,
    .reads = accept_queue_words::kReads,
    .replaces = accept_queue_words::kStuckReplaces,
    .judges_queues = true,
    .explains_clients = true};

inline constexpr RuleInfo kAppStalled = {
    .id = "accept-queue-app-stalled",
    .family = accept_queue_words::kFamily,
    .severity = Severity::critical,
    .title = "The application does not accept",
    .true_when =
        "The accept queue is full, nothing is taken from it for {t.stall_seconds} or longer, and the owner "
        "still has descriptors to spare.",
    .clients_see = "The first clients connect but get no answer; later ones time out while connecting.",
    .summary =
        "[{owner}|The application] [had accepted nothing on {listener} for {still} until a moment ago: its "
        "accept queue was full with {was_full} connections|has accepted nothing on {listener} for {still}: "
        "its accept queue is full with {length} {length:connection|connections}][ and {turned_away} further "
        "{turned_away:attempt was|attempts were} turned away in {window}][; {doing}][; the number of "
        "accepted connections stays at exactly {steady}, which suggests a configured limit].",
    .advice = accept_queue_words::kLookAtOwner,
    .not_helping = accept_queue_words::kStalledNot,
    .consequences = accept_queue_words::kFull,
    .explains = accept_queue_words::kStalledExplains,
    .reads = accept_queue_words::kReads,
    .replaces = accept_queue_words::kStalledReplaces,
    .judges_queues = true,
    .explains_clients = true};

inline constexpr RuleInfo kWaiting = {
    .id = "accept-queue-waiting",
    .family = accept_queue_words::kFamily,
    .severity = Severity::critical,
    .title = "Connections wait and none is accepted",
    .true_when =
        "Connections wait in the accept queue, which need not be full, and nothing is taken from it for "
        "{t.stall_seconds} or longer; a server that took something from it a moment ago, or has paused "
        "before, gets more time.",
    .clients_see = "Connecting works, then no answer comes until their timeout.",
    .summary =
        "[{owner}|The application] has accepted nothing on {listener} for {still}; {waiting} "
        "{waiting:connection waits|connections wait} (there is room for {room})[, the first for {first}][; "
        "{doing}][; the number of accepted connections stays at exactly {steady}, which suggests a "
        "configured limit].",
    .advice = accept_queue_words::kLookAtOwner,
    .not_helping = accept_queue_words::kStalledNot,
    .consequences = accept_queue_words::kFull,
    .explains = accept_queue_words::kWaitingExplains,
    .reads = accept_queue_words::kReadsWithWaits,
    .replaces = accept_queue_words::kWaitingReplaces,
    .judges_queues = true,
    .explains_clients = true};

inline constexpr RuleInfo kOwnLimitReached = {
    .id = "own-limit-reached",
    .family = accept_queue_words::kFamily,
    .severity = Severity::warning,
    .title = "A server has reached its own connection limit",
    .true_when =
        "A known server accepts nothing although connections wait, sleeps until the next event, and its "
        "number of accepted connections does not change. Critical once its queue is full and connections are "
        "turned away.",
    .clients_see =
        "Connecting works, then nothing answers until another client leaves; with a full queue, connecting "
        "times out.",
    .summary =
        "{owner} has most likely reached its own connection limit: the number of accepted connections has "
        "stayed at exactly {accepted} and it is waiting for events, while {waiting} more "
        "{waiting:waits|wait} in the accept queue of {listener} and none has been accepted for {still}[; "
        "{turned_away} {turned_away:attempt was|attempts were} turned away in {window}]. The limit is set by "
        "{own_knob}.",
    .advice = accept_queue_words::kOwnLimitAdvice,
    .not_helping = accept_queue_words::kOwnLimitNot,
    .consequences = accept_queue_words::kFull,
    .explains = accept_queue_words::kOwnLimitExplains,
    .reads = accept_queue_words::kReads,
    .replaces = accept_queue_words::kOwnLimitReplaces,
    .judges_queues = true,
    .explains_clients = true};

inline constexpr RuleInfo kAppSlow = {
    .id = "accept-queue-app-slow",
    .family = accept_queue_words::kFamily,
    .severity = Severity::warning,
    .title = "The application accepts more slowly than connections arrive",
    .true_when =
        "Connections are taken from the accept queue, but it has not been empty for {t.slow_seconds}, and it "
        "keeps reaching its limit or the first connection in it has waited for {t.slow_seconds} or longer. "
        "Critical once {t.turned_away_share} of the attempts are turned away, or after a minute.",
    .clients_see = "Every connection waits in the queue; some time out.",
    .summary =
        "[{owner}|The application] accepts on {listener}, but more slowly than connections arrive: the queue "
        "of {limit} has not been empty for {stood}[, {length} {length:connection waits|connections wait} in "
        "it, the first for {first}][, and {turned_away} {turned_away:attempt was|attempts were} turned away "
        "in {window}][; {doing}].",
    .advice = accept_queue_words::kSlowAdvice,
    .not_helping = accept_queue_words::kStalledNot,
    .consequences = accept_queue_words::kFull,
    .explains = accept_queue_words::kSlowExplains,
    .reads = accept_queue_words::kReadsWithWaits,
    .replaces = accept_queue_words::kSlowReplaces,
    .judges_queues = true,
    .explains_clients = true};

inline constexpr RuleInfo kBacklogSmall = {
    .id = "accept-queue-backlog-small",
    .family = accept_queue_words::kFamily,
    .severity = Severity::warning,
    .title = "The accept queue is too small for bursts",
    .true_when =
        "The accept queue reached its limit, connections were turned away, and it was emptied again.",
    .clients_see =
        "Some connections take 1, 3 or 7 s (SYNs are sent again) or time out, mostly during "
        "bursts.",
    .summary =
        "Bursts of connections to {listener}[ ({owner})] do not fit into its accept queue of {limit}: "
        "{overflows} {overflows:attempt was|attempts were} turned away in {window}, and the queue was "
        "emptied again[; net.core.somaxconn caps it{?clamped}][; that is what the server asked for; "
        "net.core.somaxconn is {somaxconn}{?own_limit}].",
    .advice = accept_queue_words::kBacklogAdvice,
    .not_helping = accept_queue_words::kSmallNot,
    .consequences = accept_queue_words::kFull,
    .explains = accept_queue_words::kSynRules,
    .reads = accept_queue_words::kReads,
    .judges_queues = true,
    .explains_clients = true};

}  // namespace tcpdiag
