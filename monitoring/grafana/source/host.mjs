// SPDX-License-Identifier: Apache-2.0
// One host: everything that the daemon knows of it.
import { badAt, bars, column, dashboard, fd_near, fd_reached, fill, fillHeat, findingRows,
  graph, limitLine, line, nearlyFull, oneHost, ports_exhausted, ports_low, stat, states, table, toDaemon, unknownBelowZero,
  top, toNetns, toServiceHere, toServiceOfSeries, warnAt, worstOfNetns } from './panels.mjs';

const { host, ns, nsOrMachine, port } = oneHost;
const share = { unit: 'percentunit', decimals: 0, min: 0, max: 1 };
const found = (severity) => `count(tcpdiag_finding_active{${nsOrMachine},severity="${severity}"}) or 0 * group(tcpdiag_build_info{${host}})`;
const usedPorts = `tcpdiag_ephemeral_ports_used_max{${ns}} / (tcpdiag_ephemeral_ports{${ns}} > 0)`;
const setting = (name, where = ns) => `(tcpdiag_sysctl{${where},name="${name}"} > 0)`;
const rate = (metric, where = ns) => `rate(${metric}_total{${where}}[$__rate_interval])`;
/// A line for each counter of the kernel, over the chosen namespaces: { what it means: counter }.
const counters = (named) => Object.entries(named).map(([name, counter]) => line(`sum(${rate(`tcpdiag_tcp_${counter}`)})`, name));
const worst = `topk(20, ${fill(port)})`;
const ofWorst = `and ${worst}`;
const fullest = `topk(20, tcpdiag_process_fd_usage_ratio{${host}})`;
// Below 0 while a process that cannot be counted may be nearer to its limit than those that can.
const mostDescriptors = `max(tcpdiag_process_fd_usage_ratio{${host}})`;
const uncounted = `(sum(tcpdiag_finding_unknown{${host},finding="fd-limit-near"}) > 0)`;
const descriptors = `${mostDescriptors} >= ${fd_near} or ${mostDescriptors} unless ${uncounted} or -${uncounted}`;
const fillLines = warnAt(0.5, nearlyFull);
const services = `${ns},port=~"$port",role="server"`;
// tcp_mem counts in pages; nearly every host has pages of 4 KiB.
const memoryLimit = (field) => `4096 * tcpdiag_sysctl{${host},netns="host",name="net.ipv4.tcp_mem",field="${field}"}`;

