#!/usr/bin/env python3
"""Every allocation fails once: while the files are read, while the daemon starts, during a report by each door, a query,
a timer, and where a reload begins and ends. What may come of it is a refusal, a call that failed and said so, or abort()
with a line in the log; never a crash without a word, never a hang, and after the restart the database proves itself and
has what was acknowledged.

Each of these runs once, and at each of its allocations a forked child lives on without that one (preload/alloc.c). Where
there is a database or a peer a child that does not end by its own means is ended, and its allocation is tried again in a
run of its own. --again N does all that N times more, and lets the first … N-th allocation after each fail as well."""
import concurrent.futures
import os
import re
import signal
import struct
import subprocess
import typing

import ledger as books
from harness import BUILD, MONDAY_MS, TOP, Refused, World, wait_until
from load import REPORTS, RESIDENT, STREET, entry_of, new_report, send_all

CONTROL = struct.Struct("iiiiqqqqqqqqq")  # as struct shared in preload/alloc.c
FATE = struct.Struct("=IiIII28s")  # as struct fate there
OFF, ONE, EACH_FREE, EACH_BOUND = range(4)
LINE = "<3>"  # how an error's line begins
WORDS = ("", "words", LINE)  # as a fate tells them
WENT_ON = -signal.SIGSYS  # how a bound child ends
ANSWER_SECONDS = 8
SETTLE_SECONDS = 40  # of an entry: a lost command is noticed after 8 s, and then the link is made anew
START_SECONDS = 40  # a link that failed is made anew after a pause
SWEEP_SECONDS = 2400  # of a phase that is run once, a child at each of its allocations; five times what it takes
WAIT_SECONDS = 5  # longer than whatever the daemon does by itself takes to come again
LINKS = 2  # to Redis
NOT_MET = "not met"
EDGE = 3000  # allocations at a reload's beginning, and at its end
ALL = (1 << 63) - 1
WORLDS = 6  # side by side for starts one by one: most of it is waiting for Redis to be asked again
PARTS = 2  # worlds side by side in which the files are read
SUPERVISOR, OPERATOR = STREET.one_with("supervisor"), STREET.one_with("operator")
DAY_MS = 24 * 3600 * 1000


class Place(typing.NamedTuple):
    """An allocation by what stays the same from run to run: the so-manieth that is asked for there."""
    library: str
    where: int
    times: int

    def __str__(self):
        return f"allocation {self.times} of {self.library}+{self.where:#x}"


