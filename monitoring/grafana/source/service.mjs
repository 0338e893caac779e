// SPDX-License-Identifier: Apache-2.0
// One port: everything about it, on one host or on many, and who owns it.
import { badAt, column, dashboard, fd_near, fd_reached, fill, fillHeat, graph, limitLine, line, manyHosts,
  nearlyFull, peakFill, stat, states, table, toDaemonOfRow, toHostOfSeries, top, warnAt } from './panels.mjs';

const { host, ns, port } = manyHosts;
const share = { unit: 'percentunit', decimals: 0, min: 0, max: 1 };
const fillLines = warnAt(0.5, nearlyFull);
const server = `${port},role="server"`;
const drops = `rate(tcpdiag_listener_drops_total{${port}}[$__rate_interval])`;
const owners = `tcpdiag_listener_info{${port},process!=""}`;
// The namespaces in which something listens on the port: their counters are of all their ports.
const there = `and ignoring (address, port) tcpdiag_listener_queue_limit{${port}}`;
const rate = (counter) => `rate(tcpdiag_tcp_${counter}_total{${ns}}[$__rate_interval]) ${there}`;
// A finding's subject is the listener, ADDRESS:PORT, or a process, NAME[PID].
const about = `tcpdiag_finding_active{${ns},subject=~".*:($port)"}`;
const aboutOwners = `label_replace(tcpdiag_finding_active{${host}}, "process", "$1", "subject", "(.+)\\\\[[0-9]+\\\\]") and ignoring (finding, severity, subject, netns, address, port, unit) ${owners}`;

