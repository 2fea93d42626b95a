#!/usr/bin/env python3
"""Phones on bad networks: packets lost, 64 kbit, nothing coming through for seconds, an address that changes under open
connections, and a middle that delays, cuts and resets. Each runs in network namespaces of its own, all at once. Every
report is taken once, however often it had to be sent, and no connection stays behind at the daemon.

Needs root, and ip, nft and tc (Debian's iproute2 and nftables)."""
import json
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

import ledger as books
from harness import World, wait_until
from load import RESIDENT, new_report
from harness import CONTRACT, frame, read_varint

PORT, PHONES = 7311, 10
CONNECT_SECONDS, ANSWER_SECONDS, PATIENCE_SECONDS = 3, 4, 60  # then a phone tries again; how long after the end it still may
IDLE = "10s"  # the daemon's idle_timeout here: dead peers have to be gone soon after it
RESET = struct.pack("ii", 1, 0)


def run(*words):
    subprocess.run(words, check=True, capture_output=True, text=True)


# ---- the phones: a process of its own, inside the namespace ----

class Phone(threading.Thread):
    """Makes a report now and then, and sends each until it is answered, on as many connections as that takes."""

    def __init__(self, address, until, resend, book, seed):
        super().__init__(daemon=True)
        self.address, self.until, self.resend, self.book = address, until, resend, book
        self.dice, self.socket, self.data = random.Random(seed), None, b""

    def run(self):
        while time.monotonic() < self.until:
            report = new_report()
            self.book["sent"].append(report["key"].hex())
            self.deliver(report)
            time.sleep(self.dice.uniform(0, 0.3))

    def deliver(self, report):
        pause, limit = 0.2, self.until + PATIENCE_SECONDS
        while time.monotonic() < limit:
            self.book["tries"] += 1
            try:
                self.open()
                answer = self.ask(2, "submit", report)
                self.book["acknowledged"][report["key"].hex()] = answer["answer"]["case_number"]
                return
            except (OSError, KeyError):
                self.close()
            if not self.resend:
                return
            time.sleep(pause * self.dice.uniform(0.5, 1))
            pause = min(pause * 2, 3)

    def open(self):
        if self.socket is None:
            self.socket = socket.create_connection(self.address, CONNECT_SECONDS)
            self.socket.settimeout(ANSWER_SECONDS)
            self.ask(1, "login", {"who": RESIDENT, "token": f"demo-{RESIDENT}"})

    def ask(self, seq, body, values):
        self.socket.sendall(frame(CONTRACT.encode("ClientFrame", {"seq": seq, body: values})))
        while True:
            length, start = read_varint(self.data, 0)
            if length is not None and len(self.data) >= start + length:
                got, self.data = CONTRACT.decode("ServerFrame", self.data[start:start + length]), self.data[start + length:]
                if got.get("seq") == seq:
                    return got
                continue
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("the end")
            self.data += more

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket, self.data = None, b""


def be_phones(host, port, seconds, resend, seed, out):
    book = {"sent": [], "acknowledged": {}, "tries": 0}
    random.seed(int(seed))
    phones = [Phone((host, int(port)), time.monotonic() + float(seconds), resend == "yes", book, int(seed) + n)
              for n in range(PHONES)]
    for phone in phones:
        phone.start()
    for phone in phones:
        phone.join()
    with open(out, "w", encoding="ascii") as file:
        json.dump(book, file)


# ---- a middle that does what it likes ----

class Chaos:
    """Forwards bytes late, in pieces, and ends a connection after some of them, politely or not."""

    def __init__(self, to, dice):
        self.to, self.dice, self.listening = to, dice, socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listening.accept()
                far = socket.create_connection(self.to, 5)
            except OSError:
                return
            budget = [self.dice.choice((40, 100, 200, 600, 2000, 10000))]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self.forward, args=(source, target, budget, near, far), daemon=True).start()

    def forward(self, source, target, budget, near, far):
        try:
            while data := source.recv(self.dice.choice((1, 7, 100, 4096))):
                if self.dice.random() < 0.1:
                    time.sleep(self.dice.uniform(0, 0.1))
                part = data[:max(budget[0], 0)]
                budget[0] -= len(data)
                target.sendall(part)
                if budget[0] <= 0:
                    break
        except OSError:
            pass
        reset = self.dice.random() < 0.5
        for s in (near, far):
            try:
                if reset:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                s.shutdown(socket.SHUT_RDWR) if not reset else None
                s.close()
            except OSError:
                pass


