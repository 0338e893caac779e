// SPDX-License-Identifier: Apache-2.0
// What the project says of its metrics, findings and thresholds elsewhere, so that no dashboard says it a second time.
import fs from 'node:fs';

const read = (path) => fs.readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

/// Metric -> { type, labels, help }, as the reference has them.
export const metrics = new Map(
  [...read('docs/reference/metrics.md').matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|/gm)].map(
    ([, name, type, labels, help]) => [name, { type, labels: labels.split(',').map((label) => label.trim()).filter(Boolean), help }]));

/// Finding -> its title.
export const findings = new Map(
  [...read('docs/reference/findings.md').matchAll(/^\| [^|]* \| \[([\w-]+)\]\([^)]*\) \| \w+ \| ([^|]*) \|$/gm)].map(
    ([, id, title]) => [id, title]));

/// Where the rules draw their lines: fd_near and the like.
export const thresholds = Object.fromEntries(
  [...read('diagnosis/thresholds.h').matchAll(/^ {2}(?:double|std::uint64_t) (\w+) = ([\d.]+);/gm)].map(
    ([, name, value]) => [name, Number(value)]));

/// The metrics that an expression reads, by the names of the reference.
export function metricsOf(expr) {
  const names = expr.replace(/"[^"]*"/g, '').match(/(?<![:\w$])(?:tcpdiag|process)_\w+(?![:\w])/g) ?? [];
  return [...new Set(names.map((name) => (metrics.has(name) ? name : name.replace(/_(bucket|count|sum)$/, ''))))]
    .filter((name) => metrics.has(name));
}

/// The recording rules that an expression reads.
export const rulesOf = (expr) => [...new Set(expr.match(/\w+:tcpdiag_\w+:\w+/g) ?? [])];
