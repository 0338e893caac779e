# SPDX-License-Identifier: Apache-2.0
# stuck.py PORT LIMIT: a server that never accepts, and more clients on loopback than its queue of LIMIT holds.
import signal
import socket
import sys

port, limit = int(sys.argv[1]), int(sys.argv[2])
listener = socket.socket()
listener.bind(("0.0.0.0", port))
listener.listen(limit)
clients = [socket.socket() for _ in range(limit + 4)]
for client in clients:
    client.setblocking(False)
    client.connect_ex(("127.0.0.1", port))
signal.pause()
