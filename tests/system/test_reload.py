#!/usr/bin/env python3
"""The jurisdiction reloaded while the daemon serves: under load nothing is refused or lost, a bad file changes nothing
and says where it is bad, people's rights change at once, who is gone is shut out, and what waits for a unit that is gone
goes on. Under `make SANITIZE=thread` this is where the threads share policies most."""
import hashlib
import json
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import threading

from harness import BUILD, MONDAY_MS, TOP, Refused, Street, World, patient_street, run_tests, uuid7, verify, wait_until

STREET = Street()
WORLD = World(with_redis=False)
FOLDER = os.path.join(WORLD.folder, "jurisdiction")
OPERATOR, RESIDENT = STREET.one_with("operator"), STREET.reporter()
SUPERVISOR, WORKER = STREET.one_with("supervisor"), "worker-02"
RELOADS, SENDERS, WINDOW = 20, 4, 16


# ---- the files ----

def sample():
    """The sample jurisdiction as it was."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    patient_street(FOLDER)


def change(name, edit):
    """Every row of the file through edit, which gives None for those that go."""
    path = os.path.join(FOLDER, name)
    with open(path, encoding="utf-8") as file:
        lines = [edit(line) for line in file.read().splitlines()]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(line for line in lines if line is not None) + "\n")


def without(name, *texts):
    change(name, lambda line: None if not line.startswith("#") and any(t in line for t in texts) else line)


def append(name, row):
    with open(os.path.join(FOLDER, name), "a", encoding="utf-8") as file:
        file.write(row + "\n")


def person(who, roles, token=None):
    digest = hashlib.sha256((token or f"demo-{who}").encode()).hexdigest()
    return f"{who},{who},grid-worker,{roles},,,{digest},no"


def reload(expected=None):
    """Asks for it and holds the answer to what is expected of it: "refused", "unchanged" or that it is taken."""
    with WORLD.daemon.client(OPERATOR) as client:
        got = client.ask("reload")
    came = "refused" if "refusal" in got else "unchanged" if got.get("unchanged") else None
    assert came == expected, f"expected {expected or 'it to be taken'}, came {got}"
    return got


def digest():
    with WORLD.daemon.client(OPERATOR) as client:
        return client.ask("get_policy")["digest"]


def swept():
    with WORLD.daemon.client(OPERATOR) as client:
        return wait_until(lambda: (lambda s: not s.get("sweeping") and s)(client.ask("get_policy")), "the sweep's end")


def submit(client, category, place, **more):
    return client.ask("submit", {"key": uuid7(MONDAY_MS), "category": category, "place": place,
                                 "description": f"matter {random.getrandbits(48):x}", **more})


# ---- under load ----

class Sender(threading.Thread):
    """Keeps WINDOW reports under way until told to end; remembers what was acknowledged, and anything else."""

    def __init__(self, number):
        super().__init__(daemon=True)
        self.client, self.place = WORLD.daemon.client(RESIDENT), STREET.place(number)
        self.sent, self.numbers, self.surprise, self.enough = 0, set(), None, threading.Event()

    def run(self):
        under_way = 0
        try:
            while under_way or not self.enough.is_set():
                while under_way < WINDOW and not self.enough.is_set():
                    self.client.send("submit", {"key": uuid7(MONDAY_MS), "category": STREET.category(),
                                                "place": self.place, "description": f"{random.getrandbits(64):x}"})
                    under_way, self.sent = under_way + 1, self.sent + 1
                got = self.client.receive()
                assert got and "answer" in got, f"instead of an answer came {got}"
                self.numbers.add(got["answer"]["case_number"])
                under_way -= 1
        except (OSError, AssertionError) as why:
            self.surprise = why
        finally:
            self.client.close()


class Asker(threading.Thread):
    """Staff who look at lists all the while, on the readers' threads."""

    def __init__(self):
        super().__init__(daemon=True)
        self.client, self.asked, self.surprise, self.enough = WORLD.daemon.client(SUPERVISOR), 0, None, threading.Event()

    def run(self):
        try:
            self.client.ask("subscribe", {"notices": True, "events": True, "events_after": -1})
            while not self.enough.is_set():
                self.client.ask("list_cases", {"limit": 20})
                self.asked += 1
        except (OSError, AssertionError, Refused) as why:
            self.surprise = why
        finally:
            self.client.close()