class Failing:
    """A world whose daemon has the failing allocator preloaded, and the switch for it."""

    def __init__(self, with_redis=True):
        self.world = World(with_redis=with_redis)
        self.daemon, self.redis, self.ledger = self.world.daemon, self.world.redis, books.Ledger()
        self.switch, self.fates = (os.path.join(self.world.folder, name) for name in ("switch", "fates"))
        self.era = self.zone = 0
        self.write(OFF)
        self.environment = {"LD_PRELOAD": os.path.join(BUILD, "tests", "fault", "alloc.so"), "FAULT_ALLOC": self.switch,
                            "FAULT_ALLOC_FATES": self.fates, "LD_BIND_NOW": "1"}
        self.streamed, self.now_ms = books.Ledger(), MONDAY_MS
        self.before = 0  # where the log stood when the last act began
        self.patience = ANSWER_SECONDS
        self.swept, self.met = set(), set()  # places whose children went on; of these, those that were tried alone
        self.reopen_most = 2  # in policy.conf: 2 and 3 by turns

    def write(self, ask, where=0, times=0, again=0, first=1, last=ALL, later=False):
        """In place: the daemon has the file mapped. What says "begin" is written last. later: once it has read its
        files."""
        if not os.path.exists(self.switch):
            with open(self.switch, "wb") as file:
                file.write(bytes(4096))
        self.era += 1
        with open(self.switch, "r+b", buffering=0) as file:
            file.write(struct.pack("i", OFF))
            file.seek(4)
            file.write(CONTROL.pack(OFF, ask if later else OFF, self.era, 0, 0, 0, 0, where, times, again, first, last,
                                    self.zone)[4:])
            file.seek(0)
            file.write(struct.pack("i", OFF if later else ask))

    def read(self):
        """(how many failed, how many there were, how many of them are over)"""
        with open(self.switch, "rb") as file:
            _, _, _, dealt, count, settled, *_, self.zone = CONTROL.unpack(file.read(CONTROL.size))
        return dealt, count, settled

    def stop_failing(self, process):
        """(how many failed, how many there were). The last ones' children may still live."""
        with open(self.switch, "r+b", buffering=0) as file:
            file.write(struct.pack("i", OFF))
        wait_until(lambda: process.poll() is not None or len(set(self.read()[1:])) == 1, "the last children",
                   SWEEP_SECONDS)
        dealt, count, _ = self.read()
        self.write(OFF)
        return dealt, count

    def take_fates(self):
        """What became of each child: exit code, words, Place. In the order of their ends."""
        with open(self.fates, "rb") as file:
            for chunk in iter(lambda: file.read(FATE.size), b""):
                _, status, said, where, times, library = FATE.unpack(chunk)
                code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
                yield code, WORDS[said], Place(library.rstrip(b"\0").decode(), where, times)
        os.truncate(self.fates, 0)

    def start(self, failing=True):
        begin = self.log_end()
        self.daemon.environment = self.environment if failing else {}
        self.daemon.start()
        wait_until(lambda: not self.daemon.is_alive() or self.is_up(begin), "Redis to be asked")

    def is_up(self, begin):
        """It serves, and both its links to Redis are made, since the log stood there."""
        said = self.said(begin)
        return ">ready " in said and said.count(">redis_up ") == LINKS

    def restart(self):
        self.write(OFF)
        self.start()

    def log_end(self):
        return os.path.getsize(self.daemon.log) if os.path.exists(self.daemon.log) else 0

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


def count_in(tally, what):
    tally[what] = tally.get(what, 0) + 1


def judge_fates(trial, f, expected, what):
    """Of bound children: (tally, those whose allocations have to be tried alone)."""
    tally, alone, count = {}, [], 0
    for code, words, place in f.take_fates():
        count += 1
        # One that hangs may wait for a lock of a thread that it has not got.
        if code in (WENT_ON, -signal.SIGALRM):
            alone.append(place)
            continue
        end = judge_end(trial, code, words, f"{what}, {place}")
        if end == "went on":
            trial.complain("crashes", f"{what}, {place}: it ended with 0")
        count_in(tally, end)
    if count != expected:
        trial.complain("crashes", f"{what}: {count} of {expected} allocations failed")
    trial.add(runs=count)
    return tally, alone


def tell(trial, what, tally):
    name = what if trial.again == 0 else f"{what}_and_{trial.again}_later"
    trial.note(**{name: tally})
    print(f"malloc: {name}: {tally}", flush=True)


# ---- reading the files ----

def read_files(f):
    """gridloopd --check as it was written: how many allocations it had."""
    done = subprocess.run([os.path.join(BUILD, "gridloopd"), "--check", "-c", f.daemon.config], cwd=TOP, check=False,
                          env={**os.environ, **f.environment}, capture_output=True, text=True, timeout=SWEEP_SECONDS)
    assert done.returncode == 0, f"the reading of the files: {done.returncode} {done.stderr[-300:]}"
    _, count, _ = f.read()
    f.write(OFF)
    return count


