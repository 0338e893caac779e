// SPDX-License-Identifier: Apache-2.0
// generate.mjs [--check]: writes the dashboards' JSON into the folder beside this one, or says whether it is what these
// sources make.
import fs from 'node:fs';
import fleet from './fleet.mjs';
import host from './host.mjs';
import service from './service.mjs';

let stale = 0;
for (const dashboard of [fleet, host, service]) {
  const file = new URL(`../dashboards/${dashboard.uid}.json`, import.meta.url);
  const json = `${JSON.stringify(dashboard, null, 2)}\n`;
  if (!process.argv.includes('--check')) fs.writeFileSync(file, json);
  else if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== json) {
    console.error(`${file.pathname} is not what its source makes: node monitoring/grafana/source/generate.mjs`);
    ++stale;
  }
}
process.exit(stale ? 1 : 0);
