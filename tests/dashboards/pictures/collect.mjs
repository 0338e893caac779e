// SPDX-License-Identifier: Apache-2.0
// collect.mjs FILE: writes what the Prometheus at $PROMETHEUS answers to every panel, for one host and one port.
import fs from 'node:fs';
import { fill, panelsOf, Prometheus, read } from '../questions.mjs';

const chosen = {
  'tcpdiag-fleet': {},
  'tcpdiag-host': { instance: 'web-1:10180' },
  'tcpdiag-service': { instance: 'web-1:10180', port: '8082' },
};
const prometheus = new Prometheus(process.env.PROMETHEUS, Number(process.env.STAGED_SINCE));
const step = 2;
const intervals = { interval: `${step}s`, rate: '15s', range: `${Math.ceil(prometheus.until - prometheus.since)}s` };

const pictures = [];
for (const dashboard of read()) {
  const wanted = chosen[dashboard.uid];
  const all = await prometheus.choices(dashboard.templating.list);
  const choice = { ...all.find((each) => Object.keys(wanted).every((name) => each[name] === wanted[name] || each[name] === '.*')),
    ...wanted, job: 'tcpdiag' };
  const answers = {};
  for (const panel of panelsOf(dashboard))
    answers[panel.id] = await Promise.all((panel.targets ?? []).map(({ expr, range }) =>
      prometheus.ask(fill(expr, choice, intervals), { range, step })));
  pictures.push({ dashboard, choice: { ...choice, __range: intervals.range }, answers });
}
fs.writeFileSync(process.argv[2], JSON.stringify({ since: prometheus.since, until: prometheus.until, step, pictures }));
