// SPDX-License-Identifier: Apache-2.0
// Which hosts have problems: all hosts on one page.
import { badAt, bars, column, conntrack_near, conntrack_nearly_full, dashboard, fd_near, fd_reached, fill, findingRows, graph,
  line, manyHosts, nearlyFull, ports_exhausted, ports_low, severities, stat, table, toDaemonOfRow, toHostOfSeries, top, warnAt } from './panels.mjs';

const { host } = manyHosts;
const answering = `tcpdiag_build_info{${host}}`;
// A job of another name may have other exporters: a target in it is a daemon when it answered within a day.
const up = `(up{${host},job=~".*tcpdiag.*"} or up{${host}} and ignoring (version) (${answering} or last_over_time(${answering}[1d:5m])))`;
const report = `tcpdiag_report_timestamp_seconds{${host}}`;
const found = (severity) => `tcpdiag_finding_active{${host},severity="${severity}"}`;
const hostsWith = (severity) => `sum(max without (finding, severity, netns, subject, version) (${found(severity)} or 0 * ${answering}))`;
const mostFindings = `topk(50, count by (job, instance) (${found('critical')}) or 0 * count by (job, instance) (${found('warning')}))`;
const usedPorts = `tcpdiag_ephemeral_ports_used_max{${host}} / (tcpdiag_ephemeral_ports{${host}} > 0)`;
const conntrack = `tcpdiag_conntrack_entries{${host}} / (tcpdiag_conntrack_limit{${host}} > 0)`;
const worst = `topk(20, ${fill(host)})`;
const ofWorst = `and ${worst}`;
const fillLines = warnAt(0.5, nearlyFull);
/// A column whose only number, 0, is a word.
const said = (title, text) => ({ title, width: 130, mappings: [{ type: 'value', options: { 0: { text, color: 'red' } } }] });
const share = { unit: 'percentunit', decimals: 0, min: 0, max: 1 };

