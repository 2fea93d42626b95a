#!/usr/bin/env python3
"""Ten thousand connections that say nothing, and among them people who report; senders so slow that they never end, plain
and by TLS; and a daemon that has no descriptors left. Who reports is answered in time all the while, memory stands
still, and the processor is not burnt.

What is judged: reports lost or doubled; a connection that the daemon should have taken or let go and did not; the 99th
percentile of the time to an answer; growth of memory; processor time while descriptors are short."""
import os
import resource
import socket
import ssl
import subprocess
import threading
import time

import ledger as books
from frames import certificate
from harness import CONTRACT, MONDAY_MS, PATIENCE, World, free_port, wait_until
from load import RESIDENT, new_report
from wire import frame

TICK = os.sysconf("SC_CLK_TCK")
SLOW_SENDERS, LOGIN_SECONDS = 60, 3
FEW_DESCRIPTORS, SURPLUS = 96, 60  # what the daemon may have in all; connections beyond that
CPU_MOST = 0.02  # of a core while descriptors are short and nobody asks; a loop without a pause burns all it can get
P99_MOST = 2.0  # seconds to an answer; generous, because other tests may share the machine
GROWTH_MOST_KIB = 16 * 1024  # once all are there, beside …
REPORT_KIB = 0.75  # … what each report may take: an open case with its key, its timer and its names


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def cpu_share(pid, seconds):
    """Of one core, by a process, over the next so many seconds."""
    before, began = cpu_seconds(pid), time.monotonic()
    while time.monotonic() < began + seconds:
        time.sleep(0.1)
    return (cpu_seconds(pid) - before) / (time.monotonic() - began)


def login_frame(who=RESIDENT):
    return frame(CONTRACT.encode("ClientFrame", {"seq": 1, "login": {"who": who, "token": f"demo-{who}"}}))


class Reporter(threading.Thread):
    """Reports one after another until it is told to stop; remembers how long each answer took."""

    def __init__(self, world, ledger):
        super().__init__(daemon=True)
        self.world, self.ledger, self.took, self.over, self.why = world, ledger, [], False, None

    def run(self):
        try:
            with self.world.daemon.client(RESIDENT) as client:
                while not self.over:
                    report, began = self.ledger.send(new_report()), time.monotonic()
                    self.ledger.acknowledge(report["key"], client.ask("submit", report)["case_number"])
                    self.took.append(time.monotonic() - began)
                    time.sleep(0.005)
        except Exception as why:  # an honest sender is never cut off
            self.why = why


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else float("inf")


def judge_reporters(trial, reporters, what):
    took = [t for r in reporters for t in r.took]
    for r in reporters:
        if r.why:
            trial.complain("crashes", f"{what}: somebody who reported was cut off: {r.why!r}")
    p99 = percentile(took, 0.99)
    if p99 > P99_MOST:
        trial.complain("crashes", f"{what}: the 99th percentile of {len(took)} answers was {p99:.2f} s")
    trial.note(**{f"{what}_p99_ms": round(p99 * 1000, 1), f"{what}_answers": len(took)})


def with_reporters(trial, world, ledger, what, act, count=3):
    reporters = [Reporter(world, ledger) for _ in range(count)]
    for r in reporters:
        r.start()
    try:
        # Whoever is there before the crowd is: who comes later may find no room, which is another matter.
        wait_until(lambda: all(r.took or r.why for r in reporters), "the first answers")
        act()
    finally:
        for r in reporters:
            r.over = True
        for r in reporters:
            r.join(PATIENCE)
    judge_reporters(trial, reporters, what)


# ---- ten thousand ----

def connect_many(port, count):
    """Connections that log in and then say nothing. Several source addresses: one has 28,000 ports."""
    links, waiting = [], []
    for n in range(count):
        link = socket.socket()
        link.settimeout(PATIENCE)
        link.bind((f"127.0.1.{1 + n % 8}", 0))
        link.connect(("127.0.0.1", port))
        link.sendall(login_frame())
        waiting.append(link)
        if len(waiting) == 200 or n == count - 1:
            for other in waiting:
                assert other.recv(4096), "a connection was not taken"
            links += waiting
            waiting = []
    return links


