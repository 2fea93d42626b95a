#!/usr/bin/env python3
"""Redis and the daemon killed in turn while a platform adds reports: everything that Redis confirmed becomes a case, once,
and what happens comes out again in order, without a gap and once. Then Redis does what it should not: it comes back
empty, it has trimmed what was under way, it refuses to write."""
import os
import shutil
import signal
import sqlite3
import threading
import time

import ledger as books
from harness import MONDAY_MS, World, wait_until
from load import REPORTS, RESIDENT, entry_of, new_report

EVENTS, DEAD, GROUP, CONSUMER = "gridloop:events", "gridloop:dead", "gridloop", "gridloopd"
RUNS_A_DATABASE = 100
BURST = 60  # entries that are on their way when the kill comes
SETTLE_SECONDS = 60


class Rig:
    def __init__(self, trial):
        self.trial, self.world = trial, World()
        self.daemon, self.redis = self.world.daemon, self.world.redis
        self.ledger, self.tcp = books.Ledger(), books.Ledger()  # what Redis confirmed; what TCP acknowledged
        self.daemon.start().set_time(MONDAY_MS)

    def produce(self, count):
        """Adds reports until one is not confirmed; that one's fate is Redis's own business."""
        for _ in range(count):
            report = new_report()
            try:
                self.redis.command("XADD", REPORTS, "*", "entry", entry_of(report))
            except (OSError, AssertionError):
                return
            self.ledger.send(report)

    def kill_redis(self, empty=False):
        self.redis.process.kill()
        self.redis.process.wait()
        if empty:
            shutil.rmtree(os.path.join(self.redis.folder, "appendonlydir"))
        self.redis.start()

    def kill_daemon(self):
        if not self.daemon.is_alive():
            self.trial.complain("crashes", f"it ended by itself: {self.daemon.log_tail(5)}")
        self.daemon.kill()
        self.daemon.start()

    def is_settled(self):
        """Nothing unread and nothing under way; the group may have to be made anew first."""
        try:
            told = self.redis.command("XINFO", "GROUPS", REPORTS)
        except AssertionError:
            return False
        group = dict(zip(told[0][::2], told[0][1::2])) if told else {}
        return group.get(b"pending") == 0 and group.get(b"lag") == 0

    def settle(self, what):
        try:
            wait_until(self.is_settled, f"the stream to be taken in {what}", SETTLE_SECONDS)
        except AssertionError as why:
            self.trial.complain("integrity_errors", f"{why}: {self.daemon.log_tail(5)}")

    def report_by_tcp(self, count=5):
        with self.daemon.client(RESIDENT) as client:
            for _ in range(count):
                report = self.tcp.send(new_report())
                self.tcp.acknowledge(report["key"], client.ask("submit", report)["case_number"])

    def judge(self, where):
        self.trial.judge(self.ledger, self.daemon.database, everything=True, where=where)
        self.trial.judge(self.tcp, self.daemon.database, where=where)

    def last_event(self):
        with sqlite3.connect(f"file:{self.daemon.database}?mode=ro", uri=True, timeout=20) as rows:
            return rows.execute("SELECT ifnull(max(id), 0) FROM case_event").fetchone()[0]

    def published(self):
        return [int(entry[0].split(b"-")[0]) for entry in self.redis.command("XRANGE", EVENTS, "-", "+")]

    def judge_events(self, where):
        """Every event from the first that the stream has to the newest there is, once each and in order."""
        try:
            wait_until(lambda: (self.published() or [0])[-1] == self.last_event(), "the events to come out", SETTLE_SECONDS)
        except AssertionError as why:
            self.trial.complain("lost", f"{why} {where}: {len(self.published())} to {self.last_event()}")
            return
        ids = self.published()
        gaps, again = ids[-1] - ids[0] + 1 - len(ids), len(ids) - len(set(ids))
        if gaps or again or ids[0] != 1:
            print(f"redis: events {ids[0]} to {ids[-1]}, {gaps} gaps, {again} twice {where}")
        self.trial.add(lost=max(gaps, 0) + (ids[0] != 1), doubled=again)

    def finish(self):
        self.settle("in the end")
        self.judge("in the end")
        self.judge_events("in the end")
        self.trial.add(doubled=self.ledger.twins(self.daemon.database),
                       acknowledged=len(self.ledger.sent) + len(self.tcp.acknowledged))
        self.daemon.stop()
        self.trial.verify(self.daemon)


def one_kill(trial, rig):
    producer = threading.Thread(target=rig.produce, args=(BURST,), daemon=True)
    producer.start()
    time.sleep(trial.random.uniform(0, 0.06))
    what = trial.random.choice(("redis", "daemon", "redis", "daemon", "both"))
    if what in ("redis", "both"):
        rig.kill_redis()
    if what in ("daemon", "both"):
        rig.kill_daemon()
    producer.join(30)
    trial.add(runs=1)


# ---- what Redis should not do ----

def comes_back_empty(_, rig):
    """What it had confirmed is gone; the platform sends it again, and the daemon tells again what had happened."""
    rig.produce(BURST)
    rig.report_by_tcp()
    rig.kill_redis(empty=True)
    for report in list(rig.ledger.sent.values())[-2 * BURST:]:
        rig.redis.command("XADD", REPORTS, "*", "entry", entry_of(report))
    rig.settle("after Redis came back empty")
    rig.judge("after Redis came back empty")
    rig.judge_events("after Redis came back empty")


