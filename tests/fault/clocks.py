#!/usr/bin/env python3
"""The machine's clock jumps hours and days, forward and back; the machine sleeps; the year becomes 2038; a phone's clock is
ten years off. No deadline is missed, none fires twice, time in the rows never runs backwards, and people are answered.

The daemon runs on the system's clock under libfaketime, which moves the wall clock while the daemon runs and leaves the
monotonic one alone, as a real step does."""
import os
import signal
import sqlite3
import time
from glob import glob

import ledger as books
from harness import DAY_MS, MONDAY_MS, Refused, World, uuid7, wait_until
from load import RESIDENT, STREET, PLACES

HOUR_MS = 3600000
SUPERVISE = 35  # Act: by the system, once for a stage whose limit has passed
NOTICED_SECONDS = 8  # from a jump to what it makes due
END_2038_MS = (1 << 31) * 1000
LIBRARY = glob("/usr/lib/*/faketime/libfaketimeMT.so.1")


class Clock:
    """A daemon whose wall clock is ours."""

    def __init__(self, start_ms):
        self.world, self.ledger = World(with_redis=False, changes={"clock": "system"}), books.Ledger()
        self.daemon, self.file, self.high_ms = self.world.daemon, os.path.join(self.world.folder, "offset"), 0
        self.set(start_ms)
        self.daemon.environment = {"LD_PRELOAD": LIBRARY[0], "FAKETIME_TIMESTAMP_FILE": self.file, "FAKETIME_NO_CACHE": "1",
                                   "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        self.daemon.start()

    def set(self, wall_ms):
        self.offset_ms = wall_ms - int(time.time() * 1000)
        with open(self.file + ".new", "w", encoding="ascii") as file:
            file.write(f"{self.offset_ms / 1000:+.3f}\n")
        os.replace(self.file + ".new", self.file)
        self.high_ms = max(self.high_ms, wall_ms)

    def now_ms(self):
        return int(time.time() * 1000) + self.offset_ms

    def jump(self, ms):
        self.set(self.now_ms() + ms)

    def report(self, count=3, **changes):
        with self.daemon.client(RESIDENT) as client:
            for _ in range(count):
                key = uuid7(changes.get("made_ms", self.now_ms()))
                report = {"key": key, "category": STREET.category(), "place": PLACES[0],
                          "description": f"report {key.hex()}"}
                if "seen_at_ms" in changes:
                    report["seen_at_ms"] = changes["seen_at_ms"]
                answer = client.ask("submit", report)
                self.ledger.send(report)
                self.ledger.acknowledge(key, answer["case_number"])
                again = client.ask("submit", report)
                assert again["case_number"] == answer["case_number"] and again.get("again"), again

    def ask(self, query, *values, database=None):
        with sqlite3.connect(f"file:{database or self.daemon.database}?mode=ro", uri=True, timeout=20) as rows:
            return rows.execute(query, values).fetchone()[0]


def missed(clock, database=None):
    """Open cases whose stage has run out, and nobody was told."""
    return clock.ask("SELECT count(*) FROM open_case WHERE stage_due_ms > 0 AND stage_due_ms < ? AND stage_overdue = 0",
                     clock.high_ms - 2000, database=database)


def twice(clock, database=None):
    """Cases whose one stage was called late more than once: nobody does anything to them here, so they have one."""
    return clock.ask("SELECT count(*) - count(DISTINCT case_id) FROM case_event WHERE act = ? AND actor = 'system'",
                     SUPERVISE, database=database)


def backwards(clock):
    return clock.ask("SELECT count(*) FROM (SELECT at_ms, lag(at_ms) OVER (ORDER BY id) AS before FROM case_event)"
                     " WHERE at_ms < before")


def judge(trial, clock, what):
    try:
        wait_until(lambda: missed(clock) == 0, "what is due", NOTICED_SECONDS)
    except AssertionError:
        trial.complain("lost", f"{missed(clock)} deadlines missed {what}: {clock.daemon.log_tail(5)}")
    for count, name in ((twice(clock), "deadlines that fired twice"), (backwards(clock), "events before their time")):
        if count:
            trial.complain("doubled", f"{count} {name} {what}")
    if not clock.daemon.is_alive():
        trial.complain("crashes", f"{what}: {clock.daemon.log_tail(5)}")
    trial.add(runs=1)


def finish(trial, clock):
    trial.judge(clock.ledger, clock.daemon.database, everything=True)
    trial.add(acknowledged=len(clock.ledger.acknowledged))
    clock.daemon.stop()
    trial.verify(clock.daemon)
    clock.world.close()


def jumps(trial):
    clock = Clock(MONDAY_MS)
    steps = [HOUR_MS, DAY_MS, -HOUR_MS, -DAY_MS, 3 * DAY_MS, 1, -5 * 60000, 30 * DAY_MS, -7 * DAY_MS]
    for ms in steps + [trial.random.randrange(-DAY_MS, 3 * DAY_MS) for _ in range(trial.count)]:
        clock.report()
        clock.jump(ms)
        clock.report(1)
        judge(trial, clock, f"after a jump of {ms / HOUR_MS:+.2f} h")
    return clock


def sleep(trial, clock):
    """A suspended machine: nothing runs, the monotonic clock stands still, and the wall clock has moved on after it."""
    for hours in (1, 9, 50):
        clock.report()
        clock.daemon.process.send_signal(signal.SIGSTOP)
        clock.set(clock.high_ms + hours * HOUR_MS)
        clock.daemon.process.send_signal(signal.SIGCONT)
        judge(trial, clock, f"after a sleep of {hours} h")
        clock.report(1)


def restart_earlier(trial, clock):
    """A machine that comes back with a clock behind what the database has seen."""
    clock.daemon.kill()
    clock.jump(-3 * DAY_MS)
    clock.daemon.start()
    clock.report()
    judge(trial, clock, "after a restart three days earlier")


def year_2038(trial):
    clock = Clock(END_2038_MS - 3 * DAY_MS)
    for ms in (2 * DAY_MS, DAY_MS - 2000, 5000, HOUR_MS, 40 * DAY_MS):
        clock.report()
        clock.jump(ms)
        clock.report(1)
        judge(trial, clock, f"around 2038, {ms / HOUR_MS:+.2f} h")
    clock.daemon.kill()
    clock.daemon.start()
    judge(trial, clock, "after a restart in 2038")
    finish(trial, clock)


def phones(trial, clock):
    """A phone's clock may be anything: its key's time is only a hint, and what it says it saw must not be in the future."""
    for years in (-10, 10):
        clock.report(made_ms=clock.now_ms() + years * 365 * DAY_MS)
    clock.report(seen_at_ms=clock.now_ms() - 10 * 365 * DAY_MS)
    try:
        clock.report(seen_at_ms=clock.now_ms() + 10 * 365 * DAY_MS)
        trial.complain("integrity_errors", "a report seen in ten years was taken")
    except Refused as why:
        assert why.code == "INVALID" and why.sentence, why
    judge(trial, clock, "with phones ten years off")


def controls(trial, clock):
    """Copies of the rows with a deadline taken back, and with one told twice."""
    for name, change, look in (
            ("a-deadline-missed", "UPDATE open_case SET stage_overdue = 0", missed),
            ("a-deadline-fired-twice", "INSERT INTO case_event SELECT id + 1000000, case_id, prev, at_ms, act, from_state,"
             " to_state, actor, ref, text, value, category, grid, stage_due_ms, handle_due_ms, handle_warn_ms, handle_left_ms,"
             f" unit, photo_roles, NULL, NULL FROM case_event WHERE act = {SUPERVISE} LIMIT 3", twice)):
        copy = os.path.join(clock.world.folder, f"{name}.db")
        with sqlite3.connect(f"file:{clock.daemon.database}?mode=ro", uri=True) as rows, sqlite3.connect(copy) as to:
            rows.backup(to)
            to.execute(change)
        trial.control(name, look(clock, copy))


def body(trial):
    clock = jumps(trial)
    sleep(trial, clock)
    restart_earlier(trial, clock)
    phones(trial, clock)
    controls(trial, clock)
    finish(trial, clock)
    year_2038(trial)


if __name__ == "__main__":
    if not LIBRARY:
        raise SystemExit("clocks: there is no libfaketime here (Debian's package libfaketime)")
    books.Trial("clocks", 3).run(body)
