// SPDX-License-Identifier: Apache-2.0
// The words that the dashboards are written in: panels of Grafana's core, variables, annotations and links, in the form of
// its schema version 39.
import { findings, metrics, metricsOf, rulesOf, thresholds } from './catalogue.mjs';

export const { fd_near, fd_reached = 1, ports_low, ports_exhausted, conntrack_near, conntrack_nearly_full, tcp_memory_high,
  orphans_high, system_fd_near, system_fd_reached } = thresholds;
/// The bucket of the fill histogram above which a queue is in trouble; see the reference of its metric.
export const nearlyFull = 0.9;

const stateColor = { established: 'green', close_wait: 'orange', time_wait: 'blue', syn_recv: 'purple', syn_sent: 'red', fin_wait1: 'semi-dark-yellow',
  fin_wait2: 'yellow', last_ack: 'semi-dark-orange', closing: 'semi-dark-purple', close: 'text' };
const datasource = { type: 'prometheus', uid: '${datasource}' };
const severityColor = { critical: 'red', warning: 'orange', info: 'blue' };

// Selectors. `host`: what was chosen at the top; `ns` and `port` narrow it further. Findings about the whole machine have no
// namespace, and must not be lost when one is chosen. Two hosts may have the same instance and differ in a label that a site
// has added: so series are matched by all labels, but those that only one side has (`ignoring`).
const selectors = (instance) => {
  const host = `job=~"$job",${instance}`;
  const ns = `${host},netns=~"$netns"`;
  return { host, ns, nsOrMachine: `${host},netns=~"$netns|"`, port: `${ns},port=~"$port"` };
};
export const manyHosts = selectors('instance=~"$instance"');
/// Where one host alone can be chosen, Grafana puts it in as it is: no regular expression, where [2001:db8::1]:10180 is another.
export const oneHost = selectors('instance="$instance"');
/// 1 where the accept queue is full: a backlog of N holds N+1.
export const fill = (selector) => `tcpdiag_listener_queue_length{${selector}} / (tcpdiag_listener_queue_limit{${selector}} + 1)`;
export const peakFill = (selector) =>
  `tcpdiag_listener_queue_peak_length{${selector}} / (tcpdiag_listener_queue_limit{${selector}} + 1)`;

/// The n series of `expr` that are the greatest anywhere in the shown time, so that lines do not come and go.
export const top = (n, expr, of = expr) => `${expr} and topk(${n}, max_over_time((${of})[$__range:] @ end()))`;

/// Findings with their titles; the worst first.
export const findingRows = (selector) =>
  `label_replace(topk(100, 3 * tcpdiag_finding_active{${selector},severity="critical"} or ` +
  `2 * tcpdiag_finding_active{${selector},severity="warning"} or tcpdiag_finding_active{${selector},severity="info"}), ` +
  '"what", "$1", "finding", "(.+)")';

/// Of each namespace its worst finding: 3 critical, 2 warning, 1 info. What is found about the machine is the host's.
export const worstOfNetns = (selector) => {
  const of = (severity) => `tcpdiag_finding_active{${selector},severity="${severity}"}`;
  return `topk by (job, instance, netns) (1, label_replace(3 * ${of('critical')} or 2 * ${of('warning')} or ${of('info')}, "netns", "host", "netns", ""))`;
};

// --- panels

/// Steps from [value, color], beginning below all.
const steps = (...pairs) => ({
  mode: 'absolute',
  steps: pairs.map(([value, color], at) => ({ color, value: at === 0 ? null : value })),
});
/// Nothing is coloured.
const plain = steps([0, 'text']);
export const warnAt = (warning, critical, calm = 'green') =>
  steps([0, calm], [warning, 'orange'], ...(critical === undefined ? [] : [[critical, 'red']]));
export const badAt = (value, color = 'red', calm = 'green') => steps([0, calm], [value, color]);

