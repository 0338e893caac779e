// SPDX-License-Identifier: Apache-2.0
// data.mjs: asks the Prometheus at $PROMETHEUS every question of every dashboard: its panels, variables and annotations, for
// the time since $STAGED_SINCE. Nothing may be an error; what must have data has it, and nothing has data where there is no
// host; every metric and label is in the reference.
import fs from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { metrics, rulesOf } from '../../monitoring/grafana/source/catalogue.mjs';
import { fill, panelsOf, Prometheus, questionsOf, read } from './questions.mjs';

// What cannot be staged, and why. What is here and has data all the same is a fault.
const withoutData = JSON.parse(fs.readFileSync(new URL('without_data.json', import.meta.url), 'utf8'));
// What some panels show for All: the instances in it, or the number.
const expected = JSON.parse(fs.readFileSync(new URL('expected.json', import.meta.url), 'utf8'));
const maxSeries = 24;  // more lines than this in one panel cannot be read
const prometheus = new Prometheus(process.env.PROMETHEUS, Number(process.env.STAGED_SINCE));
const rules = new Set([...fs.readFileSync(new URL('../../monitoring/prometheus/recording.yml', import.meta.url), 'utf8')
  .matchAll(/^ *- record: (\S+)/gm)].map(([, name]) => name));

let faults = 0, asked = 0;
const seen = new Set();
const fault = (where, what) => { console.error(`${where}: ${what}`); ++faults; };

// --- what an expression is made of

const ofTargets = ['job', 'instance', 'le'];
const made = (expr) => [...expr.matchAll(/label_replace\(.*?, "(\w+)", "/gs)].map(([, label]) => label);

function checkNames(where, expr) {
  for (const rule of rulesOf(expr)) if (!rules.has(rule)) fault(where, `there is no recording rule ${rule}`);
  const known = (name) => metrics.get(name) ?? metrics.get(name.replace(/_(bucket|count|sum)$/, ''));
  const used = new Set([...ofTargets, ...made(expr)]);
  for (const rule of rulesOf(expr)) for (const label of rule.split(':')[0].split('_').concat('process')) used.add(label);
  for (const [, name, selector = ''] of expr.replace(/\w+:\w+:\w+/g, '').matchAll(/\b((?:tcpdiag|process)_\w+)(?:\{([^}]*)\})?/g)) {
    const metric = known(name);
    if (!metric) { if (name.startsWith('tcpdiag') || selector) fault(where, `there is no metric ${name}`); continue; }
    metric.labels.forEach((label) => used.add(label));
    for (const [, label] of selector.matchAll(/(\w+) *(?:=~|!~|!=|=) *"/g))
      if (![...metric.labels, ...ofTargets].includes(label)) fault(where, `${name} has no label ${label}`);
  }
  for (const [, list] of expr.matchAll(/\b(?:by|without|on|ignoring|group_left|group_right) *\(([^)]*)\)/g))
    for (const label of list.split(',').map((each) => each.trim()).filter(Boolean))
      if (!used.has(label)) fault(where, `no metric of it has the label ${label}`);
}

// --- what Prometheus answers

const finite = (result) => result.some(({ values, value }) => (values ?? [value]).some(([, number]) => Number.isFinite(Number(number))));

const labelsOf = ({ legend }) => [...(legend ?? '').matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
const has = (result, label) => result.some(({ metric }) => metric[label]);

/// What is answered for one choice at the top of the dashboard after another, until everything has been seen.
async function answers(where, question, choices) {
  const all = [];
  for (const choice of choices) {
    ++asked;
    const answer = await prometheus.ask(fill(question.expr, choice), question);
    if (question.range && answer.length > maxSeries) fault(where, `${answer.length} series in one panel`);
    all.push(...answer);
    if (finite(all) && [...labelsOf(question), ...question.columns].every((label) => has(all, label))) break;
  }
  return all;
}

/// What should have data, and has it, or is excused and has none.
function judge(where, key, there) {
  seen.add(key);
  if (there === (key in withoutData)) fault(where, there ? 'has data, but is said to have none' : 'no data');
}

/// What is known to be there, and nothing else.
function compare(where, key, result) {
  const shown = result.map(({ metric, value }) => metric.instance ?? Number(value[1])).sort();
  if (!isDeepStrictEqual(shown, expected[key])) fault(where, `shows ${JSON.stringify(shown)} instead of ${JSON.stringify(expected[key])}`);
}

async function checkDashboard(dashboard) {
  const choices = await prometheus.choices(dashboard.templating.list, (name, offered) => {
    const without = offered.filter((values) => values.length === 0).length;
    const most = name === 'port' ? offered.length - 1 : 0;  // recorded hosts have no listeners
    if (without > most) fault(dashboard.title, `the variable ${name} has no values for ${without} of ${offered.length} choices before it`);
  });
  const tables = new Map();  // panel -> its columns, and all rows of all its queries
  for (const question of questionsOf(dashboard)) {
    const where = `${dashboard.title}: ${question.where}`, key = `${dashboard.uid}: ${question.where}`;
    checkNames(where, question.expr);
    try {
      const answer = await answers(where, question, choices);
      const table = tables.get(question.panel) ?? tables.set(question.panel, { columns: question.columns, rows: [] }).get(question.panel);
      table.rows.push(...answer);
      judge(`${where}: ${question.expr}`, key, finite(answer));
      if (key in expected) compare(where, key, await prometheus.ask(fill(question.expr, choices[0]), question));
      if (finite(answer))
        for (const label of labelsOf(question)) judge(`${where}: label ${label}`, `${key}: ${label}`, has(answer, label));
      const nowhere = await prometheus.ask(fill(question.expr, { ...choices[0], job: 'nowhere', instance: 'nowhere' }), question);
      if (nowhere.length) fault(where, `shows something of a host that is not there: ${JSON.stringify(nowhere[0])}`);
    } catch (error) {
      fault(where, `${error.message}: ${question.expr}`);
    }
  }
  for (const { title, targets } of panelsOf(dashboard).filter(({ type }) => type === 'table'))
    if (targets[0].expr.startsWith('topk(') && !targets.every(({ expr }) => expr.includes(targets[0].expr)))
      fault(`${dashboard.title}: ${title}`, 'not all of its queries keep to the same rows');
  for (const [panel, { columns, rows }] of tables)
    for (const label of columns) judge(`${dashboard.title}: ${panel}: column ${label}`, `${dashboard.uid}: ${panel}: ${label}`, has(rows, label));
}

for (const dashboard of read()) await checkDashboard(dashboard);
for (const key of [...Object.keys(withoutData), ...Object.keys(expected)]) if (!seen.has(key)) fault(key, 'is not there, but something is said of it');
console.log(`${asked} questions, ${Object.keys(withoutData).length} things that cannot have data here, ${faults} faults`);
process.exit(faults ? 1 : 0);
