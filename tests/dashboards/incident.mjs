// SPDX-License-Identifier: Apache-2.0
// incident.mjs ROLE NAME PORT [COUNT]: one program of a staged incident, under the name that the daemon will see.
//   stuck   listens and then never accepts: its only thread waits for something that does not come
//   bursty  accepts all that wait once a second, with room for COUNT, and is busy otherwise
//   leaky   accepts, and does not close when its clients do
//   steady  answers every connection with a few bytes and closes it; one of ten it resets
//   idle    accepts and keeps what it has accepted
//   crowd   COUNT clients that connect to PORT and stay, or come again when they are turned away
//   quit    one client after another, COUNT each second, that says something and goes
//   visit   one client after another, COUNT each second
//   dial    COUNT connections to PORT of 192.0.2.200, where nobody answers
import net from 'node:net';

const [role, name, port, count = 0] = process.argv.slice(2);
process.title = name;
const ignore = () => {};
const backlog = role === 'bursty' ? Number(count) : 128;
const busy = (milliseconds) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
const kept = [];  // sockets that shall not be collected

function listen(options, onConnection, then = ignore) {
  const server = net.createServer(options, (socket) => {
    socket.on('error', ignore);
    onConnection(socket);
  });
  server.on('error', (error) => { console.error(`${name}: ${error.message}`); process.exit(1); });
  server.listen({ port, host: '0.0.0.0', backlog }, then);
}

function connect(host, onConnected = ignore, onGone = ignore) {
  const socket = net.connect({ port, host }, () => onConnected(socket));
  socket.on('error', ignore).on('close', () => onGone(socket)).resume();
  return socket;
}

const roles = {
  stuck: () => listen({}, ignore, () => busy(Infinity)),
  bursty: () => listen({}, (socket) => socket.resume().end('done\n'), () => setInterval(busy, 1000, 900)),
  leaky: () => listen({ allowHalfOpen: true }, (socket) => { kept.push(socket); socket.resume(); }),
  idle: () => listen({}, (socket) => { kept.push(socket); socket.resume(); }),
  steady: () => {
    let served = 0;
    listen({}, (socket) => (++served % 10 === 0 ? socket.resetAndDestroy() : socket.resume().end('done\n')));
  },
  crowd: () => {
    const join = () => connect('127.0.0.1', ignore, () => setTimeout(join, 500));
    for (let i = 0; i < count; ++i) join();
  },
  quit: () => setInterval(() => connect('127.0.0.1', (socket) => socket.end('bye\n', () => socket.destroy())), 1000 / count),
  visit: () => setInterval(() => connect('127.0.0.1'), 1000 / count),
  dial: () => { for (let i = 0; i < count; ++i) connect('192.0.2.200'); setInterval(ignore, 60_000); },
};
roles[role]();