function describe(about, targets) {
  const exprs = targets.map(({ expr }) => expr).join(' ');
  const rules = rulesOf(exprs);
  return [
    about,
    ...metricsOf(exprs).map((name) => `- \`${name}\`: ${metrics.get(name).help}`),
    ...(rules.length ? [`Needs the recording rules of \`monitoring/prometheus/recording.yml\`: ${rules.map((rule) => `\`${rule}\``).join(', ')}.`] : []),
  ].filter(Boolean).join('\n\n').replaceAll('\n\n- ', '\n- ').replace('\n- ', '\n\n- ');
}

function panel(type, title, { w, h = 8, about = '', unit, decimals, min, max, color, lines, mappings, noValue, links, overrides = [],
  custom, options = {}, targets, transformations = [] }) {
  return {
    type,
    title,
    description: describe(about, targets),
    datasource,
    gridPos: { w, h },
    fieldConfig: {
      defaults: {
        ...(color && { color }),
        ...(unit && { unit }),
        ...(decimals !== undefined && { decimals }),
        ...(min !== undefined && { min }),
        ...(max !== undefined && { max }),
        ...(noValue && { noValue }),
        ...(links && { links }),
        mappings: mappings ?? [],
        thresholds: lines ?? plain,
        ...(custom && { custom }),
      },
      overrides,
    },
    options,
    targets: targets.map((target, at) => ({ datasource, refId: String.fromCharCode(65 + at), ...target })),
    ...(transformations.length && { transformations }),
  };
}

/// A query over the shown time, and one at its end.
export const line = (expr, legendFormat) => ({ expr, legendFormat, range: true, instant: false, format: 'time_series' });
const now = (expr, legendFormat) => ({ expr, legendFormat, range: false, instant: true, format: 'time_series' });
const row = (expr) => ({ expr, range: false, instant: true, format: 'table' });

/// Properties for the series whose names match.
export const series = (pattern, properties) => ({
  matcher: { id: 'byRegexp', options: `/${pattern}/` },
  properties: Object.entries(properties).map(([id, value]) => ({ id, value })),
});
/// A limit: a dashed line that is not filled.
export const limitLine = (pattern = 'limit$', color = 'red') => series(pattern, {
  color: { mode: 'fixed', fixedColor: color }, 'custom.lineStyle': { fill: 'dash', dash: [8, 6] }, 'custom.fillOpacity': 0, 'custom.lineWidth': 1,
});
export const colored = (colors) => Object.entries(colors).map(([name, color]) =>
  ({ matcher: { id: 'byName', options: name }, properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }] }));

export const severities = colored(severityColor);
export const states = colored(stateColor);

/// Lines over time. `side`: the legend stands beside them with the latest and the greatest value, for many or long names.
export function graph(title, { side = false, stack = false, bars = false, steps: inSteps = false, lines, log = false, ...rest }) {
  return panel('timeseries', title, {
    min: 0,
    ...rest,
    lines,
    color: { mode: 'palette-classic' },
    custom: {
      drawStyle: bars ? 'bars' : 'line',
      lineInterpolation: inSteps ? 'stepAfter' : 'linear',
      lineWidth: 1,
      fillOpacity: stack ? 60 : bars ? 80 : log ? 0 : 5,
      showPoints: 'never',
      spanNulls: false,
      stacking: { mode: stack ? 'normal' : 'none', group: 'A' },
      thresholdsStyle: { mode: lines ? 'dashed' : 'off' },
      ...([undefined, 'cps'].includes(rest.unit) && { axisSoftMax: 1 }),  // a flat 0 must not look like 0 of 100
      ...(log && { scaleDistribution: { type: 'log', log: 10 } }),
    },
    options: {
      legend: side ? { displayMode: 'table', placement: 'right', showLegend: true, calcs: ['lastNotNull', 'max'], sortBy: 'Max', sortDesc: true }
        : { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  });
}

/// Which share of the looks at the accept queues found them how full, from green to red.
export function fillHeat(selector) {
  const upTo = (le) => `sum(rate(tcpdiag_listener_queue_fill_ratio_bucket{${selector},le="${le}"}[$__rate_interval]))`;
  const all = `(sum(rate(tcpdiag_listener_queue_fill_ratio_count{${selector}}[$__rate_interval])) > 0)`;
  return {
    stack: true, unit: 'percentunit', decimals: 0, min: 0, max: 1,
    overrides: colored({ 'up to half': 'green', 'half to 90 %': 'yellow', '90 to 99 %': 'orange', full: 'red' }),
    targets: [line(`${upTo(0.5)} / ${all}`, 'up to half'), line(`(${upTo(0.9)} - ${upTo(0.5)}) / ${all}`, 'half to 90 %'),
      line(`(${upTo(0.99)} - ${upTo(0.9)}) / ${all}`, '90 to 99 %'), line(`1 - ${upTo(0.99)} / ${all}`, 'full')],
  };
}

/// One number.
export function stat(title, { expr, w = 4, h = 4, lines, ...rest }) {
  return panel('stat', title, {
    w, h, lines, ...rest,
    color: { mode: 'thresholds' },
    targets: [now(expr, '')],
    options: {
      colorMode: lines ? 'background' : 'value', graphMode: 'none', justifyMode: 'center', orientation: 'auto', textMode: 'value', wideLayout: true,
      showPercentChange: false, percentChangeColorMode: 'standard',
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    },
  });
}

/// A bar for each series of `expr`, the longest on top, or for each of `exprs`: { name: expression }.
export function bars(title, { expr, legend, exprs, ...rest }) {
  return panel('bargauge', title, {
    ...rest,
    color: { mode: 'thresholds' },
    targets: exprs ? Object.entries(exprs).map(([name, each]) => now(each, name)) : [now(`sort_desc(${expr})`, legend)],
    options: {
      displayMode: 'basic', orientation: 'horizontal', showUnfilled: true, valueMode: 'color', namePlacement: 'left',
      minVizHeight: 16, minVizWidth: 8, maxVizHeight: 28, sizing: 'auto', text: { titleSize: 12, valueSize: 16 },
      legend: { displayMode: 'list', placement: 'bottom', showLegend: false, calcs: [] },
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    },
  });
}

/// A table. `columns`: { field: { title, width, unit, ... } } in their order; other fields are left out. `sort`: a field, the
/// greatest first, or with `up` the least.
export function table(title, { exprs, columns, sort, up = false, ...rest }) {
  const fields = Object.keys(columns);
  const kept = [...new Set([...fields, ...(sort ? [sort] : [])])];
  return panel('table', title, {
    ...rest,
    custom: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false, filterable: true },
    color: { mode: 'thresholds' },
    targets: exprs.map(row),
    transformations: [
      { id: 'filterFieldsByName', options: { include: { names: kept } } },  // rows are one when all they share is equal
      ...(exprs.length > 1 ? [{ id: 'merge', options: {} }] : []),
      ...(sort ? [{ id: 'sortBy', options: { fields: {}, sort: [{ field: sort, desc: !up }] } }] : []),
      ...(kept.length > fields.length ? [{ id: 'filterFieldsByName', options: { include: { names: fields } } }] : []),
      {
        id: 'organize',
        options: {
          excludeByName: {},
          indexByName: Object.fromEntries(fields.map((field, at) => [field, at])),
          renameByName: Object.fromEntries(fields.map((field) => [field, columns[field].title ?? field])),
        },
      },
    ],
    overrides: fields.flatMap((field) => {
      const { width, unit, decimals, max, min, lines, cell, mappings, links } = columns[field];
      const properties = Object.entries({
        unit, decimals, min, max, thresholds: lines, mappings, links,
        'custom.width': width, 'custom.cellOptions': cell,
      }).filter(([, value]) => value !== undefined).map(([id, value]) => ({ id, value }));
      return properties.length ? [{ matcher: { id: 'byName', options: columns[field].title ?? field }, properties }] : [];
    }),
    options: { showHeader: true, cellHeight: 'sm', frameIndex: 0 },
  });
}

const painted = { type: 'color-background', mode: 'basic' };
const gaugeCell = { type: 'gauge', mode: 'basic', valueDisplayMode: 'text' };
// Without places in an order, so that one more finding changes no other's lines.
const mapped = (results) => [{ type: 'value', options: results }];
export const unknownBelowZero = [{ type: 'range', options: { from: null, to: -1, result: { text: 'unknown', color: 'yellow' } } }];

/// Columns that several tables have.
export const column = {
  instance: (rest) => ({ title: 'host', links: [toHost], ...rest }),
  severity: (rest) => ({ width: 80, cell: painted, mappings: mapped(Object.fromEntries(
    Object.entries(severityColor).map(([name, color]) => [name, { text: name, color }]))), ...rest }),
  finding: (rest) => ({ width: 235, ...rest }),
  what: (rest) => ({ title: 'what it says', mappings: mapped(Object.fromEntries(
    [...findings].map(([id, text]) => [id, { text }]))), ...rest }),
  netns: (rest) => ({ title: 'namespace', width: 170, ...rest }),
  subject: (rest) => ({ title: 'about', width: 140, ...rest }),
  port: (rest) => ({ width: 80, links: [toService], ...rest }),
  share: (title, lines, rest) => ({ title, unit: 'percentunit', decimals: 0, min: 0, max: 1, lines, cell: gaugeCell, ...rest }),
  count: (title, color, rest) => ({ title, decimals: 0, width: 90, lines: steps([0, 'transparent'], [1, color]), cell: painted, ...rest }),
};

export const text = (content, { w, h }) => ({ type: 'text', title: '', gridPos: { w, h }, transparent: true, options: { mode: 'markdown', content } });

// --- links

const kept = '${datasource:queryparam}&${job:queryparam}';
const link = (title, url, targetBlank = false) => ({ title, url, targetBlank });
/// The page that each daemon shows at its own port has the proof and the advice.
export const toDaemonOfRow = link('The daemon\'s page: proof and advice', 'http://${__data.fields.instance}/', true);
export const toDaemon = link('The daemon\'s page: proof and advice', 'http://${instance}/', true);
export const toHost = link('This host', `/d/tcpdiag-host?${kept}&var-instance=\${__data.fields.instance}&\${__url_time_range}`);
export const toService = link('This port', `/d/tcpdiag-service?${kept}&var-instance=\${__data.fields.instance}&var-port=\${__data.fields.port}&\${__url_time_range}`);
export const toServiceHere = link('This port', `/d/tcpdiag-service?${kept}&\${instance:queryparam}&var-port=\${__data.fields.port}&\${__url_time_range}`);
export const toNetns = link('This namespace', `/d/tcpdiag-host?${kept}&\${instance:queryparam}&var-netns=\${__data.fields.netns}&\${__url_time_range}`);
export const toHostOfSeries = link('This host', `/d/tcpdiag-host?${kept}&var-instance=\${__field.labels.instance}&\${__url_time_range}`);
export const toServiceOfSeries = link('This port', `/d/tcpdiag-service?${kept}&var-instance=\${__field.labels.instance}&var-port=\${__field.labels.port}&\${__url_time_range}`);

const dashboards = { 'tcpdiag-fleet': 'Fleet', 'tcpdiag-host': 'Host', 'tcpdiag-service': 'Service' };
// The fleet is all hosts: what was chosen of one host is not taken there.
const linksFrom = (uid) => Object.entries(dashboards).filter(([other]) => other !== uid).map(([other, title]) => ({
  asDropdown: false, icon: 'external link', includeVars: other !== 'tcpdiag-fleet', keepTime: true, tags: [], targetBlank: false,
  title, tooltip: '', type: 'link', url: `/d/${other}${other === 'tcpdiag-fleet' ? `?${kept}` : ''}`,
}));

// --- variables and annotations

// All is everything, so that hosts which do not answer belong to it, too; of jobs it is those that have a daemon.
const variable = (name, label, metric, selector, { many, allValue = '.*', sort = 3 }) => {
  const query = `label_values(${metric}${selector && `{${selector}}`}, ${name})`;
  return {
    type: 'query', name, label, datasource, query: { query, refId: name }, refresh: 2, sort,
    multi: many, includeAll: many, ...(many && allValue && { allValue }), regex: '', hide: 0, skipUrlSync: false, options: [],
    ...(many && { current: { selected: true, text: 'All', value: '$__all' } }),
  };
};
const allVariables = ({ host, ns }) => ({
  datasource: { type: 'datasource', name: 'datasource', label: 'Prometheus', query: 'prometheus', refresh: 1, regex: '', multi: false,
    includeAll: false, hide: 0, skipUrlSync: false, options: [] },
  job: variable('job', 'Job', 'tcpdiag_build_info', '', { many: true, allValue: '' }),
  instances: variable('instance', 'Host', 'tcpdiag_build_info', 'job=~"$job"', { many: true }),
  instance: variable('instance', 'Host', 'tcpdiag_build_info', 'job=~"$job"', { many: false }),
  netns: variable('netns', 'Namespace', 'tcpdiag_collector_success', `${host},netns!=""`, { many: true, sort: 5 }),  // by the alphabet: they are names
  ports: variable('port', 'Port', 'tcpdiag_listener_queue_limit', ns, { many: true }),
  port: variable('port', 'Port', 'tcpdiag_listener_queue_limit', ns, { many: false }),
});

/// A region from when a finding opens to when it closes; one that is there for less than a minute is drawn a minute long.
const annotation = (severity, selector, labels, enable) => ({
  name: `Findings: ${severity}`, datasource, enable, hide: false, iconColor: severityColor[severity],
  expr: `max by (${labels.join(', ')}) (last_over_time(tcpdiag_finding_active{${selector},severity="${severity}"}[1m]))`,
  step: '60s', titleFormat: '{{finding}}', textFormat: labels.filter((label) => label !== 'finding').map((label) => `{{${label}}}`).join(' '),
  tagKeys: 'severity', useValueForTime: false,
});

// --- dashboards

// Puts panels from left to right, a new line where the next does not fit.
function place(panels, y) {
  let x = 0, height = 0;
  const placed = panels.map((each) => {
    const { w, h } = each.gridPos;
    if (x + w > 24) { x = 0; y += height; height = 0; }
    const at = { ...each, gridPos: { h, w, x, y } };
    x += w;
    height = Math.max(height, h);
    return at;
  });
  return { placed, end: y + height };
}

/// `rows`: { title: panels }; a title that begins with "+" is closed until it is clicked.
export function dashboard({ uid, title, description, variables, annotated: [selector, labels], warnings = true, time = 'now-3h', rows }) {
  let y = 0, id = 0;
  const panels = [];
  for (const [name, content] of Object.entries(rows)) {
    const closed = name.startsWith('+');
    const head = { type: 'row', id: ++id, title: name.replace(/^\+/, ''), collapsed: closed, gridPos: { h: 1, w: 24, x: 0, y }, panels: [] };
    const { placed, end } = place(content, y + 1);
    for (const each of placed) each.id = ++id;
    panels.push(head);
    if (closed) head.panels = placed;
    else panels.push(...placed);
    y = closed ? y + 1 : end;
  }
  return {
    uid, title, description, tags: ['tcpdiag'], schemaVersion: 39, version: 1, editable: true, graphTooltip: 1, fiscalYearStartMonth: 0,
    liveNow: false, refresh: '30s', timezone: 'browser', weekStart: '', time: { from: time, to: 'now' }, timepicker: {},
    links: linksFrom(uid),
    annotations: { list: [annotation('critical', selector, labels, true), annotation('warning', selector, labels, warnings)] },
    templating: { list: variables.map((name) => allVariables(variables.includes('instance') ? oneHost : manyHosts)[name]) },
    panels,
  };
}