def read_failing(trial, part):
    """The reading with each allocation of this part failing once, in children that are free to go on: their ends."""
    tally, f = {}, Failing(with_redis=False)
    f.write(ONE)
    count = read_files(f)
    first, last = (count * n // PARTS for n in (part, part + 1))
    f.write(EACH_FREE, again=trial.again, first=first + 1, last=last)
    again = read_files(f)
    for code, words, place in f.take_fates():
        count_in(tally, judge_end(trial, code, words, f"reading files, {place}"))
    if again != count or sum(tally.values()) != last - first:
        trial.complain("crashes", f"reading files: {sum(tally.values())} children at {first + 1} … {last} of {count},"
                       f" then {again}")
    f.world.close()
    return tally


def reading_files(trial):
    with concurrent.futures.ThreadPoolExecutor(PARTS) as pool:
        tallies = list(pool.map(lambda part: read_failing(trial, part), range(PARTS)))
    tally = {what: sum(t.get(what, 0) for t in tallies) for what in {what for t in tallies for what in t}}
    trial.add(runs=sum(tally.values()))
    tell(trial, "reading_files", tally)


# ---- starting ----

def start_failing(f, seconds):
    """One start: (exit code or 0 when it serves, its words, how many allocations failed, how many there were)."""
    begin = f.log_end()
    process = subprocess.Popen([os.path.join(BUILD, "gridloopd"), "-c", f.daemon.config], cwd=TOP,
                               env={**os.environ, **f.environment}, stdin=subprocess.DEVNULL,
                               stdout=open(f.daemon.log, "ab"), stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: process.poll() is not None or f.is_up(begin), "a start to end or to serve", seconds)
        code = process.poll() or 0
    except AssertionError:
        code = "hang"
    finally:
        dealt, count = f.stop_failing(process)
        process.kill()
        process.wait()
    return code, f.said(begin), dealt, count


def forget_database(f):
    for name in os.listdir(f.daemon.folder):
        if name.startswith(os.path.basename(f.daemon.database)):
            os.remove(os.path.join(f.daemon.folder, name))


def starts_alone(trial, alone, what, prepare):
    """A whole start without each allocation that a child went on without, in a world of its own: the ends."""
    f = Failing()
    try:
        return [start_alone(trial, f, place, what, prepare) for place in alone]
    finally:
        f.world.close()


def start_alone(trial, f, place, what, prepare):
    prepare(f)
    f.write(ONE, place.where, place.times, trial.again, later=True)
    code, words, dealt, _ = start_failing(f, START_SECONDS)
    end = judge_end(trial, code, words, f"{what}, {place}")
    return end if dealt > 0 else NOT_MET


def starting(trial, f, what, prepare):
    """Every allocation of a start fails once; then the database proves itself."""
    prepare(f)
    f.write(EACH_BOUND, again=trial.again, later=True)
    code, words, _, count = start_failing(f, SWEEP_SECONDS)
    if code != 0:
        trial.complain("crashes", f"{what}: its children disturbed it: {code} {words[-300:]}")
    tally, alone = judge_fates(trial, f, count, what)
    with concurrent.futures.ThreadPoolExecutor(WORLDS) as pool:
        for ends in pool.map(lambda n: starts_alone(trial, alone[n::WORLDS], what, prepare), range(WORLDS)):
            for end in ends:
                count_in(tally, f"alone: {end}")
    f.start(failing=False)
    f.daemon.stop()
    trial.verify(f.daemon)
    tell(trial, what, tally)


def leave_reports(f):
    """A database with open cases, that was not closed."""
    forget_database(f)
    f.start(failing=False)
    f.daemon.set_time(MONDAY_MS)
    with f.daemon.client(RESIDENT) as client:
        for _ in range(3):
            client.ask("submit", new_report())
    f.daemon.kill()


# ---- something that is asked of it ----

def report_by(f, client):
    report = f.ledger.send(new_report())
    f.ledger.acknowledge(report["key"], client.ask("submit", report)["case_number"])


def by_tcp(f):
    with f.daemon.client(RESIDENT, timeout=f.patience) as client:
        yield
        report_by(f, client)


def by_tcp_from_the_connection_on(f):
    yield
    with f.daemon.client(RESIDENT, timeout=f.patience) as client:
        report_by(f, client)


def by_redis(f):
    report = new_report()
    yield
    f.redis.command("XADD", REPORTS, "*", "entry", entry_of(report))
    f.streamed.send(report)
    wait_until(lambda: not f.daemon.is_alive() or (pending(f) == 0 and lag(f) == 0), "the entry to be settled",
               max(SETTLE_SECONDS, f.patience))


def pending(f):
    return f.redis.command("XPENDING", REPORTS, "gridloop")[0]


def lag(f):
    groups = f.redis.command("XINFO", "GROUPS", REPORTS)
    return dict(zip(groups[0][::2], groups[0][1::2]))[b"lag"] or 0


def by_query(f):
    number = next(iter(f.ledger.acknowledged.values()))
    with f.daemon.client(SUPERVISOR, timeout=f.patience) as client:
        yield
        assert client.ask("get_case", {"case_number": number})["summary"]["number"] == number
        client.ask("list_cases", {"limit": 5})
        client.ask("get_stats", {"by": "BY_ALL"})


def by_timer(f):
    with f.daemon.client(RESIDENT, timeout=f.patience) as client:
        report_by(f, client)
    with f.daemon.client(OPERATOR, timeout=f.patience) as client:
        f.now_ms += DAY_MS
        yield
        client.ask("advance_clock", {"to_ms": f.now_ms})


def by_waiting(f):
    """What it does by itself, as asking Redis again; until one has failed, where one is to."""
    yield
    try:
        wait_until(lambda: f.read()[0] > 0 or not f.daemon.is_alive(), "an allocation", WAIT_SECONDS)
    except AssertionError:
        pass


def by_reload(f):
    path = os.path.join(f.daemon.keys["jurisdiction"], "policy.conf")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    f.reopen_most = 5 - f.reopen_most
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub(r"^reopen_most = .*", f"reopen_most = {f.reopen_most}", text, flags=re.M))
    with f.daemon.client(OPERATOR, timeout=f.patience) as client:
        yield
        client.ask("reload")


