# SPDX-License-Identifier: Apache-2.0
# customers.py NUMBER ADDRESS:PORT...: so many clients of each, which ask again as soon as they were answered or gave up.
import socket
import sys
import threading
import time


def ask(address, port):
    while True:
        try:
            with socket.create_connection((address, port), timeout=8) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                while connection.recv(4096):
                    pass
        except OSError:
            time.sleep(0.1)


for service in sys.argv[2:]:
    address, port = service.rsplit(":", 1)
    for _ in range(int(sys.argv[1])):
        threading.Thread(target=ask, args=(address, int(port))).start()