def one_reload(number):
    """Good, bad, good …: another person each time, and one that cannot be."""
    sample()
    if number % 2 == 0:
        append("people.csv", person(f"new-{number:02}", "worker"))
        before = digest()
        reload()
        assert digest() != before
        return
    append("people.csv", "wrong-row,somebody,,worker,,no-such-unit,,no")
    before, lines = digest(), len(open(os.path.join(FOLDER, "people.csv"), encoding="utf-8").read().splitlines())
    problems = reload("refused")["problems"]
    assert any(f"people.csv:{lines}: " in p and "no-such-unit" in p for p in problems), problems
    assert digest() == before, "a bad file changed the policy"


def test_under_load():
    sample()
    WORLD.configure({"jurisdiction": FOLDER})
    WORLD.daemon.start().set_time(MONDAY_MS)
    threads = [Sender(n) for n in range(SENDERS)]
    askers = [Asker(), Asker()]
    for thread in threads + askers:
        thread.start()
    for number in range(RELOADS):
        one_reload(number)
    for thread in askers + threads:
        thread.enough.set()
        thread.join(60)
        assert not thread.is_alive(), "a client waits for ever"
        assert not thread.surprise, f"{thread.surprise!r}\n{WORLD.daemon.log_tail()}"
    sent, numbers = sum(t.sent for t in threads), set().union(*(t.numbers for t in threads))
    assert len(numbers) == sent, f"{sent} sent, {len(numbers)} numbers given"
    with WORLD.daemon.client(SUPERVISOR) as client:
        received = client.ask("get_stats", {"by": "BY_ALL"})["total"]["received"]
    assert received == sent > RELOADS, f"{received} rows for {sent} acknowledgements"
    assert all(a.asked for a in askers)
    print(f"{sent} reports, {sum(a.asked for a in askers)} lists, {RELOADS} reloads")


# ---- people ----

def test_rights_change_at_once():
    sample()
    without("people.csv", f"{WORKER},")
    append("people.csv", person(WORKER, "worker"))
    reload()
    with WORLD.daemon.client(WORKER) as client:
        try:
            client.ask("reload")
            raise AssertionError("a worker may not reload")
        except Refused as why:
            assert why.rule == "role-may-ask", why
        without("people.csv", f"{WORKER},")
        append("people.csv", person(WORKER, "worker+supervisor"))
        reload()
        assert client.ask("reload").get("unchanged"), "the connection that was there has the new rights"
        assert "supervisor" in client.login(WORKER)["roles"]
        without("people.csv", f"{WORKER},")
        append("people.csv", person(WORKER, "worker"))
        reload()
        try:
            client.ask("reload")
            raise AssertionError("the right was taken away")
        except Refused as why:
            assert why.rule == "role-may-ask", why


def shut_out(client):
    refusal = client.receive()
    assert refusal.get("seq", 0) == 0 and refusal["refusal"]["rule"] == "identity-still-holds", refusal
    assert client.receive() is None, "the connection stays open"


def test_who_is_gone_is_shut_out():
    sample()
    append("people.csv", person("guest-01", "worker"))
    append("people.csv", person("guest-02", "worker"))
    reload()
    with WORLD.daemon.client("guest-01") as gone, WORLD.daemon.client("guest-02") as changed, \
            WORLD.daemon.client(RESIDENT) as stays:
        gone.ask("subscribe", {"notices": True, "events": True, "events_after": -1})
        without("people.csv", "guest-01,", "guest-02,")
        append("people.csv", person("guest-02", "worker", "another token"))
        reload()
        shut_out(gone)
        shut_out(changed)
        assert submit(stays, STREET.category(), STREET.place())["case_number"]
    with WORLD.daemon.client() as client:
        client.login("guest-02", "another token")
        try:
            WORLD.daemon.client("guest-01")
            raise AssertionError("somebody who is gone logged in")
        except Refused as why:
            assert why.code == "BAD_CREDENTIALS", why


def test_a_subscription_ends_where_its_right_ends():
    sample()
    append("people.csv", person("guest-03", "reporter+worker"))
    reload()
    with WORLD.daemon.client("guest-03") as client, WORLD.daemon.client(RESIDENT) as resident:
        client.ask("subscribe", {"notices": True, "events": True, "events_after": -1})
        submit(resident, STREET.category(), STREET.place())
        assert "event" in client.next_push()
        without("people.csv", "guest-03,")
        append("people.csv", person("guest-03", "reporter"))
        reload()
        refusal = client.receive()
        assert refusal["refusal"]["rule"] == "events-are-for-staff", refusal
        submit(resident, STREET.category(), STREET.place())
        assert client.ask("ping", {"payload": b"x"}) and not client.pushes, "events still come"


# ---- cases ----

