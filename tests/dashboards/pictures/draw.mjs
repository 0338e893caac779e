// SPDX-License-Identifier: Apache-2.0
// draw.mjs MODULES ANSWERS FOLDER: draws what collect.mjs wrote, each dashboard in the light and in the dark theme, 1440
// pixels wide, into FOLDER. MODULES has Grafana's components.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const [modules, file, folder] = process.argv.slice(2).map((each) => path.resolve(each));
const require = createRequire(path.join(modules, 'here.js'));
const width = 1440, top = 1500;  // what docs/ shows is the upper part
const { pictures, ...times } = JSON.parse(fs.readFileSync(file, 'utf8'));
fs.mkdirSync(folder, { recursive: true });

require('esbuild').buildSync({
  entryPoints: [new URL('page.jsx', import.meta.url).pathname], outfile: path.join(folder, 'page.js'), bundle: true, logLevel: 'error',
  nodePaths: [modules], alias: { '@grafana/ui': path.join(modules, '@grafana/ui/dist/cjs/index.cjs'), '@grafana/data': path.join(modules, '@grafana/data/dist/cjs/index.cjs') },
  define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
  loader: { '.ttf': 'dataurl', '.woff2': 'dataurl', '.woff': 'dataurl', '.svg': 'dataurl', '.png': 'dataurl' }, jsx: 'transform',
});

function chromium(page, ...flags) {
  const profile = fs.mkdtempSync(path.join(folder, 'profile-'));
  try {
    return execFileSync('chromium', ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars',
      '--allow-file-access-from-files', '--virtual-time-budget=5000', `--user-data-dir=${profile}`, ...flags, `file://${page}`],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 28 });
  } finally {
    fs.rmSync(profile, { recursive: true, force: true });
  }
}

let faults = 0;
for (const picture of pictures) {
  for (const mode of ['light', 'dark']) {
    const name = path.join(folder, `${picture.dashboard.uid}-${mode}`);
    const shown = JSON.stringify({ ...times, picture, mode, width }).replaceAll('<', '\\u003c');
    fs.writeFileSync(`${name}.html`, `<!doctype html><meta charset="utf-8"><title>not drawn</title><link rel="stylesheet" href="page.css"><div id="root"></div>
      <script>window.grafanaBootData={settings:{featureToggles:{}},user:{}};window.shown=${shown}</script><script src="page.js"></script>`);
    const dom = chromium(`${name}.html`, `--window-size=${width},900`, '--dump-dom');
    const height = /<title>height (\d+)<\/title>/.exec(dom)?.[1];
    if (!height) { console.error(`${name}: not drawn: ${dom.replace(/<script[\s\S]*?<\/script>/g, '').slice(0, 2000)}`); ++faults; continue; }
    chromium(`${name}.html`, `--window-size=${width},${height}`, `--screenshot=${name}.png`);
    chromium(`${name}.html`, `--window-size=${width},${Math.min(height, top)}`, `--screenshot=${name}-top.png`);
    const empty = /data-empty="([^"]*)"/.exec(dom)?.[1];
    console.log(`${name}.png${empty ? `, without data: ${empty}` : ''}`);
  }
}
process.exit(faults ? 1 : 0);