def taken(f, steps):
    """What became of the act."""
    try:
        next(steps, None)
    except Refused:
        return "refused"
    except (OSError, ConnectionError):
        return "cut"  # the daemon ended, or only this connection: judge_act sees
    except AssertionError as why:
        return "cut" if "middle of a frame" in str(why) or not f.daemon.is_alive() else f"wrong: {why}"
    return "answered"


def act_alone(trial, f, act, place):
    """The act without the allocation that a child went on without: what became of it."""
    steps = act(f)
    next(steps)
    begin = f.before = f.log_end()
    f.write(ONE, place.where, place.times, trial.again)
    what = taken(f, steps)
    dealt, *_ = f.read()
    f.write(OFF)
    fate = judge_act(trial, f, what, begin, f"{act.__name__}, {place}")
    return fate if dealt > 0 else NOT_MET


def those_alone(trial, f, act, alone, tally):
    """Children make an act long, and what the daemon does by itself meanwhile, as asking Redis again, comes more often
    than when it is short: such a place is left once an allocation of it is not met."""
    over = set()
    for place in sorted(alone):
        if place[:2] in over:
            what = NOT_MET
        else:
            restart_fresh(trial, f)
            what = act_alone(trial, f, act, place)
        (over if what == NOT_MET else f.met).add(place[:2])
        f.swept.add(place[:2])
        count_in(tally, f"alone: {what}")


def those_never_met(trial, f):
    """What no act came by alone is waited for."""
    tally = {}
    for where in sorted(f.swept - f.met):
        restart_fresh(trial, f)
        place = Place(*where, 1)
        what = act_alone(trial, f, by_waiting, place)
        if what == NOT_MET:
            print(f"malloc: {place} was met by children only", flush=True)
        count_in(tally, what)
    tell(trial, "never_met", tally)