def test_what_waits_for_a_unit_that_is_gone_goes_on():
    sample()
    reload()
    with WORLD.daemon.client("property-01-1") as reporter, WORLD.daemon.client(SUPERVISOR) as supervisor:
        number = submit(reporter, "E0110", {"lat": 34.3350, "lon": 108.7415})["case_number"]
        assert supervisor.ask("get_case", {"case_number": number})["summary"]["handler"] == "property-01"
        for name in ("contracts.csv", "people.csv"):
            without(name, ",property-01,")
        without("units.csv", "property-01,")
        reload()
        state = swept()
        view = supervisor.ask("get_case", {"case_number": number})
        assert view["summary"]["handler"] == "sanitation", view["summary"]
        acts = [event["act"] for event in view["history"]]
        assert acts[-2:] == ["ACT_VACATED", "ACT_DISPATCH"], acts
        assert state["changed"] >= 1 and state["visited"] >= state["changed"], state


def test_a_grid_with_open_cases_cannot_just_vanish():
    sample()
    reload()
    grid = STREET.grids[0]
    with WORLD.daemon.client(RESIDENT) as client:
        submit(client, STREET.category(), STREET.place(0))
    before = digest()
    without("grids.csv", grid["grid"] + ",")
    without("grids.geojson", f'"{grid["grid"]}"')  # a feature a line
    without("cameras.csv", grid["grid"] + ",")
    without("posts.csv", grid["grid"] + ",")
    got = reload("refused")
    assert got["refusal"]["rule"] == "policy-fits-open-cases", got
    assert any(f"grid {grid['grid']} is gone" in p and STREET.category() in p for p in got["problems"]), got["problems"]
    assert digest() == before
    sample()
    reload("unchanged")


# ---- the process ----

def test_hangup_tells_the_service_manager():
    sample()
    with open(f"/proc/{WORLD.daemon.process.pid}/environ", "rb") as file:
        path = next(v[14:] for v in file.read().split(b"\0") if v.startswith(b"NOTIFY_SOCKET="))
    os.unlink(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(path)
        append("people.csv", person("guest-04", "worker"))
        before = digest()
        WORLD.daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: digest() != before, "the policy to change")
        assert select.select([told], [], [], 20)[0]
        first = told.recv(4096)
        assert b"RELOADING=1" in first and b"MONOTONIC_USEC=" in first, first
        assert select.select([told], [], [], 20)[0]
        assert b"READY=1" in told.recv(4096)


def test_the_command_line():
    sample()
    login = ["--server", f"127.0.0.1:{WORLD.daemon.port}", "--as", OPERATOR, "--token", f"demo-{OPERATOR}"]

    def gridloop(*words):
        done = subprocess.run([os.path.join(BUILD, "gridloop"), *words, *login], cwd=TOP, timeout=60,
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    code, text = gridloop("reload")
    assert code == 0 and "taken: the files are in force" in text, text
    code, text = gridloop("policy", "--json")
    assert code == 0 and json.loads(text)["digest"] == digest(), text
    append("routes.csv", "E0110,610404004000,nobody,,")
    code, text = gridloop("reload")
    assert code == 1 and "routes.csv:" in text and "nobody" in text and "refused by jurisdiction-is-sound" in text, text
    code, text = gridloop("reload", "--json")
    assert code == 1 and json.loads(text)["ok"] is False and json.loads(text)["problems"], text


def test_settings_that_need_a_restart_are_named():
    sample()
    WORLD.daemon.write_config({"queue_max": "777", "idle_timeout": "5m"})
    with WORLD.daemon.client(OPERATOR) as client:
        got = client.ask("reload")
    assert "refusal" not in got, got
    warnings = got["warnings"]
    assert any("queue_max was changed, which needs a restart" in w for w in warnings), warnings
    assert not any("idle_timeout" in w for w in warnings), warnings


def test_a_start_with_other_files_looks_at_every_case():
    sample()
    reload_or_not = digest()
    with WORLD.daemon.client("property-01-1") as reporter:
        number = submit(reporter, "E0110", {"lat": 34.3350, "lon": 108.7425})["case_number"]
    WORLD.daemon.stop()
    for name in ("contracts.csv", "people.csv"):
        without(name, ",property-01,")
    without("units.csv", "property-01,")
    WORLD.daemon.start()
    assert digest() != reload_or_not
    swept()
    with WORLD.daemon.client(SUPERVISOR) as supervisor:
        assert supervisor.ask("get_case", {"case_number": number})["summary"]["handler"] == "sanitation"


def test_the_database_proves_itself():
    WORLD.daemon.stop()
    verify(WORLD.daemon)


run_tests(globals(), finish=WORLD.close)