# ---- a network ----

class Network:
    """Two namespaces with a cable between them, a daemon in the one, phones in the other."""

    def __init__(self, trial, number, name):
        self.trial, self.name, self.number = trial, name, number
        self.street, self.phones = f"gl{os.getpid()}s{number}", f"gl{os.getpid()}p{number}"
        self.address = f"10.77.{number}.1"
        self.world = World(with_redis=False, changes={"clock": "system", "idle_timeout": IDLE, "listen_remote": "yes",
                                                      "listen": f"{self.address}:{PORT}"})
        self.daemon, self.out = self.world.daemon, os.path.join(self.world.folder, "phones.json")

    def inside(self, namespace, *words):
        return ["ip", "netns", "exec", namespace, *words]

    def build(self):
        for name in (self.street, self.phones):
            run("ip", "netns", "add", name)
        run("ip", "link", "add", "street", "netns", self.street, "type", "veth", "peer", "name", "phones", "netns",
            self.phones)
        for name, device, host in ((self.street, "street", 1), (self.phones, "phones", 2)):
            run(*self.inside(name, "ip", "link", "set", "lo", "up"))
            run(*self.inside(name, "ip", "link", "set", device, "up"))
            run(*self.inside(name, "ip", "addr", "add", f"10.77.{self.number}.{host}/24", "dev", device))
        self.daemon.prefix = self.inside(self.street)
        self.daemon.start()

    def filter(self, *rule):
        """A rule for all that comes and goes."""
        words = f"flush ruleset; table inet bad {{ chain i {{ type filter hook input priority 0; {' '.join(rule)} }};" \
                f" chain o {{ type filter hook output priority 0; {' '.join(rule)} }}; }}"
        subprocess.run(self.inside(self.street, "nft", "-f", "-"), input=words, text=True, check=True, capture_output=True)

    def connections(self):
        return len(os.listdir(f"/proc/{self.daemon.process.pid}/fd"))

    def call(self, seconds, resend, host=None, port=PORT):
        argv = [sys.executable, __file__, "--phones", host or self.address, str(port), str(seconds),
                "yes" if resend else "no", str(self.trial.seed + self.number), self.out]
        return subprocess.Popen(self.inside(self.phones, *argv))

    def book(self):
        with open(self.out, encoding="ascii") as file:
            return json.load(file)

    def close(self):
        self.world.close()
        for name in (self.street, self.phones):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def steady(_network, _phones, _seconds):
    """Nothing changes while it lasts."""


def loses(percent):
    return lambda n: n.filter(f"numgen random mod 100 < {percent} drop;")


def is_narrow(n):
    for name, device in ((n.street, "street"), (n.phones, "phones")):
        run(*n.inside(name, "tc", "qdisc", "add", "dev", device, "root", "tbf", "rate", "64kbit", "burst", "1600", "latency",
                      "400ms"))


def goes_dark(n, phones, seconds):
    """Every few seconds nothing comes through, and nobody is told."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and phones.poll() is None:
        time.sleep(2)
        n.filter("drop;")
        time.sleep(3)
        n.filter("")


def changes_address(n, phones, seconds):
    """The phones' address is another every few seconds: what was open from the old one is dead, and neither side knows."""
    end, host = time.monotonic() + seconds, 2
    while time.monotonic() < end and phones.poll() is None:
        time.sleep(3)
        old, host = host, 2 + (host - 1) % 200
        run(*n.inside(n.phones, "ip", "addr", "del", f"10.77.{n.number}.{old}/24", "dev", "phones"))
        run(*n.inside(n.phones, "ip", "addr", "add", f"10.77.{n.number}.{host}/24", "dev", "phones"))


def fine(_network):
    """As it is."""


