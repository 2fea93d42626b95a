#!/usr/bin/env python3
"""kill -9 of the real daemon, over and over, while reports come in by TCP and by Redis: at any moment of the storm, and
while it starts and recovers. After each kill what was acknowledged is there; in the end everything is, once."""
import shutil
import socket
import threading
import time

import ledger as books
from harness import MONDAY_MS, World, read_varint, wait_until
from harness import CONTRACT, frame
from load import REPORTS, Sender, entry_of, new_report, send_all

KILLS_A_DATABASE = 100  # then a new one: a database that only grows would mostly test its growth
SENDERS, PRODUCED = 3, 40  # connections; entries added to the stream in a round
ROUND_LIMIT = 20  # seconds for the wanted number of answers
GROUP = "gridloop"


class Set:
    """A daemon, a Redis, and everything that was sent to them."""

    def __init__(self, trial, changes=None):
        self.trial, self.world, self.ledger, self.streamed = trial, World(changes=changes), books.Ledger(), books.Ledger()
        self.daemon, self.redis, self.backlog, self.rounds = self.world.daemon, self.world.redis, [], 0

    def start(self):
        self.daemon.start()
        if self.rounds == 0:
            self.daemon.set_time(MONDAY_MS)

    def produce(self):
        """A platform: what Redis has confirmed has to become a case."""
        for _ in range(PRODUCED):
            report = new_report()
            self.redis.command("XADD", REPORTS, "*", "entry", entry_of(report))
            self.streamed.send(report)

    def storm(self, port, wanted, **options):
        """Lets people report until so many were answered; then the daemon is killed."""
        share, rest = len(self.backlog) // SENDERS + 1, self.backlog
        senders = [Sender(port, self.ledger, rest[n * share:(n + 1) * share], **options) for n in range(SENDERS)]
        producer = threading.Thread(target=self.produce, daemon=True)
        for thread in senders + [producer]:
            thread.start()
        limit = time.monotonic() + ROUND_LIMIT
        while sum(s.answered for s in senders) < wanted and time.monotonic() < limit and self.daemon.is_alive():
            time.sleep(0.001)
        died = not self.daemon.is_alive()
        self.daemon.kill()
        for thread in senders + [producer]:
            thread.join(30)
        self.backlog = [report for s in senders for report in s.unanswered()]
        self.rounds += 1
        return died, [s.surprise for s in senders if s.surprise]

    def kill_while_starting(self, after):
        """Again and again before it is ready: recovery is killed too."""
        thread = threading.Thread(target=self.try_start, daemon=True)
        thread.start()
        time.sleep(after)
        if self.daemon.process and self.daemon.process.poll() is None:
            self.daemon.process.kill()
        thread.join(60)
        if self.daemon.is_alive():
            self.daemon.kill()

    def try_start(self):
        try:
            self.daemon.start()
        except AssertionError:
            pass  # it was killed before it was ready

    def finish(self):
        """Everything once more, the stream to its end, and the proof."""
        send_all(self.daemon, self.ledger)
        wait_until(lambda: self.redis.command("XPENDING", REPORTS, GROUP)[0] == 0 and self.lag() == 0,
                   "the stream to be taken in", 120)
        self.trial.judge(self.ledger, self.daemon.database, everything=True, where="by TCP in the end")
        self.trial.judge(self.streamed, self.daemon.database, everything=True, where="by Redis in the end")
        self.trial.add(doubled=self.ledger.twins(self.daemon.database), acknowledged=len(self.streamed.sent))
        self.daemon.stop()
        self.trial.verify(self.daemon)

    def lag(self):
        groups = self.redis.command("XINFO", "GROUPS", REPORTS)
        told = dict(zip(groups[0][::2], groups[0][1::2]))
        return told[b"lag"]

    def close(self):
        self.world.close()


def one_kill(trial, s):
    trial.add(runs=1)
    before = len(s.ledger.acknowledged)
    died, surprises = s.storm(s.daemon.port, trial.random.choice((1, 5, 20, 80, 200, 400)))
    if died:
        trial.complain("crashes", f"it ended by itself: {s.daemon.log_tail(5)}")
    for why in surprises:
        trial.complain("integrity_errors", str(why))
    trial.add(acknowledged=len(s.ledger.acknowledged) - before)
    if trial.random.random() < 0.3:
        trial.add(runs=1)
        s.kill_while_starting(trial.random.uniform(0.0, 0.14))
    s.start()
    trial.judge(s.ledger, s.daemon.database, where="after a kill")


def kills(trial, count):
    done = trial.counts["runs"]
    while trial.counts["runs"] < done + count:
        s = Set(trial)
        try:
            s.start()
            limit = min(done + count, trial.counts["runs"] + KILLS_A_DATABASE)
            while trial.counts["runs"] < limit:
                one_kill(trial, s)
            s.finish()
        finally:
            s.close()


# ---- what has to be found ----

class EarlyAnswers:
    """Stands before the daemon and says "it is on disk" the moment a report comes in."""

    def __init__(self, port):
        self.to, self.listening = port, socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listening.accept()
                far = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                return
            threading.Thread(target=self.forward, args=(near, far), daemon=True).start()
            threading.Thread(target=self.back, args=(near, far), daemon=True).start()

    def forward(self, near, far):
        data = b""
        try:
            while True:
                more = near.recv(65536)
                if not more:
                    break
                far.sendall(more)
                data = self.answer(near, data + more)
        except OSError:
            pass
        far.close()
        near.close()

    @staticmethod
    def answer(near, data):
        while True:
            length, start = read_varint(data, 0)
            if length is None or len(data) < start + length:
                return data
            got, data = CONTRACT.decode("ClientFrame", data[start:start + length]), data[start + length:]
            if "submit" in got:
                near.sendall(frame(CONTRACT.encode("ServerFrame", {"seq": got["seq"], "answer": {"case_number": "soon"}})))

    @staticmethod
    def back(near, far):
        """Only the answer to the login is the daemon's own."""
        data, told = b"", False
        try:
            while True:
                more = far.recv(65536)
                if not more:
                    break
                data += more
                length, start = read_varint(data, 0)
                if not told and length is not None and len(data) >= start + length:
                    near.sendall(data[:start + length])
                    told = True
        except OSError:
            pass
        near.close()

    def close(self):
        self.listening.close()


def control_early(trial):
    s, lost = Set(trial), 0
    try:
        s.start()
        for _ in range(4):
            proxy = EarlyAnswers(s.daemon.port)
            s.storm(proxy.port, 60)
            proxy.close()
            s.start()
        lost, _ = s.ledger.compare(s.daemon.database, numbers=False)
    finally:
        s.close()
    trial.control("ack-before-commit", lost)


def control_forgetful(trial, name, **options):
    """A client that does not send again, and one that does under a new key."""
    s = Set(trial)
    try:
        s.start()
        for _ in range(4):
            s.storm(s.daemon.port, 60, **options)
            s.start()
        lost, _ = s.ledger.compare(s.daemon.database, everything=True)
        found = s.ledger.twins(s.daemon.database) if "new_keys" in options else lost
    finally:
        s.close()
    trial.control(name, found)


def body(trial):
    control_early(trial)
    control_forgetful(trial, "client-does-not-resend", resend=False)
    control_forgetful(trial, "resend-under-a-new-key", new_keys=True)
    kills(trial, trial.count)


if __name__ == "__main__":
    if not shutil.which("redis-server"):
        raise SystemExit("kill-9: there is no redis-server here")
    books.Trial("kill-9", 200).run(body)
