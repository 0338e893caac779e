// SPDX-License-Identifier: Apache-2.0
// What dashboards ask of Prometheus, and asking it as Grafana does.
import fs from 'node:fs';

/// The dashboards as they are committed.
export function read() {
  const folder = new URL('../../monitoring/grafana/dashboards/', import.meta.url);
  return fs.readdirSync(folder).filter((file) => file.endsWith('.json')).sort()
    .map((file) => JSON.parse(fs.readFileSync(new URL(file, folder), 'utf8')));
}

export const panelsOf = (dashboard) => dashboard.panels.flatMap((panel) => (panel.type === 'row' ? panel.panels : [panel]));

// The columns of a table that are labels; each must be in the answer to one of its queries.
function columnsOf(panel) {
  const organize = panel.transformations?.find(({ id }) => id === 'organize');
  return Object.keys(organize?.options.indexByName ?? {}).filter((name) => !/^(Time|Value( #[A-Z])?)$/.test(name));
}

/// Every expression: { where, panel, expr, range, legend, columns }. The columns of a table may come from any of its queries.
export function questionsOf(dashboard) {
  const ofPanels = panelsOf(dashboard).flatMap((panel) => (panel.targets ?? []).map((target) => ({
    panel: panel.title, where: panel.targets.length > 1 ? `${panel.title}, ${target.legendFormat || target.refId}` : panel.title,
    expr: target.expr, range: target.range, legend: target.legendFormat,
    columns: columnsOf(panel),
  })));
  const ofAnnotations = dashboard.annotations.list.map(({ name, expr, titleFormat, textFormat }) =>
    ({ panel: name, where: `annotation ${name}`, expr, range: true, legend: `${titleFormat} ${textFormat}`, columns: [], annotation: true }));
  return [...ofPanels, ...ofAnnotations];
}

const literal = (value) => value.replace(/[$^*{}[\]'+?.()|\\]/g, '\\\\$&');

/// Puts choices and intervals in. Many values become a regular expression, as Prometheus' data source makes it; one value of
/// a variable that has no more is put in as it is.
export function fill(expr, choice, { interval = '1s', rate = '20s', range = '30s' } = {}) {
  const values = { ...choice, __rate_interval: rate, __interval: interval, __range: range };
  return expr.replace(/\$\{(\w+)(?::\w+)?\}|\$(\w+)/g, (all, braced, bare) => {
    if (/^\d+$/.test(bare)) return all;  // of a regular expression in the query
    const value = values[braced ?? bare];
    if (value === undefined) throw new Error(`${all} is not a variable of this dashboard`);
    return Array.isArray(value) ? `(${value.map(literal).join('|')})` : value;
  });
}

export class Prometheus {
  constructor(url, since) {
    this.url = url;
    this.since = since;
    this.until = Date.now() / 1000;
  }

  async get(path, parameters) {
    const response = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const answer = await response.json();
    if (answer.status !== 'success') throw new Error(answer.error);
    return answer.data;
  }

  async ask(query, { range, step = 1 }) {
    const { result } = range ? await this.get('query_range', { query, start: this.since, end: this.until, step })
      : await this.get('query', { query, time: this.until });
    return result;
  }

  /// What can be chosen at the top of a dashboard: All wherever there is All, beside each value of a variable without it.
  async choices(variables, onValues = () => {}) {
    let choices = [{}];
    for (const { type, name, query, includeAll, allValue } of variables) {
      if (type === 'datasource') continue;
      const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(query.query);
      const next = [], offered = [];
      for (const choice of choices) {
        const values = await this.get(`label/${label}/values`, { 'match[]': fill(selector, choice), start: this.since, end: this.until });
        offered.push(values);
        if (includeAll) next.push({ ...choice, [name]: allValue ?? values });
        else next.push(...values.map((value) => ({ ...choice, [name]: value })));
      }
      onValues(name, offered);
      choices = next;
    }
    return choices;
  }
}
