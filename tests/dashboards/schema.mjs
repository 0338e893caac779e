// SPDX-License-Identifier: Apache-2.0
// schema.mjs MODULES: the dashboards are what Grafana's own types say, those of the package @grafana/schema below MODULES.
// What these types leave open is checked beside: queries, annotations, and the properties of overrides.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const modules = path.resolve(process.argv[2]);
const require = createRequire(path.join(modules, 'here.js'));
const { createGenerator } = require('ts-json-schema-generator');
const Ajv = require('ajv');
const types = path.join(modules, '@grafana/schema/dist/types/raw');
const folder = new URL('../../monitoring/grafana/dashboards/', import.meta.url);

let faults = 0;
const fault = (where, what) => { console.error(`${where}: ${what}`); ++faults; };

const ajv = new Ajv({ allErrors: true, strict: false });
const compiled = new Map();
/// Says what is wrong with a value of a type that a file declares.
function check(where, file, type, value) {
  const key = `${file}#${type}`;
  if (!compiled.has(key)) {
    const schema = createGenerator({ path: path.join(types, file), type, skipTypeCheck: true, expose: 'none' }).createSchema(type);
    compiled.set(key, ajv.compile(schema));
  }
  const validate = compiled.get(key);
  if (validate(value)) return;
  for (const { instancePath, message, params } of validate.errors) fault(where, `${instancePath} ${message} ${JSON.stringify(params)}`);
}

const panelTypes = ['timeseries', 'stat', 'gauge', 'bargauge', 'table', 'text'];
const standard = ['unit', 'decimals', 'min', 'max', 'color', 'thresholds', 'mappings', 'links', 'noValue', 'displayName'];
const onlyKeys = (where, value, keys) => {
  for (const key of Object.keys(value)) if (!keys.includes(key)) fault(where, `${key} is not known here`);
};

function checkTarget(where, { refId, expr, range, instant, format, ...rest }) {
  onlyKeys(where, rest, ['datasource', 'legendFormat']);
  if (!/^[A-Z]$/.test(refId) || typeof expr !== 'string') fault(where, 'a query has a letter and an expression');
  if (range === instant) fault(where, 'a query is either over time or of its end');
  if (!['time_series', 'table'].includes(format)) fault(where, `the format ${format}`);
}

function checkPanel(where, panel) {
  if (!panelTypes.includes(panel.type)) return fault(where, `${panel.type} is not one of ${panelTypes.join(', ')}`);
  const panelcfg = `composable/${panel.type}/panelcfg/x/types.gen.d.ts`;
  check(`${where} options`, panelcfg, 'Options', panel.options);
  if (panel.type === 'text') return undefined;
  const hasCustom = ['timeseries', 'table'].includes(panel.type);
  const custom = (at, value) => (hasCustom ? check(at, panelcfg, 'FieldConfig', value) : fault(at, 'has no field config of its own'));
  if (panel.fieldConfig.defaults.custom) custom(where, panel.fieldConfig.defaults.custom);
  for (const { matcher, properties } of panel.fieldConfig.overrides) {
    if (!['byName', 'byRegexp'].includes(matcher.id)) fault(where, `the matcher ${matcher.id}`);
    for (const { id, value } of properties) {
      const at = `${where} override ${id}`;
      if (id.startsWith('custom.')) custom(at, { ...(panel.type === 'table' && { cellOptions: { type: 'auto' }, inspect: false, align: 'auto' }), [id.slice(7)]: value });
      else if (!standard.includes(id)) fault(at, 'is not a standard option');
      else check(at, 'dashboard/x/types.gen.d.ts', 'FieldConfig', { [id]: value });
    }
  }
  if (!panel.title || !panel.description) fault(where, 'has no title or no description');
  return panel.targets.forEach((target) => checkTarget(where, target));
}

/// Panels stand within 24 columns and not upon each other.
function checkPlaces(name, panels) {
  const taken = new Map();
  for (const { title, gridPos: { x, y, w, h } } of panels) {
    if (x + w > 24) fault(name, `${title} does not fit`);
    for (let column = x; column < x + w; ++column)
      for (let line = y; line < y + h; ++line) {
        const place = `${column},${line}`;
        if (taken.has(place)) return fault(name, `${title} lies upon ${taken.get(place)}`);
        taken.set(place, title);
      }
  }
  return undefined;
}

const files = fs.readdirSync(folder).filter((file) => file.endsWith('.json')).sort();
const ids = new Set();
let count = 0;
for (const file of files) {
  const dashboard = JSON.parse(fs.readFileSync(new URL(file, folder), 'utf8'));
  const bare = structuredClone(dashboard);
  for (const annotation of bare.annotations.list) {  // these keys belong to the data source
    if (typeof annotation.expr !== 'string') fault(file, `the annotation ${annotation.name} has no expression`);
    for (const key of ['expr', 'step', 'titleFormat', 'textFormat', 'tagKeys', 'useValueForTime']) delete annotation[key];
  }
  check(file, 'dashboard/x/types.gen.d.ts', 'Dashboard', bare);
  if (`${dashboard.uid}.json` !== file || ids.has(dashboard.uid)) fault(file, `its uid is ${dashboard.uid}`);
  ids.add(dashboard.uid);
  if (dashboard.schemaVersion !== 39) fault(file, `its schema version is ${dashboard.schemaVersion}`);
  const panels = dashboard.panels.flatMap((panel) => (panel.type === 'row' ? panel.panels : [panel]));
  const all = dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
  if (new Set(all.map(({ id }) => id)).size !== all.length) fault(file, 'two panels have one id');
  checkPlaces(file, dashboard.panels);
  for (const panel of panels) checkPanel(`${file}: ${panel.title}`, panel);
  count += panels.length;
}
for (const file of files) {
  const text = fs.readFileSync(new URL(file, folder), 'utf8');
  for (const [, uid] of text.matchAll(/\/d\/([\w-]+)/g)) if (!ids.has(uid)) fault(file, `a link leads to ${uid}`);
  // one more finding would change the lines of all that stand behind it
  if (text.includes('"index":')) fault(file, 'a value mapping says its place in the list');
}
if (files.length === 0) fault(folder.pathname, 'there are no dashboards');
console.log(`${files.length} dashboards with ${count} panels, ${faults} faults against @grafana/schema`);
process.exit(faults ? 1 : 0);
