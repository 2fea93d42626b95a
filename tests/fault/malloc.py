#!/usr/bin/env python3
"""Every allocation fails once: while the files are read, while the daemon starts, during a report by each door, a query
and a timer. What may come of it is a refusal, a call that failed and said so, or abort() with a line in the log; never a
crash without a word, never a hang, and after the restart the database proves itself and has what was acknowledged.

The first phase goes by fork (preload/alloc.c): at each allocation a child lives on without that one. The others go one
at a time: the n-th allocation of the phase fails, n = 1, 2, 3 … until the phase has fewer than n. Short forms take each up to
--dense of a request and then every tenth more, each --step of a start, and beyond 6,000 each --every of the reading."""
import os
import signal
import struct
import subprocess
import threading

import ledger as books
from harness import BUILD, MONDAY_MS, TOP, Refused, World, wait_until
from load import REPORTS, RESIDENT, STREET, entry_of, new_report, send_all

CONTROL = struct.Struct("iiqqqqqq")  # as struct shared in preload/alloc.c
FATE = struct.Struct("=IiII")
OFF, ONE, EACH, ONE_LATER = range(4)
LINE = "<3>"  # how an error's line begins
ANSWER_SECONDS = 8
SETTLE_SECONDS = 40  # of an entry: a lost command is noticed after 8 s, and then the link is made anew
PARTS = 6  # worlds side by side: most of this is waiting for a process to end
SUPERVISOR, OPERATOR = STREET.one_with("supervisor"), STREET.one_with("operator")
DAY_MS = 24 * 3600 * 1000


class Failing:
    """A world whose daemon has the failing allocator preloaded, and the switch for it."""

    def __init__(self, with_redis=True):
        self.world = World(with_redis=with_redis)
        self.daemon, self.redis, self.ledger = self.world.daemon, self.world.redis, books.Ledger()
        self.switch, self.fates = (os.path.join(self.world.folder, name) for name in ("switch", "fates"))
        self.write(OFF)
        self.environment = {"LD_PRELOAD": os.path.join(BUILD, "tests", "fault", "alloc.so"), "FAULT_ALLOC": self.switch,
                            "FAULT_ALLOC_FATES": self.fates}
        self.streamed, self.now_ms = books.Ledger(), MONDAY_MS
        self.before = 0  # where the log stood when the last act began

    def write(self, ask, fail_at=0, again=0, every=1, part=0, parts=1):
        """In place: the daemon has the file mapped. What says "begin" is written last."""
        if not os.path.exists(self.switch):
            with open(self.switch, "wb") as file:
                file.write(bytes(4096))
        with open(self.switch, "r+b", buffering=0) as file:
            file.write(struct.pack("i", OFF))
            file.seek(4)
            file.write(CONTROL.pack(OFF, 0, 0, fail_at, again, every, part, parts)[4:])
            file.seek(0)
            file.write(struct.pack("i", ask))

    def read(self):
        """(how many failed, how many there were)"""
        with open(self.switch, "rb") as file:
            _, dealt, count, *_ = CONTROL.unpack(file.read(CONTROL.size))
        return dealt, count

    def start(self, failing=True):
        self.daemon.environment = self.environment if failing else {}
        self.daemon.start()

    def restart(self):
        self.write(OFF)
        self.start()

    def log_end(self):
        return os.path.getsize(self.daemon.log)

    def said(self, start):
        with open(self.daemon.log, encoding="utf-8", errors="replace") as file:
            file.seek(start)
            return file.read()


def judge_end(trial, code, words, what):
    """An end that nobody asked for has to be abort() with a line, or a refusal to start with one."""
    has_line = LINE in words
    if code == -signal.SIGABRT and has_line:
        return "aborted"
    if code in (71, 75, 78) and words.strip():
        return "refused"
    if code == 0:
        return "went on"
    trial.complain("crashes", f"{what}: ended with {code}{'' if has_line else ' without a line'}: {words[-300:]}")
    return "crashed"


# ---- reading the files, by fork ----

def check_each(f, every, part, ends):
    """gridloopd --check with each every-th allocation of this part failing once, into ends: (number, status, what was
    said)."""
    f.write(EACH, every=every, part=part, parts=PARTS)
    done = subprocess.run([os.path.join(BUILD, "gridloopd"), "--check", "-c", f.daemon.config], cwd=TOP, check=False,
                          env={**os.environ, **f.environment}, capture_output=True, text=True, timeout=14400)
    with open(f.fates, "rb") as file:
        ends.extend(FATE.unpack(chunk)[:3] for chunk in iter(lambda: file.read(FATE.size), b""))
    if done.returncode != 0:
        ends.append((0, done.returncode << 8, 0))  # it was disturbed by its own children