def has_trimmed(trial, rig):
    """Entries that were handed out and are then cut from the stream: each becomes a letter, and sent again a case."""
    rig.settle("before the trimming")
    rig.daemon.kill()
    dead, reports = rig.redis.command("XLEN", DEAD), [new_report() for _ in range(20)]
    for report in reports:
        rig.redis.command("XADD", REPORTS, "*", "entry", entry_of(report))
    rig.redis.command("XREADGROUP", "GROUP", GROUP, CONSUMER, "COUNT", 100, "STREAMS", REPORTS, ">")
    rig.redis.command("XTRIM", REPORTS, "MAXLEN", 0)
    rig.daemon.start()
    rig.settle("after a trim")
    try:  # taken off the list of what is under way first, then written
        wait_until(lambda: rig.redis.command("XLEN", DEAD) - dead >= len(reports), "the letters")
    except AssertionError:
        trial.complain("lost", f"{rig.redis.command('XLEN', DEAD) - dead} letters for {len(reports)} trimmed entries")
    for report in reports:
        rig.redis.command("XADD", REPORTS, "*", "entry", entry_of(rig.ledger.send(report)))
    rig.settle("after a trim")
    rig.judge("after a trim")


def refuses(_, rig):
    """It takes no more bytes: TCP goes on, and everything comes out once it takes them again."""
    rig.redis.command("CONFIG", "SET", "maxmemory", 1)
    rig.report_by_tcp(20)
    wait_until(lambda: "events_not_published" in rig.daemon.log_tail(50), "the refusal to be noticed")
    rig.report_by_tcp(20)
    rig.redis.command("CONFIG", "SET", "maxmemory", 0)
    rig.produce(BURST)
    rig.settle("after a refusal")
    rig.judge("after a refusal")
    rig.judge_events("after a refusal")


def is_away(_, rig):
    """Gone for a while: TCP goes on without it."""
    rig.redis.process.kill()
    rig.redis.process.wait()
    rig.report_by_tcp(20)
    rig.redis.start()
    rig.produce(BURST)
    rig.settle("after it was away")
    rig.judge_events("after it was away")


def hangs(_, rig):
    """It is there and does not answer: TCP goes on, the links are given up and made anew."""
    # A link that is down already, from the kill before, is given up without a further word.
    rig.produce(1)
    rig.settle("before it hung")
    rig.redis.process.send_signal(signal.SIGSTOP)
    rig.report_by_tcp(20)
    wait_until(lambda: " in time" in rig.daemon.log_tail(50), "the link to be given up")
    rig.redis.process.send_signal(signal.SIGCONT)
    rig.produce(BURST)
    rig.settle("after it hung")
    rig.judge_events("after it hung")


MISDEEDS = (comes_back_empty, has_trimmed, refuses, is_away, hangs)


def kills(trial, count):
    took = {}
    while trial.counts["runs"] < count:
        rig = Rig(trial)
        try:
            limit = min(count, trial.counts["runs"] + RUNS_A_DATABASE)
            every = max(1, (limit - trial.counts["runs"]) // len(MISDEEDS))
            for number in range(trial.counts["runs"], limit):
                one_kill(trial, rig)
                if number % every == every - 1:
                    misdeed = MISDEEDS[number // every % len(MISDEEDS)]
                    rig.settle("before another misdeed")
                    began = time.monotonic()
                    misdeed(trial, rig)
                    took[misdeed.__name__] = round(time.monotonic() - began, 1)
            rig.finish()
        finally:
            rig.world.close()
    trial.note(misdeed_seconds=took)


# ---- what has to be found: a consumer of our own that does it wrong ----

def consume(manner, redis, book, steps_left):
    """Takes in what there is, or dies by kill -9 before a certain step. right: written down first, then XACK."""
    start = "0"
    try:
        redis.command("XGROUP", "CREATE", REPORTS, "own", "$" if manner == "group-at-the-end" else "0", "MKSTREAM")
    except AssertionError:
        pass  # it is there
    while True:
        got = redis.command("XREADGROUP", "GROUP", "own", "me", "COUNT", 10, "STREAMS", REPORTS, start)
        entries = got[0][1] if got else []
        if not entries and start == ">":
            return
        if not entries:
            start = ">"
        for step in consumers_steps(manner, redis, book, entries):
            steps_left -= len(entries) > 0
            if steps_left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            step()


def consumers_steps(manner, redis, book, entries):
    steps = [lambda: write_down(book, [fields[1] for _, fields in entries]),
             lambda: [redis.command("XACK", REPORTS, "own", entry) for entry, _ in entries]]
    return reversed(steps) if manner == "xack-before-commit" else steps


def write_down(book, keys):
    with open(book, "ab", buffering=0) as file:
        file.write(b"".join(b"%s\n" % key.hex().encode() for key in keys))


def run_consumer(*arguments):
    child = os.fork()
    if child == 0:
        try:
            consume(*arguments)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def consumer_loses(trial, manner):
    """How many confirmed entries such a consumer never wrote down."""
    world = World()
    book, sent = os.path.join(world.folder, "inbox"), set()
    try:
        write_down(book, [])
        for _ in range(10):
            for _ in range(15):
                entry = os.urandom(12)
                world.redis.command("XADD", REPORTS, "*", "entry", entry)
                sent.add(entry)
            run_consumer(manner, world.redis, book, trial.random.randrange(1, 5))
        run_consumer(manner, world.redis, book, 0)
        with open(book, encoding="ascii") as file:
            return len(sent - {bytes.fromhex(line) for line in file.read().split()})
    finally:
        world.close()


def body(trial):
    assert consumer_loses(trial, "right") == 0, "a consumer that does it right loses entries: the control proves nothing"
    for manner in ("xack-before-commit", "group-at-the-end"):
        trial.control(manner, consumer_loses(trial, manner))
    kills(trial, trial.count)


if __name__ == "__main__":
    books.Trial("redis", 200).run(body)