export default dashboard({
  uid: 'tcpdiag-service',
  title: 'TCP diagnosis / Service',
  description: 'One port: its accept queue, half-open and established connections, what its clients experience, and the program that owns it.',
  variables: ['datasource', 'job', 'instances', 'netns', 'port'],
  annotated: [`${ns},subject=~".*:($port)"`, ['finding', 'instance', 'subject']],
  time: 'now-1h',
  rows: {
    'Port $port': [
      stat('Accept queue fill', { expr: `max(${fill(port)})`, ...share, lines: fillLines, about: 'The fullest now. 100 % is full: one more than the limit.' }),
      stat('Peak within 60 s', { expr: `max(${peakFill(port)})`, ...share, lines: fillLines, about: 'The longest queue between scrapes, as a share of what it holds.' }),
      stat('Drops', { expr: `sum(${drops})`, unit: 'cps', decimals: 1, lines: badAt(0.01, 'orange') }),
      stat('Not accepted yet', { expr: `sum(tcpdiag_connections_unaccepted{${port}})`, decimals: 0 }),
      stat('Established', { expr: `sum(tcpdiag_connections{${server},state="established"})`, decimals: 0 }),
      stat('Hosts listening', { expr: `count(count without (netns, address, port) (tcpdiag_listener_queue_limit{${port}}))`, decimals: 0 }),
      table('Who owns it', {
        w: 24, h: 5, exprs: [`tcpdiag_listener_info{${port}}`, `tcpdiag_listener_queue_limit{${port}}`, `tcpdiag_listener_sockets{${port}}`],
        about: 'The process that holds the listener. Empty: not known.',
        columns: { instance: column.instance({ width: 220 }), address: { width: 160 }, process: {}, unit: {}, netns: column.netns(),
          'Value #B': { title: 'limit', decimals: 0, width: 80 }, 'Value #C': { title: 'sockets', decimals: 0, width: 80 } },
      }),
      table('Findings about it and its owner', {
        w: 24, h: 5, exprs: [`label_replace(${about} or ${aboutOwners}, "what", "$1", "finding", "(.+)")`],
        about: 'The owner is matched by the name of its process, on the same host.',
        columns: { severity: column.severity(), instance: column.instance({ width: 220 }), finding: column.finding({ links: [toDaemonOfRow] }), what: column.what(), subject: column.subject() },
      }),
    ],
    'Accept queue': [
      graph('Accept queue and its limit', {
        w: 12, h: 9, decimals: 0, overrides: [limitLine()], links: [toHostOfSeries],
        targets: [line(top(5, `tcpdiag_listener_queue_length{${port}}`, fill(port)), '{{instance}} {{address}}'),
          line(top(5, `tcpdiag_listener_queue_peak_length{${port}}`, fill(port)), '{{instance}} {{address}} peak'),
          line(top(5, `tcpdiag_listener_queue_limit{${port}}`, fill(port)), '{{instance}} {{address}} limit')],
        about: 'The five listeners that were fullest in the time shown. A dashed line is the limit.',
      }),
      graph('Fill heat', { w: 12, h: 9, ...fillHeat(port), about: 'How full the accept queue was, as shares of the daemon\'s looks, ten a second.' }),
      graph('Drops at the listener', { w: 8, unit: 'cps', links: [toHostOfSeries], targets: [line(top(8, drops), '{{instance}} {{address}}')], about: 'The eight listeners with most.' }),
      graph('Half-open connections', { w: 8, decimals: 0, links: [toHostOfSeries], targets: [line(top(8, `tcpdiag_listener_half_open{${port}}`), '{{instance}} {{address}}')], about: 'The eight listeners with most.' }),
      graph('Not accepted yet', { w: 8, decimals: 0, links: [toHostOfSeries], targets: [line(top(8, `tcpdiag_connections_unaccepted{${port}}`), '{{instance}} {{netns}}')],
        about: 'Clients that believe they are being served. The eight hosts with the most.' }),
    ],
    Connections: [
      graph('Connections by state', { w: 6, h: 9, stack: true, decimals: 0, overrides: states, targets: [line(`sum by (state) (tcpdiag_connections{${server}}) > 0`, '{{state}}')] }),
      graph('Connections by host', { w: 6, h: 9, decimals: 0, links: [toHostOfSeries], targets: [line(top(8, `sum by (job, instance, netns, port) (tcpdiag_connections{${server}})`), '{{instance}} {{netns}}')], about: 'In any state, the eight hosts with most.' }),
      graph('With unread data', { w: 6, h: 9, decimals: 0, links: [toHostOfSeries], targets: [line(top(8, `tcpdiag_connections_unread{${port}}`), '{{instance}} {{netns}}')],
        about: 'Accepted connections whose data the program had not read at that moment. The eight hosts with the most.' }),
      graph('CLOSE_WAIT, age of the oldest', { w: 6, h: 9, unit: 'dthms', links: [toHostOfSeries], targets: [line(top(8, `tcpdiag_close_wait_oldest_seconds{${server}}`), '{{instance}} {{netns}}')],
        about: 'A line that climbs is a connection that the program does not close. No line where there is none in CLOSE_WAIT.' }),
    ],
    'Its program and its namespace': [
      graph('Descriptors of the owner', {
        w: 8, h: 9, ...share, lines: warnAt(fd_near, fd_reached, 'transparent'), links: [toHostOfSeries],
        targets: [line(top(8, `tcpdiag_process_fd_usage_ratio{${host}} and ignoring (netns, address, port) ${owners}`), '{{instance}} {{process}}')],
        about: 'Share of RLIMIT_NOFILE: at 100 % nothing more is accepted. The eight fullest.',
      }),
      graph('Overflows in its namespace', {
        w: 8, h: 9, unit: 'cps', links: [toHostOfSeries],
        targets: [line(top(5, rate('listen_overflows')), '{{instance}} {{netns}} overflows'), line(top(5, rate('listen_drops')), '{{instance}} {{netns}} drops')],
        about: 'All listeners of the namespace, not only this port. The five with the most.',
      }),
      graph('Resets in its namespace', {
        w: 8, h: 9, unit: 'cps',
        targets: [['closed with data unread', 'abort_on_close'], ['linger 0, or data after close', 'abort_on_data'], ['established ones ended at once', 'estab_resets'], ['reset while half-open', 'embryonic_rsts']]
          .map(([name, counter]) => line(`sum(${rate(counter)})`, name)),
        about: 'All connections of the namespaces in which something listens on the port.',
      }),
    ],
  },
});