export default dashboard({
  uid: 'tcpdiag-host',
  title: 'TCP diagnosis / Host',
  description: 'One host: what is found, accept queues, what happens to SYNs, connections, limits, resets, settings, and what is unknown.',
  variables: ['datasource', 'job', 'instance', 'netns', 'ports'],
  annotated: [nsOrMachine, ['finding', 'subject', 'netns']],
  time: 'now-1h',
  rows: {
    Findings: [
      stat('Critical findings', { expr: found('critical'), lines: badAt(1), about: 'Connections fail now.' }),
      stat('Warnings', { expr: found('warning'), lines: badAt(1, 'orange'), about: 'Connections suffer or soon will.' }),
      stat('Unknown', { expr: `sum(tcpdiag_finding_unknown{${host}})`, lines: badAt(1, 'yellow'), about: 'Findings that cannot be judged because a source is missing. Unknown is not healthy.' }),
      stat('Fullest accept queue', { expr: `max(${fill(port)})`, ...share, lines: fillLines, about: '100 % is full: one more than the limit.' }),
      stat('Descriptors used', { expr: descriptors, ...share, lines: warnAt(fd_near, fd_reached), mappings: unknownBelowZero,
        about: 'Of the process closest to its limit. Unknown where those of some processes cannot be counted and no other is near its limit.' }),
      stat('Ephemeral ports used', { expr: `max(${usedPorts})`, ...share, lines: warnAt(ports_low, ports_exhausted), about: 'Towards the busiest destination, in the namespace closest to its limit.' }),
      table('Findings', {
        w: 16, h: 9, exprs: [findingRows(nsOrMachine)], sort: 'Value',
        about: 'Current findings, the worst first. The daemon\'s own page and `tcpdiag check --url` have the proof and the advice.',
        columns: { severity: column.severity(), finding: column.finding({ links: [toDaemon] }), what: column.what(), subject: column.subject(), netns: column.netns() },
      }),
      table('What is unknown', {
        w: 8, h: 9, exprs: [`label_replace(tcpdiag_finding_unknown{${host}} > 0, "what", "$1", "finding", "(.+)")`],
        about: 'Findings that cannot be judged now because a source is missing.',
        columns: { finding: column.finding(), what: column.what() },
      }),
    ],
    'Network namespaces': [
      table('Network namespaces', {
        w: 24, h: 7, sort: 'Value #A',
        exprs: [worstOfNetns(nsOrMachine), `tcpdiag_netns_info{${ns}}`, `count by (job, instance, netns) (tcpdiag_listener_queue_limit{${ns}})`,
          `sum by (job, instance, netns) (tcpdiag_connections{${ns}})`],
        about: 'Containers, pods and others that the daemon found, those in trouble first. Without listeners and connections: it is not watched, as `tcpdiag namespaces` says.',
        columns: {
          netns: column.netns({ width: 260, links: [toNetns] }), kind: { width: 110 }, image: {}, 'Value #C': { title: 'listeners', width: 90, decimals: 0 },
          'Value #D': { title: 'connections', width: 110, decimals: 0 }, severity: column.severity(), finding: column.finding({ title: 'worst finding', links: [toDaemon] }),
        },
      }),
    ],
    'Accept queues': [
      table('Listeners', {
        w: 24, h: 8, sort: 'Value #A',
        exprs: [worst, `tcpdiag_listener_queue_length{${port}} ${ofWorst}`, `tcpdiag_listener_queue_limit{${port}} ${ofWorst}`,
          `tcpdiag_listener_queue_peak_length{${port}} ${ofWorst}`,
          `1 - rate(tcpdiag_listener_queue_fill_ratio_bucket{${port},le="${nearlyFull}"}[$__rate_interval]) / ignoring (le) (rate(tcpdiag_listener_queue_fill_ratio_count{${port}}[$__rate_interval]) > 0) ${ofWorst}`,
          `${rate('tcpdiag_listener_drops', port)} ${ofWorst}`, `tcpdiag_listener_half_open{${port}} ${ofWorst}`,
          `tcpdiag_listener_sockets{${port}} ${ofWorst}`, `tcpdiag_listener_info{${port}} and ignoring (process, unit) ${worst}`],
        about: 'The 20 fullest now. Full is one more than the limit.',
        columns: {
          port: column.port({ links: [toServiceHere] }), process: { width: 150 }, unit: {}, address: { width: 150 }, netns: column.netns(),
          'Value #A': column.share('fill', fillLines, { width: 200 }), 'Value #B': { title: 'queue', width: 75, decimals: 0 },
          'Value #C': { title: 'limit', width: 75, decimals: 0 }, 'Value #D': { title: 'peak 60 s', width: 90, decimals: 0 },
          'Value #E': { title: 'time > 90 %', unit: 'percentunit', decimals: 0, width: 100, lines: warnAt(0.1, 0.5, 'transparent'), cell: { type: 'color-background', mode: 'basic' } },
          'Value #F': { title: 'drops', unit: 'cps', decimals: 1, width: 90 }, 'Value #G': { title: 'half-open', width: 90, decimals: 0 },
          'Value #H': { title: 'sockets', width: 80, decimals: 0 },
        },
      }),
      graph('Accept queues and their limits', {
        w: 12, h: 9, decimals: 0, overrides: [limitLine()], links: [toServiceOfSeries],
        targets: [line(top(5, `tcpdiag_listener_queue_length{${port}}`, fill(port)), '{{address}}:{{port}} {{netns}}'),
          line(`tcpdiag_listener_queue_limit{${port}} and (topk(5, max_over_time((${fill(port)})[$__range:] @ end())) >= 0.25)`, '{{address}}:{{port}} {{netns}} limit')],
        about: 'The five listeners that were fullest in the time shown. A dashed line is the limit, drawn for those that were a quarter full or more.',
      }),
      graph('Fill heat', { w: 12, h: 9, ...fillHeat(port), about: 'How full the accept queues of the chosen ports were, as shares of the daemon\'s looks, ten a second. Bursts between scrapes show here; choose one port to see it alone.' }),
      graph('Turned away at full queues', {
        w: 8, unit: 'cps', targets: [line(rate('tcpdiag_tcp_listen_overflows'), 'overflows {{netns}}'), line(rate('tcpdiag_tcp_listen_drops'), 'drops {{netns}}')],
        about: 'Drops without overflows have a cause other than a full accept queue.',
      }),
      graph('Drops by listener', {
        w: 8, unit: 'cps', links: [toServiceOfSeries], targets: [line(`${top(8, rate('tcpdiag_listener_drops', port))} > 0`, '{{address}}:{{port}} {{netns}}')],
        about: 'The eight with the most; those without drops are not drawn.',
      }),
      graph('Not accepted yet', {
        w: 8, decimals: 0, targets: [line(`${top(8, `tcpdiag_connections_unaccepted{${port}}`)} > 0`, '{{port}} {{netns}}')],
        about: 'Connections whose client believes that it is being served. The eight ports with the most.',
      }),
    ],
    'SYN path': [
      graph('Half-open connections', {
        w: 8, decimals: 0, links: [toServiceOfSeries], overrides: [limitLine()],
        targets: [line(`${top(5, `tcpdiag_listener_half_open{${port}}`)} > 0`, '{{address}}:{{port}} {{netns}}'),
          line(`tcpdiag_listener_queue_limit{${port}} and (tcpdiag_listener_half_open{${port}} >= 0.5 * tcpdiag_listener_queue_limit{${port}})`, '{{address}}:{{port}} {{netns}} limit')],
        about: 'The five listeners with the most. The dashed line is the backlog, which limits them as well; it is drawn where they reach half of it.',
      }),
      graph('SYN cookies', {
        w: 8, unit: 'cps', targets: counters({ 'SYN queue full': 'req_q_full_do_cookies', sent: 'syncookies_sent', 'came back': 'syncookies_received', invalid: 'syncookies_failed' }),
        about: 'Many sent and many back: a burst of real clients. Many sent and few back: a flood.',
      }),
      graph('Failing handshakes', {
        w: 8, unit: 'cps', targets: [...counters({ 'SYN queue full, cookies off': 'req_q_full_drop', 'SYN or SYN-ACK sent again': 'syn_retrans', 'reset while half-open': 'embryonic_rsts', 'given up or refused': 'attempt_fails' }),
          line(`sum(${rate('tcpdiag_tcp_listen_drops')} - ${rate('tcpdiag_tcp_listen_overflows')})`, 'dropped, queue not full')],
      }),
    ],
    Connections: [
      graph('Connections of services, by state', {
        w: 8, h: 9, stack: true, decimals: 0, overrides: states, targets: [line(`sum by (state) (tcpdiag_connections{${services}}) > 0`, '{{state}}')],
        about: 'All chosen ports together.',
      }),
      graph('Services', {
        w: 8, h: 9, decimals: 0, targets: [line(top(8, `sum by (job, instance, netns, port) (tcpdiag_connections{${services}})`), '{{port}} {{netns}}')],
        about: 'Connections in any state, the eight ports with the most.',
      }),
      graph('Destinations', {
        w: 8, h: 9, decimals: 0, targets: [line(`${top(8, `sum by (job, instance, netns, port) (tcpdiag_connections{${ns},role="client"})`)} > 0`, 'to port {{port}} {{netns}}')],
        about: 'Connections of this host as a client, by remote port, the eight with the most.',
      }),
      graph('CLOSE_WAIT', {
        w: 6, decimals: 0, targets: [line(`${top(8, `tcpdiag_connections{${ns},state="close_wait"}`)} > 0`, '{{role}} {{port}} {{netns}}')],
        about: 'The peer has closed and this side has not. The eight ports with the most.',
      }),
      graph('CLOSE_WAIT, age of the oldest', {
        w: 6, unit: 'dthms', targets: [line(top(8, `tcpdiag_close_wait_oldest_seconds{${ns}}`), '{{role}} {{port}} {{netns}}')],
        about: 'A line that climbs is a connection that is never closed.',
      }),
      graph('With unread data', {
        w: 6, decimals: 0, targets: [line(top(8, `tcpdiag_connections_unread{${port}}`), '{{port}} {{netns}}')],
        about: 'Accepted connections whose program had not read their data at that moment. The eight ports with the most.',
      }),
      graph('Not acknowledged', {
        w: 6, decimals: 0, targets: [line(`tcpdiag_connections_unacknowledged{${ns}}`, '{{netns}}')],
        about: 'Open connections whose peer seems to be gone.',
      }),
    ],
    'TIME_WAIT, ports and other limits': [
      graph('Ephemeral ports', {
        w: 8, h: 9, decimals: 0, overrides: [limitLine()],
        targets: [line(`tcpdiag_ephemeral_ports_used_max{${ns}}`, '{{netns}} used'), line(`tcpdiag_ephemeral_ports{${ns}}`, '{{netns}} limit')],
        log: true, min: 1,
        about: 'Local ports in use towards the busiest destination, and how many there are. The scale is logarithmic.',
      }),
      graph('TIME_WAIT', {
        w: 8, h: 9, decimals: 0, overrides: [limitLine()], log: true, min: 1,
        targets: [line(`${top(6, `tcpdiag_connections{${ns},state="time_wait"}`)} > 0`, '{{role}} {{port}} {{netns}}'),
          line(`max(${setting('net.ipv4.tcp_max_tw_buckets')})`, 'limit')],
        about: 'The six ports with the most, and net.ipv4.tcp_max_tw_buckets. On a server they cost no ports; on a client they do. The scale is logarithmic.',
      }),
      graph('How near the limits are', {
        w: 8, h: 9, ...share, max: undefined, lines: badAt(1, 'red', 'transparent'),
        targets: [line(`max(tcpdiag_sockets_time_wait{${ns}} / ignoring (name, field) ${setting('net.ipv4.tcp_max_tw_buckets')})`, 'TIME_WAIT'),
          line(`max(${usedPorts})`, 'ephemeral ports'),
          line(`max(tcpdiag_process_fd_usage_ratio{${host}})`, 'descriptors of a process'),
          line(`max(tcpdiag_system_open_files{${host}} / (tcpdiag_system_max_files{${host}} > 0))`, 'open files of the machine'),
          line(`max(tcpdiag_orphans{${host}} / ignoring (netns, name, field) ${setting('net.ipv4.tcp_max_orphans', `${host},netns="host"`)})`, 'orphans'),
          line(`max(tcpdiag_tcp_memory_bytes{${host}} / ignoring (netns, name, field) (${memoryLimit('max')}))`, 'TCP memory'),
          line(`max(tcpdiag_conntrack_entries{${ns}} / (tcpdiag_conntrack_limit{${ns}} > 0))`, 'connection tracking')],
        about: 'Share of each limit; of several namespaces or processes, the largest.',
      }),
    ],
    'File descriptors': [
      table('Processes by descriptors', {
        w: 12, h: 9, sort: 'Value #A', exprs: [fullest, `tcpdiag_process_open_fds{${host}} and ${fullest}`, `tcpdiag_process_max_fds{${host}} and ${fullest}`],
        about: 'The 20 fullest now.',
        columns: { process: {}, unit: {}, 'Value #A': column.share('share', warnAt(fd_near, fd_reached), { width: 190 }), 'Value #B': { title: 'open', decimals: 0, width: 90 },
          'Value #C': { title: 'limit', decimals: 0, width: 110 } },
      }),
      graph('Descriptors against their limits', {
        w: 12, h: 9, ...share, side: true, lines: warnAt(fd_near, fd_reached, 'transparent'),
        targets: [line(top(8, `tcpdiag_process_fd_usage_ratio{${host}}`), '{{process}} {{unit}}')],
        about: 'The eight fullest in the time shown.',
      }),
    ],
    'Resets and loss': [
      graph('Resets by cause', {
        w: 12, h: 9, unit: 'cps', side: true,
        targets: counters({ 'closed with data unread': 'abort_on_close', 'linger 0, or data after close': 'abort_on_data', 'peer or path gone': 'abort_on_timeout',
          'no memory, or too many orphans': 'abort_on_memory', 'TCP_LINGER2 negative': 'abort_on_linger', 'RST could not be sent': 'abort_failed',
          'reset while half-open': 'embryonic_rsts', 'established ones ended at once': 'estab_resets', 'RSTs sent, for all causes': 'out_rsts' }),
      }),
      graph('Retransmissions', {
        w: 12, h: 9, unit: 'percentunit', side: true,
        targets: Object.entries({ all: 'retrans_segs', 'fast, ordinary loss': 'fast_retrans', 'slow start after a timeout': 'slow_start_retrans', 'SYN and SYN-ACK': 'syn_retrans',
          'lost once more': 'lost_retransmit', 'could not be sent': 'retrans_fail' }).map(([name, counter]) =>
          line(`sum(${rate(`tcpdiag_tcp_${counter}`)}) / (sum(${rate('tcpdiag_tcp_out_segs')}) + sum(${rate('tcpdiag_tcp_retrans_segs')}) > 0)`, name)),
        about: 'Share of all segments sent. Not drawn while nothing is sent.',
      }),
    ],
    'Memory, receiving, connection tracking': [
      graph('TCP memory', {
        w: 8, unit: 'bytes', overrides: [limitLine('max$', 'red'), limitLine('pressure$', 'orange')],
        targets: [line(`tcpdiag_tcp_memory_bytes{${host}}`, 'buffers'), line(memoryLimit('pressure'), 'pressure'), line(memoryLimit('max'), 'max')],
        about: 'Of the whole machine. The marks are of net.ipv4.tcp_mem, which counts in pages, taken as 4 KiB each.',
      }),
      graph('Receive buffers', {
        w: 8, unit: 'cps', targets: counters({ 'window closed': 'to_zero_window_adv', squeezed: 'prune_called', 'dropped, squeezing did not help': 'rcv_pruned', 'dropped, no memory': 'rcvq_drop',
          'dropped, lock held': 'backlog_drop', 'dropped, window closed': 'zero_window_drop' }),
        about: 'The application reads too slowly, or its buffers are small.',
      }),
      graph('Dropped before TCP saw it', {
        w: 8, unit: 'cps', targets: [line(`sum(${rate('tcpdiag_softnet_dropped', host)})`, 'dropped, all CPUs'),
          line(`max(${rate('tcpdiag_softnet_dropped', host)})`, 'dropped, worst CPU'), line(`sum(${rate('tcpdiag_softnet_time_squeezed', host)})`, 'budget used up')],
        about: 'Softnet, of all CPUs.',
      }),
      graph('Connection tracking', {
        w: 8, decimals: 0, overrides: [limitLine()],
        targets: [line(`tcpdiag_conntrack_entries{${ns}}`, '{{netns}}'), line(`max(tcpdiag_conntrack_limit{${ns}})`, 'limit')],
        about: 'No line where connection tracking is not loaded.',
      }),
      graph('Connection tracking, lost packets', {
        w: 8, unit: 'cps', targets: [line(`sum(${rate('tcpdiag_conntrack_drops')})`, 'dropped'), line(`sum(${rate('tcpdiag_conntrack_early_drops')})`, 'thrown out early'),
          line(`sum(${rate('tcpdiag_conntrack_insert_failed')})`, 'insert failed')],
      }),
      graph('Kernel log', {
        w: 8, bars: true, decimals: 0, targets: [line(`sum by (event) (tcpdiag_kernel_log_events_total{${host}} - tcpdiag_kernel_log_events_total{${host}} offset $__interval) > 0`, '{{event}}')],
        about: 'Lines that matter to TCP, by what they say. Nothing is drawn while there are none.',
      }),
    ],
    Settings: [
      table('Settings', {
        w: 24, h: 10, sort: 'name', up: true, exprs: [`tcpdiag_sysctl{${ns}}`, `tcpdiag_sysctl_info{${ns}}`],
        about: 'Sysctls in their own units, as far as the kernel and the namespace have them.',
        columns: { name: { width: 430 }, field: { width: 140 }, 'Value #A': { title: 'number', unit: 'none', width: 180 }, value: { title: 'word', width: 160 }, netns: column.netns({ width: undefined }) },
      }),
    ],
    'The daemon itself': [
      graph('CPU', { w: 6, unit: 'percentunit', targets: [line(`rate(process_cpu_seconds_total{${host}}[$__rate_interval])`, 'share of a core')] }),
      graph('Memory', { w: 6, unit: 'bytes', targets: [line(`process_resident_memory_bytes{${host}}`, 'resident')] }),
      graph('Collectors, how long a run takes', { w: 6, unit: 's', targets: [line(top(6, `tcpdiag_collector_duration_seconds{${host}}`), '{{collector}} {{netns}}')], about: 'The six slowest.' }),
      graph('Late, refused, dropped', {
        w: 6, unit: 'cps', targets: [line(rate('tcpdiag_loop_late_ticks', host), 'late ticks'), line(rate('tcpdiag_http_connections_refused', host), 'connections refused'),
          line(rate('tcpdiag_http_connections_dropped', host), 'connections dropped'), line(rate('tcpdiag_http_requests_unauthorized', host), 'wrong password'),
          line(rate('tcpdiag_http_requests_limited', host), 'rate limit')],
      }),
      table('Failing collectors', { w: 12, h: 7, exprs: [`tcpdiag_collector_success{${host}} == 0`],
        about: 'What they would have read is unknown.',
        columns: { collector: {}, netns: column.netns() } }),
      bars('Left out or not readable', {
        w: 12, h: 7, decimals: 0, min: 0, lines: badAt(1, 'yellow', 'blue'),
        exprs: { 'listening sockets': `sum(tcpdiag_listening_sockets_cut{${ns}})`, 'owners of listeners': `sum(tcpdiag_listener_owners_cut{${host}})`, 'samples': `sum(tcpdiag_samples_cut{${host}})`,
          'processes\' descriptors': `sum(tcpdiag_processes_unreadable{${host}})`, 'settings': `sum(tcpdiag_sysctls_unread{${ns}})`,
          'kernel log lines': `sum(tcpdiag_kernel_log_lost_records_total{${host}})`, 'ephemeral ports': `sum(tcpdiag_ephemeral_ports_undercount{${ns}})` },
        about: 'What the daemon knows is there but does not show on this page.',
      }),
    ],
  },
});
