# SPDX-License-Identifier: Apache-2.0
# churn.py SECONDS RATE GROUPS URL: starts so many containers a second, as Docker would leave them in /proc and in its own
# files, ends each soon, and watches that the daemon at URL never takes one for another. One in three has the name of one
# that has just ended. The last line says what was seen; it fails when something was wrong.
import collections
import ctypes
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import sys
import time
import urllib.request

SECONDS, RATE, GROUPS, URL = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4]
NOTES = "/var/lib/docker/containers"
LIVES = (0.05, 0.5, 2, 4, 8)  # seconds
# Seconds, of which 1 is our own pace. Where more come than five a second, the CPU budget makes scans less frequent.
FOUND_WITHIN, GONE_WITHIN = (7, 8) if RATE <= 5 else (20, 12)
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
INFO = re.compile(r'^tcpdiag_netns_info\{netns="([^"]*)",kind="([^"]*)",container="([^"]*)"', re.M)
LIMIT = re.compile(r'^tcpdiag_listener_queue_limit\{netns="([^"]*)",address="[^"]*",port="(\d+)"\}', re.M)
NETNS = re.compile(r'^[a-z_]+\{[^}\n]*?\bnetns="([^"]*)"', re.M)


class Container:
    count = 0

    def __init__(self, name):
        Container.count += 1
        self.id = "%064x" % random.getrandbits(256)
        self.port = 1024 + Container.count % 60000
        self.name = name or "shop-%d" % Container.count
        self.life = random.choice(LIVES)
        self.begun, self.ended, self.seen = time.monotonic(), None, False
        self.group = os.path.join(GROUPS, "docker", self.id)
        os.makedirs(self.group)
        os.makedirs(os.path.join(NOTES, self.id))
        self.note(0)
        ready, told = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            self.live(told)
        os.close(told)
        select.select([ready], [], [])
        if os.read(ready, 1) != b"+":
            sys.exit("a container does not start")
        os.close(ready)
        self.note(self.pid)

    def note(self, pid):
        file = os.path.join(NOTES, self.id, "config.v2.json")
        with open(file + ".new", "w") as out:
            json.dump({"State": {"Pid": pid}, "Name": "/" + self.name, "Config": {"Image": "shop"}}, out)
        os.rename(file + ".new", file)

    def live(self, told):
        try:
            with open(os.path.join(self.group, "cgroup.procs"), "w") as procs:
                procs.write(str(os.getpid()))
            if libc.unshare(CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno())
            listener = socket.socket()
            listener.bind(("0.0.0.0", self.port))
            listener.listen(5)
            os.write(told, b"+")
            signal.pause()
        finally:
            os._exit(1)

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.rmdir(self.group)
        shutil.rmtree(os.path.join(NOTES, self.id))
        self.ended = time.monotonic()


def main():
    alive, dead = [], collections.deque()
    wrong, pages, found, ports = [], 0, 0, 0
    begin = last_look = time.monotonic()
    free_names = []

    def look():
        nonlocal found, ports
        page = urllib.request.urlopen(URL, timeout=10).read().decode()
        now = time.monotonic()
        while dead and now - dead[0].ended > GONE_WITHIN:
            dead.popleft()
        known = alive + list(dead)
        by_id = {each.id[:12]: each for each in known}
        by_name = collections.defaultdict(list)
        for each in known:
            by_name[each.name].append(each)
        for netns, kind, container in INFO.findall(page):
            if kind == "host":
                continue
            each = by_id.get(container)
            if each is None:
                wrong.append("%s (%s) is there, which is none or long gone" % (netns, container))
            elif netns != each.name or kind != "docker":
                wrong.append("%s of kind %s should be %s" % (netns, kind, each.name))
            elif not each.seen:
                each.seen = True
                found += 1
        for netns, port in LIMIT.findall(page):
            if netns == "host":
                continue
            ports += 1
            if int(port) not in [each.port for each in by_name[netns]]:
                wrong.append("port %s is not in %s" % (port, netns))
        for netns in set(NETNS.findall(page)) - {"host", ""}:
            if not by_name[netns]:
                wrong.append("series of %s, which is none or long gone" % netns)
        for each in alive:
            if not each.seen and now - each.begun > FOUND_WITHIN:
                wrong.append("%s is not found after %d s" % (each.name, FOUND_WITHIN))

    while time.monotonic() - begin < SECONDS or alive:
        now = time.monotonic()
        for each in [each for each in alive if now - each.begun > each.life]:
            each.end()
            alive.remove(each)
            dead.append(each)
            if Container.count % 3 == 0:
                free_names.append(each.name)
        due = now - begin < SECONDS and Container.count < (now - begin) * RATE
        if due:
            alive.append(Container(free_names.pop(0) if free_names else None))
        if now - last_look > 1:
            last_look = now
            look()
            pages += 1
        if not due:
            time.sleep(0.01)
    for line in wrong[:20]:
        print(line, file=sys.stderr)
    print("%d containers in %d s, %d of them seen; %d ports on %d pages; %d things wrong"
          % (Container.count, time.monotonic() - begin, found, ports, pages, len(wrong)))
    sys.exit(1 if wrong or found == 0 or ports == 0 else 0)


main()
