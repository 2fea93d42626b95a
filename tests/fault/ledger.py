"""What was promised, held against what is there: shared by the fault harnesses.

A harness writes down in a Ledger each report that it sends and each answer that it gets, does its worst to the daemon,
and has the ledger compared with the rows. Three numbers come of it, and each of them must be 0:

  lost      acknowledged and not there (or, once everything was sent again, sent and not there)
  doubled   there twice, under two numbers, or under one number with another report
  wrong     the database does not prove itself (`gridloop verify`), or a row is not what was sent

A Trial is one run of a harness: its arguments, its counts, its controls, and the one line of JSON at the end. A control
is the same comparison done to something that is broken on purpose (outside of the daemon); one that finds nothing means
that the harness is blind, so the run fails.

The seed replays every choice a harness makes: contents, order, moments by count. It does not replay the kernel's
scheduling, so a run that fails is repeated with its seed and a larger count.
"""
import argparse
import json
import os
import random
import sqlite3
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))
from harness import verify  # noqa: E402  (the path has to be there first)

SUBMIT = 1  # Act: what opens a case
DOUBT = 48  # the key stands in the last event of its request
DAY_2000 = 10957  # days from 1970 to 2000, where the days in case ids begin
SEQUENCE_BITS, DAY_BITS = 26, 20


def number_of(case_id, category):
    """The number of a case as people use it (shard 0)."""
    day = (case_id >> SEQUENCE_BITS & (1 << DAY_BITS) - 1) + DAY_2000
    date = time.strftime("%Y%m%d", time.gmtime(day * 86400))
    return f"{category}{date}{case_id & (1 << SEQUENCE_BITS) - 1:05d}"


class Ledger:
    """Reports by key: what was sent, and under which number it was acknowledged."""

    def __init__(self):
        self.sent, self.acknowledged, self.changed = {}, {}, set()
        self.found, self.read_to = {}, 0  # key → case id, as read so far; the last event read

    def send(self, report):
        self.sent[report["key"]] = report
        return report

    def acknowledge(self, key, number):
        """Another number than the one of before is remembered as a double."""
        if self.acknowledged.setdefault(key, number) != number:
            self.changed.add(key)

    def open_keys(self):
        return [key for key in self.sent if key not in self.acknowledged]

    def read(self, database):
        """Reads the events that came since the last time; the number of keys that opened two cases."""
        doubled = 0
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=20) as rows:
            for event, key, case in rows.execute(
                    "SELECT id, key, case_id FROM case_event WHERE id > ? AND act IN (?, ?) ORDER BY id",
                    (self.read_to, SUBMIT, DOUBT)):
                self.read_to = event
                if key is not None and self.found.setdefault(key, case) != case:
                    doubled += 1
        return doubled

    def compare(self, database, everything=False, numbers=True):
        """(lost, doubled). everything: what was sent and never acknowledged has to be there too. numbers: answers
        carry the case's own number."""
        doubled = self.read(database) + len(self.changed)
        self.changed.clear()
        lost = sum(1 for key in (self.sent if everything else self.acknowledged) if key not in self.found)
        if numbers:
            doubled += sum(1 for key, number in self.acknowledged.items() if key in self.found
                           and number != number_of(self.found[key], self.sent[key]["category"]))
        return lost, doubled

    def twins(self, database):
        """Cases whose description another case has too: the same report under two keys."""
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=20) as rows:
            return rows.execute(
                "SELECT ifnull(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM (SELECT description FROM open_case"
                " UNION ALL SELECT description FROM closed_case) WHERE description LIKE 'report %'"
                " GROUP BY description)").fetchone()[0]


class Trial:
    def __init__(self, name, count, **more):
        parser = argparse.ArgumentParser(description=name)
        parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
        parser.add_argument("--count", type=int, default=count, help=f"how often (default {count})")
        for option, default in more.items():
            parser.add_argument(f"--{option}", type=type(default), default=default)
        self.name, self.options = name, parser.parse_args()
        self.seed, self.count = self.options.seed, self.options.count
        self.random = random.Random(self.seed)
        random.seed(self.seed)
        self.began = time.monotonic()
        self.counts = {"runs": 0, "acknowledged": 0, "lost": 0, "doubled": 0, "integrity_errors": 0, "crashes": 0}
        self.extra, self.controls, self.error = {}, [], None
        print(f"{name}: seed {self.seed}, count {self.count}", flush=True)

    def add(self, **counts):
        for name, number in counts.items():
            self.counts[name] += number

    def note(self, **figures):
        """A figure that is told and not judged."""
        self.extra.update(figures)

    def complain(self, kind, text):
        """One more of this kind, with a line that says what and when."""
        self.counts[kind] += 1
        print(f"{self.name}: {kind} in run {self.counts['runs']} (seed {self.seed}): {text}", flush=True)

    def judge(self, ledger, database, everything=False, where=""):
        lost, doubled = ledger.compare(database, everything)
        if lost or doubled:
            print(f"{self.name}: {lost} lost, {doubled} doubled {where} (run {self.counts['runs']}, seed {self.seed})")
        self.add(lost=lost, doubled=doubled)

    def verify(self, daemon):
        """The stopped daemon's database proves itself, or it is one integrity error."""
        try:
            verify(daemon)
        except AssertionError as why:
            self.complain("integrity_errors", str(why)[-2000:])

    def control(self, name, found):
        """found: how many faults the comparison saw in what was broken on purpose."""
        self.controls.append({"name": name, "failed_as_it_must": found > 0, "found": int(found)})
        print(f"{self.name}: control {name}: {found} found", flush=True)

    def is_clean(self):
        faults = ("lost", "doubled", "integrity_errors", "crashes")
        return (self.error is None and self.controls and all(c["failed_as_it_must"] for c in self.controls)
                and not any(self.counts[fault] for fault in faults))

    def run(self, body):
        """Runs the harness, prints its line, and ends the process with what it is worth."""
        try:
            body(self)
        except Exception as why:  # whatever it is, the line comes
            traceback.print_exc(file=sys.stdout)
            self.error = f"{type(why).__name__}: {why}"[:500]
        for control in self.controls:
            if not control["failed_as_it_must"]:
                print(f"{self.name}: the control {control['name']} found nothing: this harness is blind")
        line = {"harness": self.name, "seed": self.seed, **self.counts, **self.extra, "controls": self.controls,
                **({"error": self.error} if self.error else {}), "seconds": round(time.monotonic() - self.began, 1)}
        print(json.dumps(line), flush=True)
        sys.exit(0 if self.is_clean() else 1)