export default dashboard({
  uid: 'tcpdiag-fleet',
  title: 'TCP diagnosis / Fleet',
  description: 'Which hosts lose connections, and why: findings, the worst listeners, limits that are nearly reached, and blind spots.',
  variables: ['datasource', 'job', 'instances'],
  annotated: [host, ['finding']],
  warnings: false,
  rows: {
    'Problems now': [
      stat('Hosts, critical', { expr: hostsWith('critical'), lines: badAt(1), about: 'Connections fail there now. Counts hosts whose daemon answers.' }),
      stat('Hosts, warnings', { expr: hostsWith('warning'), lines: badAt(1, 'orange'), about: 'Connections suffer there or soon will. Counts hosts whose daemon answers.' }),
      stat('Hosts with unknown findings', { expr: `sum(max without (finding) (tcpdiag_finding_unknown{${host}}))`, lines: badAt(1, 'yellow'),
        about: 'Hosts where a source is missing for at least one finding: no finding does not mean that all is well there.' }),
      stat('Hosts not scraped', { expr: `sum(${up} == bool 0)`, lines: badAt(1), about: 'Daemons that Prometheus cannot reach. In a job without "tcpdiag" in its name: those that answered within a day.' }),
      stat('Hosts scraped', { expr: `sum(${up})`, about: 'Daemons that answer.' }),
      stat('Accept queue fill, p99', { expr: `quantile(0.99, ${fill(host)})`, ...share, lines: fillLines,
        about: '99 of 100 accept queues are at most this full now.' }),
      table('Findings', {
        w: 17, h: 11, exprs: [findingRows(host)], sort: 'Value',
        about: 'Current findings, the worst first, at most 100. The daemon\'s own page and `tcpdiag check --url` have the proof and the advice.',
        columns: { severity: column.severity(), instance: column.instance({ width: 180 }), finding: column.finding({ links: [toDaemonOfRow] }), what: column.what(), subject: column.subject() },
      }),
      table('Hosts by findings', {
        w: 7, h: 11, sort: 'Value #A',
        exprs: [mostFindings, `count by (job, instance) (${found('warning')}) and ${mostFindings}`, `sum by (job, instance) (tcpdiag_finding_unknown{${host}}) and ${mostFindings}`],
        about: 'Hosts with warnings or worse, and how many findings each of them cannot judge.',
        columns: { instance: column.instance(), 'Value #A': column.count('critical', 'red', { width: 70 }), 'Value #B': column.count('warnings', 'orange', { width: 80 }),
          'Value #C': column.count('cannot tell', 'yellow', { width: 95 }) },
      }),
    ],
    'Worst listeners': [
      table('Fullest accept queues', {
        w: 18, h: 10, sort: 'Value #A',
        exprs: [worst, `tcpdiag_listener_queue_length{${host}} ${ofWorst}`, `tcpdiag_listener_queue_limit{${host}} ${ofWorst}`,
          `rate(tcpdiag_listener_drops_total{${host}}[$__rate_interval]) ${ofWorst}`, `tcpdiag_listener_info{${host}} and ignoring (process, unit) ${worst}`],
        about: 'The 20 fullest of all hosts now. Full is one more than the limit.',
        columns: { instance: column.instance({ width: 190 }), port: column.port(), process: {}, address: { width: 110 }, netns: column.netns(),
          'Value #A': column.share('fill', fillLines, { width: 150 }), 'Value #B': { title: 'queue', width: 65, decimals: 0 },
          'Value #C': { title: 'limit', width: 65, decimals: 0 }, 'Value #D': { title: 'drops', unit: 'cps', decimals: 1, width: 85 } },
      }),
      bars('Services by drops', {
        w: 6, h: 10, unit: 'cps', decimals: 1, min: 0, lines: badAt(1, 'orange', 'blue'), legend: '{{port}} {{process}}',
        expr: `topk(10, sum by (port, process) (rate(tcpdiag_listener_drops_total{${host}}[$__rate_interval]) * ignoring (process, unit) group_left (process) tcpdiag_listener_info{${host}}) > 0)`,
        about: 'Drops at the listeners of all hosts by port and program: which service loses connections.',
      }),
      graph('Fill of accept queues', {
        w: 8, ...share, lines: badAt(nearlyFull, 'red', 'transparent'),
        targets: [line('fleet:tcpdiag_listener_queue_fill:p99{job=~"$job"}', 'p99 {{job}}'),
          line('max by (job) (instance_netns_port:tcpdiag_listener_queue_fill:ratio{job=~"$job",instance=~"$instance"})', 'fullest {{job}}')],
        about: 'If the fullest queue stays full while p99 is low, one service is sick; if p99 rises, the fleet is. The p99 covers all hosts of the job.',
      }),
      graph('Accept queue overflows by host', {
        w: 8, unit: 'cps', links: [toHostOfSeries],
        targets: [line('topk(10, sum by (job, instance) (instance_netns:tcpdiag_tcp_listen_overflows:rate5m{job=~"$job",instance=~"$instance"})) > 0', '{{instance}}')],
        about: 'The ten hosts with the most; hosts without overflows are not drawn.',
      }),
      graph('Drops by service', {
        w: 8, unit: 'cps',
        targets: [line('topk(10, sum by (port, process) (port_process:tcpdiag_listener_drops:rate5m{job=~"$job"})) > 0', '{{port}} {{process}}')],
        about: 'The ten services with the most, over all hosts of the job; services without drops are not drawn.',
      }),
    ],
    'Trends of findings': [
      graph('Open findings by severity', {
        w: 12, stack: true, steps: true, decimals: 0, overrides: severities,
        targets: [line(`sum by (severity) (instance_severity:tcpdiag_findings:count{${host}}) or count by (severity) (tcpdiag_finding_active{${host}})`, '{{severity}}')],
        about: 'How many findings are open at a time. Without the recording rules there is a gap instead of 0.',
      }),
      graph('Most frequent findings', {
        w: 12, decimals: 0, side: true, stack: true, steps: true,
        targets: [line(top(12, `count by (finding) (tcpdiag_finding_active{${host}})`), '{{finding}}')],
        about: 'On how many subjects each is open: the twelve most frequent in the time shown.',
      }),
    ],
    'Limits nearly reached': [
      bars('File descriptors by process', { w: 8, ...share, lines: warnAt(fd_near, fd_reached), legend: '{{instance}} {{process}}',
        expr: `topk(10, max by (job, instance, process) (tcpdiag_process_fd_usage_ratio{${host}}))`, links: [toHostOfSeries], about: 'Share of RLIMIT_NOFILE, the ten fullest.' }),
      bars('Ephemeral ports', { w: 8, ...share, lines: warnAt(ports_low, ports_exhausted), legend: '{{instance}} {{netns}}',
        expr: `topk(10, ${usedPorts})`, links: [toHostOfSeries], about: 'Share of the local ports that the busiest destination takes, the ten fullest namespaces.' }),
      bars('Connection tracking', { w: 8, ...share, lines: warnAt(conntrack_near, conntrack_nearly_full), legend: '{{instance}} {{netns}}',
        expr: `topk(10, ${conntrack})`, links: [toHostOfSeries], about: 'Share of the limit, the ten fullest namespaces. No bar where connection tracking is not loaded.' }),
      graph('File descriptors, fullest process', { w: 8, ...share, lines: warnAt(fd_near, fd_reached, 'transparent'), links: [toHostOfSeries],
        targets: [line(`topk(10, instance:tcpdiag_process_fd_usage:max{${host}})`, '{{instance}}')], about: 'The ten hosts with the most.' }),
      graph('Ephemeral ports, busiest destination', { w: 8, ...share, lines: warnAt(ports_low, ports_exhausted, 'transparent'), links: [toHostOfSeries],
        targets: [line(`topk(10, instance_netns:tcpdiag_ephemeral_ports_used:ratio{${host}})`, '{{instance}} {{netns}}')], about: 'The ten namespaces with the most.' }),
      graph('Retransmissions', { w: 8, unit: 'percentunit', links: [toHostOfSeries],
        targets: [line(`topk(10, instance_netns:tcpdiag_tcp_retrans:ratio_rate5m{${host}})`, '{{instance}} {{netns}}')],
        about: 'Share of all segments sent that were sent again: loss on the path. The ten namespaces with the most.' }),
    ],
    'Blind spots': [
      table('Hosts not scraped, or with a stuck daemon', {
        w: 12, h: 8, exprs: [`${up} == 0`, `changes(${report}[5m]) == 0 and count_over_time(${report}[5m]) > 2`],
        about: 'Nothing is known about these hosts now: Prometheus cannot reach the target, or its report has been the same for five minutes.',
        columns: { instance: column.instance(), job: { width: 150 }, 'Value #A': said('scraped', 'no'), 'Value #B': said('report', 'stuck') },
      }),
      table('Findings that cannot be judged', {
        w: 12, h: 8, sort: 'Value', exprs: [`label_replace(topk(50, sum by (finding) (tcpdiag_finding_unknown{${host}}) > 0), "what", "$1", "finding", "(.+)")`],
        about: 'On how many hosts a source for it is missing. Each daemon\'s page says which.',
        columns: { finding: column.finding(), what: column.what(), Value: { title: 'hosts', width: 90, decimals: 0 } },
      }),
    ],
  },
});
