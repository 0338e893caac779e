// SPDX-License-Identifier: Apache-2.0
// What the project says of its metrics, findings and thresholds elsewhere, so that no dashboard says it a second time.
import fs from 'node:fs';

const catalogue = JSON.parse(fs.readFileSync(new URL('../../../docs/reference/catalogue.json', import.meta.url), 'utf8'));

/// Metric -> { type, labels, help, ... }.
export const metrics = new Map(catalogue.metrics.map((metric) => [metric.name, metric]));

/// Finding -> its title.
export const findings = new Map(catalogue.findings.map(({ id, title }) => [id, title]));

/// Where the rules draw their lines: fd_near and the like.
export const thresholds = Object.fromEntries(catalogue.thresholds.map(({ name, value }) => [name, value]));

/// The metrics that an expression reads, by the names of the reference.
export function metricsOf(expr) {
  const names = expr.replace(/"[^"]*"/g, '').match(/(?<![:\w$])(?:tcpdiag|process)_\w+(?![:\w])/g) ?? [];
  return [...new Set(names.map((name) => (metrics.has(name) ? name : name.replace(/_(bucket|count|sum)$/, ''))))]
    .filter((name) => metrics.has(name));
}

/// The recording rules that an expression reads.
export const rulesOf = (expr) => [...new Set(expr.match(/\w+:tcpdiag_\w+:\w+/g) ?? [])];