def restart_fresh(trial, f):
    """What a daemon has once allocated it does not ask for again. On a busy machine the end that the allocation before
    has brought about may have come only now."""
    if has_ended(f, 0):
        must_be_told(trial, f, "after an act", f.before)
    f.daemon.kill()
    f.restart()


def sweep(trial, f, act, first=1, last=ALL):
    """The act in a daemon that does it for the first time, and each of these allocations fails in a child: (tally, those
    to be tried alone)."""
    restart_fresh(trial, f)
    f.patience = SWEEP_SECONDS
    steps = act(f)
    next(steps)
    f.before = f.log_end()
    f.write(EACH_BOUND, again=trial.again, first=first, last=last)
    what = taken(f, steps)
    _, count = f.stop_failing(f.daemon.process)
    f.patience = ANSWER_SECONDS
    if what != "answered":
        trial.complain("crashes", f"{act.__name__}: its children disturbed it: {what}")
    return judge_fates(trial, f, min(count, last) - first + 1, act.__name__)


def act_by_children(trial, f, act):
    tally, alone = sweep(trial, f, act)
    those_alone(trial, f, act, alone, tally)
    tell(trial, act.__name__, tally)


def ends_by_children(trial, f, act):
    """Of a reload: what is between is the reading of the files, which has been tried."""
    restart_fresh(trial, f)
    steps = act(f)
    next(steps)
    f.write(ONE)
    what = taken(f, steps)
    _, count = f.stop_failing(f.daemon.process)
    assert what == "answered", f"{act.__name__}: {what}"
    for name, first, last in (("begins", 1, EDGE), ("ends", max(EDGE, count - EDGE) + 1, ALL)):
        tally, alone = sweep(trial, f, act, first, last)
        those_alone(trial, f, act, alone, tally)
        tell(trial, f"{act.__name__}_{name}", tally)


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
    what = must_be_told(trial, f, where, begin)
    f.restart()
    return what


def must_be_told(trial, f, where, begin):
    what = judge_end(trial, f.daemon.process.returncode, f.said(begin), where)
    if what == "went on":
        trial.complain("crashes", f"{where}: it ended with 0")
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
        with f.daemon.client(RESIDENT, timeout=f.patience) as client:
            client.ask("ping", {"payload": b"well?"})
    except (OSError, ConnectionError, AssertionError) as why:
        return why
    return None


def asking(trial, f):
    f.write(OFF)
    f.start()
    f.daemon.set_time(MONDAY_MS)
    with f.daemon.client(RESIDENT) as client:
        report_by(f, client)
    for act in (by_tcp, by_tcp_from_the_connection_on, by_redis, by_query, by_timer, by_waiting):
        act_by_children(trial, f, act)
    ends_by_children(trial, f, by_reload)
    those_never_met(trial, f)
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


def controls(trial, f):
    """A program that looks at no result has to be found out, whichever way its allocation fails."""
    for name, ask in (("alone", ONE), ("in-a-child", EACH_FREE), ("in-a-bound-child", EACH_BOUND)):
        f.write(ask, times=1)
        done = subprocess.run([os.path.join(BUILD, "tests", "fault", "careless")], env={**os.environ, **f.environment},
                              capture_output=True, text=True, check=False)
        ends = list(f.take_fates()) or [(done.returncode, done.stdout + done.stderr)]
        blind = Blind()
        for code, words, *_ in ends:
            judge_end(blind, code, words, "control")
        trial.control(f"a-result-nobody-looks-at, {name}", blind.found)


def body(trial):
    for trial.again in range(trial.options.again + 1):
        f = Failing()
        try:
            if trial.again == 0:
                controls(trial, f)
            reading_files(trial)
            starting(trial, f, "first_start", forget_database)
            starting(trial, f, "later_start", leave_reports)
            asking(trial, f)
        finally:
            f.world.close()


if __name__ == "__main__":
    books.Trial("malloc", 0, again=0).run(body)