def in_parallel(work):
    """Runs work(a world, 0 … PARTS - 1), each in a thread and a world of its own."""
    worlds = [Failing(with_redis=False) for _ in range(PARTS)]
    threads = [threading.Thread(target=work, args=(f, n)) for n, f in enumerate(worlds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for f in worlds:
        f.world.close()


def reading_files(trial):
    tally, ends = {}, []
    in_parallel(lambda f, part: check_each(f, trial.options.every, part, ends))
    for number, status, said in ends:
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        what = judge_end(trial, code, ("", "words", LINE)[said], f"reading files, allocation {number}")
        tally[what] = tally.get(what, 0) + 1
    trial.add(runs=len(ends))
    trial.note(reading_files=tally)


# ---- starting, one run for each ----

def start_without(f, number, again=0):
    """One start whose number-th allocation fails: (exit code or 0 when it serves, its words, how many there were)."""
    f.write(ONE_LATER, number, again)
    begin = f.log_end() if os.path.exists(f.daemon.log) else 0
    process = subprocess.Popen([os.path.join(BUILD, "gridloopd"), "-c", f.daemon.config], cwd=TOP,
                               env={**os.environ, **f.environment}, stdin=subprocess.DEVNULL,
                               stdout=open(f.daemon.log, "ab"), stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: process.poll() is not None or ">ready " in f.said(begin), "a start to end or to serve", 20)
        code = process.poll()
        if code is None:
            f.write(OFF)
            process.kill()
            code = 0
    except AssertionError:
        code = "hang"
    finally:
        process.kill()
        process.wait()
    return code, f.said(begin)


def start_some(trial, f, numbers, ends):
    """Starts on one database, one after another, each without another allocation; then it proves itself."""
    for number in numbers:
        ends.append((number, *start_without(f, number, trial.options.again)))
    f.start(failing=False)
    f.daemon.stop()
    trial.verify(f.daemon)


def starting(trial, f):
    tally, ends, total = {}, [], count_start(f)
    numbers = range(trial.random.randrange(1, trial.options.step + 1), total + 1, trial.options.step)
    in_parallel(lambda own, part: start_some(trial, own, numbers[part::PARTS], ends))
    for number, code, words in ends:
        what = judge_end(trial, code, words, f"starting, allocation {number}")
        tally[what] = tally.get(what, 0) + 1
    trial.add(runs=len(ends))
    trial.note(starting={**tally, "allocations": total})


def count_start(f):
    """How many allocations a start has that nothing happens to."""
    f.write(ONE_LATER)
    f.start()
    _, total = f.read()
    f.write(OFF)
    f.daemon.stop()
    return total


# ---- something that is asked of it ----

def by_tcp(f):
    with f.daemon.client(RESIDENT, timeout=ANSWER_SECONDS) as client:
        yield
        report = f.ledger.send(new_report())
        f.ledger.acknowledge(report["key"], client.ask("submit", report)["case_number"])


def by_tcp_from_the_connection_on(f):
    yield
    with f.daemon.client(RESIDENT, timeout=ANSWER_SECONDS) as client:
        report = f.ledger.send(new_report())
        f.ledger.acknowledge(report["key"], client.ask("submit", report)["case_number"])


def by_redis(f):
    report = new_report()
    yield
    f.redis.command("XADD", REPORTS, "*", "entry", entry_of(report))
    f.streamed.send(report)
    wait_until(lambda: not f.daemon.is_alive() or (pending(f) == 0 and lag(f) == 0), "the entry to be settled",
               SETTLE_SECONDS)


def pending(f):
    return f.redis.command("XPENDING", REPORTS, "gridloop")[0]


def lag(f):
    groups = f.redis.command("XINFO", "GROUPS", REPORTS)
    return dict(zip(groups[0][::2], groups[0][1::2]))[b"lag"] or 0


def by_query(f):
    number = next(iter(f.ledger.acknowledged.values()))
    with f.daemon.client(SUPERVISOR, timeout=ANSWER_SECONDS) as client:
        yield
        assert client.ask("get_case", {"case_number": number})["summary"]["number"] == number
        client.ask("list_cases", {"limit": 5})
        client.ask("get_stats", {"by": "BY_ALL"})


def by_timer(f):
    report = f.ledger.send(new_report())
    with f.daemon.client(RESIDENT, timeout=ANSWER_SECONDS) as client:
        f.ledger.acknowledge(report["key"], client.ask("submit", report)["case_number"])
    with f.daemon.client(OPERATOR, timeout=ANSWER_SECONDS) as client:
        f.now_ms += DAY_MS
        yield
        client.ask("advance_clock", {"to_ms": f.now_ms})


def by_reload(f):
    with f.daemon.client(OPERATOR, timeout=30) as client:
        yield
        client.ask("reload")


def prepared(trial, f, act, begin):
    """The act up to where allocations begin to count. On a busy machine the end that the allocation before has brought
    about may come only now."""
    steps = act(f)
    try:
        next(steps)
    except (OSError, ConnectionError, AssertionError):
        if not has_ended(f, 2):
            raise
        if judge_end(trial, f.daemon.process.returncode, f.said(begin), f"before {act.__name__}") == "went on":
            trial.complain("crashes", f"before {act.__name__}: it ended with 0")
        f.restart()
        steps = act(f)
        next(steps)
    return steps


def one_without(trial, f, act, number):
    """The act with its number-th allocation failing: whether it had so many, and what became of it."""
    steps = prepared(trial, f, act, f.before)
    begin, process = f.log_end(), f.daemon.process
    f.before = begin
    f.write(ONE, number, trial.options.again)
    what = "answered"
    try:
        next(steps, None)
    except Refused:
        what = "refused"
    except (OSError, ConnectionError):
        what = "cut"  # the daemon ended, or only this connection: seen below
    except AssertionError as why:
        what = "cut" if "middle of a frame" in str(why) or not f.daemon.is_alive() else f"wrong: {why}"
    dealt, _ = f.read()
    f.write(OFF)
    fate = judge_act(trial, f, what, begin, f"{act.__name__}, allocation {number}")
    return dealt > 0 or f.daemon.process is not process, fate  # an end of the one before, which came late, is not the last


def judge_act(trial, f, what, begin, where):
    if what.startswith("wrong"):
        trial.complain("crashes", f"{where}: {what}")
    if not has_ended(f, 0.05 if what in ("answered", "refused") else 2):
        why = does_not_serve(f)
        if why is None:
            return what
        if not has_ended(f, 2):
            trial.complain("crashes", f"{where}: it lives and does not answer: {why}")
            f.daemon.kill()
            f.restart()
            return what
    what = judge_end(trial, f.daemon.process.returncode, f.said(begin), where)
    if what == "went on":
        trial.complain("crashes", f"{where}: it ended with 0")
    f.restart()
    return what


def has_ended(f, seconds):
    try:
        f.daemon.process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def does_not_serve(f):
    """Why not; None: it does. One that is just ending may answer for a moment, or not any more."""
    try:
        with f.daemon.client(RESIDENT, timeout=ANSWER_SECONDS) as client:
            client.ask("ping", {"payload": b"well?"})
    except (OSError, ConnectionError, AssertionError) as why:
        return why
    return None


def asking(trial, f):
    f.write(OFF)
    f.start()
    f.daemon.set_time(MONDAY_MS)
    with f.daemon.client(RESIDENT) as client:
        report = f.ledger.send(new_report())
        f.ledger.acknowledge(report["key"], client.ask("submit", report)["case_number"])
    for act in (by_tcp, by_tcp_from_the_connection_on, by_redis, by_query, by_timer):
        tally, number, more = {}, 1, True
        while more:
            more, what = one_without(trial, f, act, number)
            if more:
                tally[what] = tally.get(what, 0) + 1
                trial.add(runs=1)
            number += 1 if number < trial.options.dense else 1 + number // 10
        trial.note(**{act.__name__: {**tally, "allocations_reached": number}})
        print(f"malloc: {act.__name__}: {tally}", flush=True)
    finish_asking(trial, f)


def finish_asking(trial, f):
    if not f.daemon.is_alive():
        f.restart()
    send_all(f.daemon, f.ledger)
    wait_until(lambda: pending(f) == 0 and lag(f) == 0, "the stream to be taken in")
    trial.judge(f.ledger, f.daemon.database, everything=True, where="by TCP")
    trial.judge(f.streamed, f.daemon.database, everything=True, where="by Redis")
    trial.add(acknowledged=len(f.ledger.acknowledged) + len(f.streamed.sent))
    f.daemon.stop()
    trial.verify(f.daemon)


# ---- what has to be found ----

class Blind:
    """Counts complaints without making them the trial's."""

    def __init__(self):
        self.found = 0

    def complain(self, kind, text):
        self.found += 1


def control_unchecked(trial, f):
    """A program that looks at no result: strlen of a strdup that failed, in a shell's words in python."""
    program = os.path.join(BUILD, "tests", "fault", "careless")
    f.write(ONE, 1)
    done = subprocess.run([program], env={**os.environ, **f.environment}, capture_output=True, text=True, check=False)
    blind = Blind()
    judge_end(blind, done.returncode, done.stdout + done.stderr, "control")
    trial.control("a-result-nobody-looks-at", blind.found)


def body(trial):
    f = Failing()
    try:
        control_unchecked(trial, f)
        reading_files(trial)
        starting(trial, f)
        asking(trial, f)
    finally:
        f.world.close()


if __name__ == "__main__":
    books.Trial("malloc", 0, every=100, step=10, dense=30, again=0).run(body)