def many_idle(trial, world, ledger):
    links = connect_many(world.daemon.port, trial.count)
    looks = []  # (memory, reports answered so far)

    def look():
        looks.append((world.daemon.memory_kib(), len(ledger.acknowledged)))

    def hold():
        end = time.monotonic() + trial.options.seconds
        look()
        while time.monotonic() < end:
            time.sleep(1)
            look()

    with_reporters(trial, world, ledger, "idle", hold)
    settled = looks[len(looks) // 3:]
    (least, first), (most, last) = min(settled), max(settled)
    if most - least > GROWTH_MOST_KIB + REPORT_KIB * abs(last - first):
        trial.complain("crashes", f"memory grew from {least} to {most} KiB beside {len(links)} connections and "
                                  f"{abs(last - first)} reports")
    cut = sum(1 for link in links if is_cut(link))
    if cut:
        trial.complain("crashes", f"{cut} idle connections were cut")
    trial.note(connections=len(links), memory_kib=looks[-1][0], memory_growth_kib=most - least, reports_meanwhile=abs(last - first))
    for link in links:
        link.close()
    trial.add(runs=len(links))
    wait_until(lambda: descriptors(world.daemon.process.pid) < 200, "the daemon to let go of them")


# ---- slow ones ----

def one_by_one(port, data):
    """Connections, and what each of them has yet to send."""
    links = [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(SLOW_SENDERS)]
    return [[link, data] for link in links]


def is_cut(link):
    link.setblocking(False)
    try:
        return link.recv(4096) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        link.settimeout(PATIENCE)


def hello_of(context):
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(into, out, server_hostname="localhost")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def slow_ones(trial, world, ledger, tls_port, context):
    """A byte every quarter of a second, so that none of them is ever quiet; nobody has logged in when the time is up."""
    before = descriptors(world.daemon.process.pid)
    slow = one_by_one(world.daemon.port, login_frame() * 4) + one_by_one(tls_port, hello_of(context))

    def drip():
        limit = time.monotonic() + LOGIN_SECONDS + 5
        while slow and time.monotonic() < limit:
            for entry in list(slow):
                link, data = entry
                try:
                    link.sendall(data[:1])
                    entry[1] = data[1:]
                except OSError:
                    pass
                if is_cut(link):
                    link.close()
                    slow.remove(entry)
            time.sleep(0.25)

    with_reporters(trial, world, ledger, "slow", drip)
    if slow:
        trial.complain("crashes", f"{len(slow)} of {2 * SLOW_SENDERS} slow senders were still there after their time")
    trial.add(runs=2 * SLOW_SENDERS)
    wait_until(lambda: descriptors(world.daemon.process.pid) <= before + 4, "the daemon to let go of the slow ones")


# ---- no descriptors left ----

def short_of_descriptors(trial, ledger):
    world = World(with_redis=False)
    try:
        world.daemon.start().set_time(MONDAY_MS)
        pid = world.daemon.process.pid
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (FEW_DESCRIPTORS, FEW_DESCRIPTORS))
        crowd = []

        def press():
            for _ in range(FEW_DESCRIPTORS + SURPLUS):
                link = socket.socket()
                link.setblocking(False)
                link.connect_ex(("127.0.0.1", world.daemon.port))
                crowd.append(link)
            wait_until(lambda: "accept-failed" in world.daemon.log_tail(20), "descriptors to run out")
            time.sleep(2)

        with_reporters(trial, world, ledger, "short", press, count=1)
        share = cpu_share(pid, 4)
        trial.note(short_cpu_share=round(share, 4))
        if share > CPU_MOST:
            trial.complain("crashes", f"{share:.1%} of a core was burnt while descriptors were short")
        for link in crowd:
            link.close()
        with world.daemon.client(RESIDENT) as client:  # there is room again
            client.ask("ping", {"payload": b"again"})
        lines = open(world.daemon.log, encoding="utf-8").read().count("accept-failed")
        if lines > 50:
            trial.complain("crashes", f"{lines} lines in the log about the same want of descriptors")
        trial.add(runs=len(crowd))
        finish(trial, world, ledger)
    finally:
        world.close()


def finish(trial, world, ledger):
    trial.judge(ledger, world.daemon.database, everything=True)
    trial.add(acknowledged=len(ledger.acknowledged))
    if not world.daemon.is_alive():
        trial.complain("crashes", world.daemon.log_tail(10))
    world.daemon.stop()
    trial.verify(world.daemon)


# ---- what has to be found ----

SPINNER = """
import resource, select, socket, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
s.setblocking(False)
resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
taken = []
while True:
    select.select([s], [], [])
    try:
        taken.append(s.accept())
    except OSError:
        pass
"""


def control_spinner(trial):
    """A server that accepts without a pause when it has no descriptors: the measure has to see it even beside others."""
    port = free_port()
    child = subprocess.Popen(["python3", "-c", SPINNER, str(port)])
    try:
        wait_until(lambda: is_open(port), "the other server")
        links = [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(30)]
        share = cpu_share(child.pid, 4)
        trial.control("accepts-without-a-pause", int(share > CPU_MOST))
        trial.note(spinner_cpu_share=round(share, 3))
        for link in links:
            link.close()
    finally:
        child.kill()
        child.wait()


def is_open(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def control_patient(trial):
    """A daemon that gives people all the time in the world to log in: the slow ones have to be seen still there."""
    world = World(with_redis=False, changes={"login_timeout": "10m"})
    try:
        world.daemon.start()
        slow = one_by_one(world.daemon.port, b"")
        time.sleep(LOGIN_SECONDS + 2)
        trial.control("nobody-ends-the-slow", sum(1 for link, _ in slow if not is_cut(link)))
    finally:
        world.close()


def body(trial):
    control_spinner(trial)
    control_patient(trial)
    world, tls_port, ledger = World(with_redis=False), free_port(), books.Ledger()
    own, key = certificate(world.folder)
    world.configure({"listen_tls": f"127.0.0.1:{tls_port}", "tls_certificate": own, "tls_key": key,
                     "login_timeout": f"{LOGIN_SECONDS}s", "idle_timeout": "8h"})
    try:
        world.daemon.start().set_time(MONDAY_MS)
        slow_ones(trial, world, ledger, tls_port, ssl.create_default_context(cafile=own))
        many_idle(trial, world, ledger)
        finish(trial, world, ledger)
    finally:
        world.close()
    short_of_descriptors(trial, books.Ledger())


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    books.Trial("crowd", 10000, seconds=40).run(body)
