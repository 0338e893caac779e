// SPDX-License-Identifier: Apache-2.0
// recorded_hosts.mjs PORT NAME=FILE...: serves at /NAME what FILE holds, the page of a recording that was replayed. So
// dashboards see hosts whose limits no test may touch. The time of the report is made the present, as a
// daemon's is; at /NAME/behind it is that of a clock 3 min behind, and at /NAME/standing-still it does not change.
import fs from 'node:fs';
import http from 'node:http';

const [port, ...pairs] = process.argv.slice(2);
const pages = new Map(pairs.map((pair) => pair.split('=')).map(([name, file]) => [name, fs.readFileSync(file, 'utf8')]));

http.createServer((request, response) => {
  const [, name, clock] = request.url.split('/');
  const time = Date.now() / 1000 - (clock === 'behind' ? 180 : 0);
  const page = pages.get(name);
  response.writeHead(page ? 200 : 404, { 'Content-Type': 'text/plain; version=0.0.4' });
  response.end(clock === 'standing-still' ? page : page?.replace(/^(tcpdiag_report_timestamp_seconds) .*/m, `$1 ${time}`));
}).listen(Number(port), '127.0.0.1');
