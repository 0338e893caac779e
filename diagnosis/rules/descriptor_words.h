// SPDX-License-Identifier: Apache-2.0
// What to do about a process without descriptors; add_descriptor_facts() gives the values.
#pragma once

#include <array>

#include "diagnosis/rule.h"

namespace tcpdiag {

inline constexpr auto kDescriptorAdvice = std::to_array<AdviceText>({
    {"If {owner} needs {upstream}, look there first: requests that wait for it keep their clients' "
     "connections open.",
     "ss -tnp dst {upstream}",
     "A timeout for requests, or a larger pool of connections, ends the growth; a higher limit only delays "
     "it.",
     ""},
    {"Have {process} close idle connections, with an idle timeout of its own or SO_KEEPALIVE on what it "
     "accepts; {idle} of its descriptors are idle connections to port {idle_port}.",
     "ss -tno state established '( sport = :{idle_port} )' | head -n 20",
     "Without timer:(keepalive,...) in the last column nothing notices that a peer has vanished, and its "
     "descriptor is never freed; a higher limit only delays that.",
     "Clients that are only slow to ask again have to reconnect."},
    {"Raise the limit of the running process now, without a restart.",
     "prlimit --pid {pid} --nofile={new_limits}",
     "accept(), connect() and open() work again at once; connections that wait in the queue are taken.",
     "Lost when the process restarts; going above its hard limit takes CAP_SYS_RESOURCE. A program that uses "
     "select(), or sized its tables at start, may be unable to use more. If descriptors leak, it only takes "
     "longer."},
    {"Raise it for good: LimitNOFILE={new_limit} for {service}, then restart it.",
     "mkdir -p /etc/systemd/system/{service}.d && printf '\\[Service\\]\\\\nLimitNOFILE={new_limit}\\\\n' > "
     "/etc/systemd/system/{service}.d/zz-nofile.conf && systemctl daemon-reload && systemctl restart -- "
     "{service}",
     "The service starts with that limit from then on.", "The restart closes all its connections."},
    {"Raise it for good: LimitNOFILE={new_limit} for {user_service}, a unit of the user with uid {user}, "
     "then restart it.",
     "mkdir -p /etc/systemd/user/{user_service}.d && printf '\\[Service\\]\\\\nLimitNOFILE={new_limit}\\\\n' "
     "> /etc/systemd/user/{user_service}.d/zz-nofile.conf && systemctl --user -M {user}@ daemon-reload && "
     "systemctl --user -M {user}@ restart -- {user_service}",
     "The unit starts with that limit from then on, up to the hard limit of user@{user}.service.",
     "The restart closes all its connections."},
    {"Raise it for good: give it to service {compose_service} in the compose file, then bring the service up "
     "again.",
     "ulimits: \\{nofile: {new_limit}\\}",
     "The container is made again with that limit; docker update and podman update cannot change it.",
     "Its connections are closed.", CommandKind::file_line},
    {"{?of_run}Raise it for good: make the [docker container {docker}|podman container {podman}] again with "
     "a higher limit; a running one keeps its limit, and [docker{?docker}|podman{?podman}] update cannot "
     "change it.",
     "[docker{?docker}|podman{?podman}] run --ulimit nofile={new_limit}:{new_limit} ...",
     "The container starts with that limit.", "Its connections are closed."},
    {"Raise it for good in the container runtime of {pod}: LimitNOFILE= of its service or its default "
     "ulimits; a pod has no setting of its own for it.",
     "", "Containers that start later have that limit.", "The runtime has to be restarted."},
    {"Raise it for good inside {inside}: LimitNOFILE={new_limit} of [{inner_unit}|the unit] there.",
     "[machinectl shell {machine}]", "It starts with that limit from then on, up to the container's own.",
     "The restart closes all its connections."},
    {"Raise it for good where the session {session} gets it: /etc/security/limits.conf, or ulimit -n in the "
     "shell that starts the program.",
     "ulimit -n {new_limit}", "Programs started from then on have that limit.", ""},
    {"Raise it for good where {starter} is started: ulimit -n {new_limit} in the script that does it, or its "
     "supervisor's setting.",
     "", "It starts with that limit from then on.", "The restart closes all its connections."},
    {"Set {process}'s own limit as well: {knob}.", "", "It does not lower the limit again by itself.", ""},
    {"See what the descriptors are before you trust a higher limit.", "tcpdiag fds {pid}",
     "Many sockets in CLOSE_WAIT, or closed ones, mean a leak: the program does not close them.", ""},
});

inline constexpr std::string_view kDescriptorNot[] = {
    "/etc/security/limits.conf for a service or a container: PAM applies it to logins only.",
    "Raising fs.file-max: it is the whole machine's limit, not this process's.",
    "Raising the backlog or net.core.somaxconn: more clients wait, none is accepted sooner."};

}  // namespace tcpdiag