# name, what is done to the network at first, what while it lasts, whether a chaotic middle stands before it
PROFILES = (
    ("loss-1", loses(1), steady, False),
    ("loss-10", loses(10), steady, False),
    ("loss-30", loses(30), steady, False),
    ("64-kbit", is_narrow, steady, False),
    ("dark", fine, goes_dark, False),
    ("new-address", fine, changes_address, False),
    ("chaos", fine, steady, True),
)


def through(network, seconds, prepare, meanwhile, chaos, resend=True):
    """(lost, doubled) after the phones had this network."""
    network.build()
    prepare(network)
    before = network.connections()
    if chaos:
        phones = network.call(seconds, resend, "127.0.0.1", start_chaos(network))
    else:
        phones = network.call(seconds, resend)
    meanwhile(network, phones, seconds)
    phones.wait(seconds + PATIENCE_SECONDS + 60)
    network.filter("")
    wait_until(lambda: network.connections() <= before + 1, f"dead connections to go ({network.name})", 60)
    return compare(network)


def start_chaos(network):
    """In the phones' namespace too; its port."""
    child = subprocess.Popen(network.inside(network.phones, sys.executable, __file__, "--chaos", network.address,
                                            str(network.trial.seed)), stdout=subprocess.PIPE, text=True)
    network.world.chaos = child
    return int(child.stdout.readline())


def compare(network):
    book, ledger = network.book(), books.Ledger()
    doubled = ledger.read(network.daemon.database)
    sent = {bytes.fromhex(key) for key in book["sent"]}
    lost = sum(1 for key in sent if key not in ledger.found)
    doubled += len(ledger.found) - len(sent & set(ledger.found)) + ledger.twins(network.daemon.database)
    network.trial.note(**{network.name: {"reports": len(sent), "acknowledged": len(book["acknowledged"]),
                                         "tries": book["tries"]}})
    doubled += sum(1 for key, number in book["acknowledged"].items() if bytes.fromhex(key) in ledger.found and
                   number != books.number_of(ledger.found[bytes.fromhex(key)], "E0110") and number[:5] == "E0110")
    return lost, doubled, len(book["acknowledged"])


def one_profile(trial, number, name, prepare, meanwhile, chaos):
    network = Network(trial, number, name)
    try:
        lost, doubled, acknowledged = through(network, trial.options.seconds, prepare, meanwhile, chaos)
        if not network.daemon.is_alive():
            trial.complain("crashes", f"{name}: {network.daemon.log_tail(5)}")
        network.daemon.stop()
        trial.verify(network.daemon)
        trial.add(runs=1, lost=lost, doubled=doubled, acknowledged=acknowledged)
        if lost or doubled:
            print(f"networks: {name}: {lost} lost, {doubled} doubled", flush=True)
    except Exception as why:
        trial.complain("crashes", f"{name}: {why!r}")
    finally:
        end_chaos(network)
        network.close()


def end_chaos(network):
    child = getattr(network.world, "chaos", None)
    if child:
        child.kill()
        child.wait()


def control_silent(trial):
    """Phones that never send anything again, behind the chaotic middle."""
    network, lost = Network(trial, 99, "control"), 0
    try:
        lost, _, _ = through(network, 8, fine, steady, True, resend=False)
    finally:
        end_chaos(network)
        network.close()
    trial.control("phones-do-not-resend", lost)


def body(trial):
    threads = [threading.Thread(target=control_silent, args=(trial,))]
    threads += [threading.Thread(target=one_profile, args=(trial, n + 1, *row)) for n, row in enumerate(PROFILES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if trial.counts["runs"] != len(PROFILES):
        trial.complain("crashes", f"only {trial.counts['runs']} of {len(PROFILES)} networks came to their end")


def missing_tools():
    return [tool for tool in ("ip", "nft", "tc") if not shutil.which(tool)]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--phones"]:
        be_phones(*sys.argv[2:])
    elif sys.argv[1:2] == ["--chaos"]:
        print(Chaos((sys.argv[2], PORT), random.Random(int(sys.argv[3]))).port, flush=True)
        threading.Event().wait()
    elif missing_tools() or os.getuid() != 0:
        raise SystemExit(f"networks: needs root, and {', '.join(missing_tools()) or 'nothing else'}")
    else:
        books.Trial("networks", 1, seconds=30).run(body)
