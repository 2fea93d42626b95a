#!/usr/bin/env python3
"""What proves that people are who they say: credentials made, shown once, renewed, revoked, and what each of that does to
those who are connected."""
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess

from harness import BUILD, CONTRACT, DAY_MS, MONDAY_MS, TOP, Client, Refused, Street, World, run_tests, verify, wait_until

STREET = Street()
WORLD = World()
FOLDER = os.path.join(WORLD.folder, "jurisdiction")
ADMIN, OTHER_ADMIN, AREA_ADMIN = "administrator-01", "administrator-02", "administrator-03"
WORKER, NEIGHBOUR, RESIDENT, GATEWAY = "worker-01", "worker-04", STREET.reporter(), STREET.one_with("gateway")
SHOWN = []  # every token that was ever shown


def write_people():
    shutil.copytree(STREET.folder, FOLDER)
    path = os.path.join(FOLDER, "people.csv")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    digest = hashlib.sha256(b"demo-administrator-01").hexdigest()
    text, count = re.subn(r"^(administrator-01,.*),,no$", rf"\1,{digest},no", text, flags=re.M)
    assert count == 1, "the sample has no administrator-01 without a token"
    text += f"{OTHER_ADMIN},乙,,administrator,,,,no\n{AREA_ADMIN},丙,,administrator,610404004001,,,no\n"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


write_people()
SOCKET = os.path.join(WORLD.folder, "door.sock")
WORLD.configure({"jurisdiction": FOLDER, "listen_unix": SOCKET, "login_failures": "0"})
WORLD.__enter__()


def daemon():
    return WORLD.daemon


def refused(call, *words, **more):
    try:
        got = call(*words, **more)
    except Refused as why:
        return why
    raise AssertionError(f"{words} was not refused but gave {got}")


def issue(admin, person, **more):
    got = admin.ask("issue_credential", {"key": admin.new_key(), "person": person, **more})
    if got.get("token"):
        SHOWN.append(got["token"])
    return got


def rotate(client, number, **more):
    got = client.ask("rotate_credential", {"key": client.new_key(), "id": number, **more})
    SHOWN.append(got["token"])
    return got


def revoke(client, **what):
    return client.ask("revoke_credential", {"key": client.new_key(), **what})


def try_login(c, who, token):
    try:
        return c.login(who, token)
    except Refused as why:
        assert why.rule == "identity-and-token-match", why
        return None


def lets_in(who, token):
    with daemon().client() as c:
        return try_login(c, who, token) is not None


def listed(admin, person="", **more):
    """Every page."""
    found, cursor = [], ""
    while True:
        page = admin.ask("list_credentials", {"person": person, "cursor": cursor, **more})
        found += page["credentials"]
        cursor = page.get("next_cursor", "")
        if not cursor:
            return found


def row(admin, number):
    return next(c for c in listed(admin, ended_too=True) if c.get("id") == number)


def is_cut(client):
    """The connection says why and ends."""
    got = client.receive()
    assert got and got.get("seq", 0) == 0 and got["refusal"]["rule"] == "identity-still-holds", got
    assert client.receive() is None
    return True


# ---- a life of one ----

def test_a_token_is_made_and_lets_in():
    with daemon().client(ADMIN) as admin:
        made = issue(admin, WORKER, label="phone of 张网格")
        assert re.fullmatch(r"glt_[0-9a-f]{64}", made["token"]), made
        with daemon().client() as c:
            assert "worker" in c.login(WORKER, made["token"])["roles"]
            number = c.ask("submit", {"key": c.new_key(), "category": STREET.category(), "place": STREET.place()})
            assert number["case_number"]
        assert lets_in(WORKER, f"demo-{WORKER}"), "the token of people.csv went"
        assert not lets_in(NEIGHBOUR, made["token"])
        mine = row(admin, made["id"])
        assert mine["label"] == "phone of 张网格" and mine["made_by"] == ADMIN and mine["live"], mine
        assert mine["kind"] == "TOKEN" and mine["made_ms"] >= MONDAY_MS and not mine.get("certificate"), mine


def test_no_two_tokens_are_alike():
    with daemon().client(ADMIN) as admin:
        made = [issue(admin, WORKER) for _ in range(4)]
        assert len({m["token"] for m in made}) == 4 and len({m["id"] for m in made}) == 4
        for m in made:
            revoke(admin, id=m["id"])


def test_a_lost_answer_leaves_no_unknown_token():
    with daemon().client(ADMIN) as admin:
        key = admin.new_key()
        made = admin.ask("issue_credential", {"key": key, "person": WORKER})
        SHOWN.append(made["token"])
        why = refused(admin.ask, "issue_credential", {"key": key, "person": WORKER})
        assert why.rule == "token-is-shown-once" and str(made["id"]) in why.sentence, why
        assert refused(admin.ask, "issue_credential", {"key": key, "person": NEIGHBOUR}).rule == "one-key-one-content"
        revoke(admin, id=made["id"], why="reply lost")
        assert not lets_in(WORKER, made["token"])


def test_rotation_overlaps():
    with daemon().client(ADMIN) as admin:
        old = issue(admin, WORKER, label="box 1")
        new = rotate(admin, old["id"], overlap_ms=3600 * 1000, label="box 1, second")
        assert new["replaces"] == old["id"] and new["old_until_ms"] > 0, new
        assert lets_in(WORKER, old["token"]) and lets_in(WORKER, new["token"])
        with daemon().client() as by_old, daemon().client() as by_new:
            by_old.login(WORKER, old["token"])
            by_new.login(WORKER, new["token"])
            daemon().set_time(new["old_until_ms"])
            assert is_cut(by_old)
            assert by_new.ask("ping", {}) is not None
        assert not lets_in(WORKER, old["token"]) and lets_in(WORKER, new["token"])
        at_once = rotate(admin, new["id"])
        assert not at_once.get("old_until_ms") and not lets_in(WORKER, new["token"]) and lets_in(WORKER, at_once["token"])
        assert row(admin, new["id"])["why"] == "rotated"
        revoke(admin, id=at_once["id"])


def test_an_expired_one_lets_nobody_in():
    with daemon().client(ADMIN) as admin:
        now_ms = admin.ask("ping", {})["now_ms"]
        assert refused(issue, admin, WORKER, expires_ms=now_ms).rule == "expiry-is-ahead"
        made = issue(admin, WORKER, expires_ms=now_ms + DAY_MS)
        with daemon().client() as idle, daemon().client() as busy:
            idle.login(WORKER, made["token"])
            busy.login(WORKER, made["token"])
            daemon().set_time(now_ms + DAY_MS)
            assert refused(busy.ask, "get_points", {}).rule == "identity-still-holds"
            assert is_cut(idle)
        assert not lets_in(WORKER, made["token"])
        assert not row(admin, made["id"]).get("live")
        assert made["id"] not in [c.get("id") for c in listed(admin)]


def test_revoking_cuts_who_is_connected():
    with daemon().client(ADMIN) as admin:
        lost, kept = issue(admin, WORKER), issue(admin, WORKER)
        with daemon().client() as thief, daemon().client() as owner:
            thief.login(WORKER, lost["token"])
            thief.ask("subscribe", {"notices": True})
            owner.login(WORKER, kept["token"])
            assert revoke(admin, id=lost["id"], why="phone lost") == {"ids": [lost["id"]], "person": WORKER,
                                                                      "in_file_too": True}
            assert not lets_in(WORKER, lost["token"])
            assert is_cut(thief)
            assert owner.ask("get_points", {})["person"] == WORKER
        assert refused(revoke, admin, id=lost["id"]).rule == "credential-is-live"
        mine = row(admin, lost["id"])
        assert mine["why"] == "phone lost" and mine["revoked_by"] == ADMIN and not mine.get("live"), mine
        assert revoke(admin, person=WORKER)["ids"].count(kept["id"]) == 1
        assert refused(revoke, admin, person=WORKER).rule == "credential-is-live"


def test_people_renew_and_revoke_their_own():
    with daemon().client(ADMIN) as admin:
        now_ms = admin.ask("ping", {})["now_ms"]
        mine = issue(admin, WORKER, expires_ms=now_ms + 10 * DAY_MS)
        theirs = issue(admin, NEIGHBOUR)
        with daemon().client() as c:
            c.login(WORKER, mine["token"])
            assert refused(issue, c, WORKER).rule == "role-may-ask"
            assert refused(rotate, c, theirs["id"]).rule == "administrators-give-credentials"
            assert refused(revoke, c, id=theirs["id"]).rule == "administrators-give-credentials"
            assert refused(revoke, c, person=NEIGHBOUR).rule == "administrators-give-credentials"
            assert refused(c.ask, "list_credentials", {"person": NEIGHBOUR}).rule == "credentials-are-yours"
            assert {x["person"] for x in listed(c, ended_too=True)} == {WORKER}
            why = refused(rotate, c, mine["id"], expires_ms=now_ms + 11 * DAY_MS)
            assert why.rule == "administrators-lengthen", why
            new = rotate(c, mine["id"])
            assert new["expires_ms"] <= now_ms + 10 * DAY_MS + 60000 and is_cut(c)
        with daemon().client() as c:
            c.login(WORKER, new["token"])
            assert revoke(c, id=new["id"])["ids"] == [new["id"]] and is_cut(c)
        revoke(admin, id=theirs["id"])


def test_an_area_bounds_its_administrator():
    with daemon().client(ADMIN) as admin:
        local = issue(admin, AREA_ADMIN)
        far = issue(admin, NEIGHBOUR)
        with daemon().client() as c:
            c.login(AREA_ADMIN, local["token"])
            near = issue(c, WORKER)
            assert refused(issue, c, NEIGHBOUR).rule == "administrators-give-credentials"
            assert refused(issue, c, ADMIN).rule == "administrators-give-credentials"
            assert refused(revoke, c, id=far["id"]).rule == "administrators-give-credentials"
            seen = {x["person"] for x in listed(c)}
            assert WORKER in seen and NEIGHBOUR not in seen and ADMIN not in seen, seen
            revoke(c, id=near["id"])
        revoke(admin, id=far["id"])
        revoke(admin, person=AREA_ADMIN)


def test_strange_wishes_are_refused():
    with daemon().client(ADMIN) as admin:
        assert refused(issue, admin, "nobody-99").rule == "person-is-known"
        assert refused(issue, admin, "").rule == "person-is-given"
        assert refused(issue, admin, WORKER, certificate=b"short").rule == "certificate-is-a-digest"
        assert refused(issue, admin, WORKER, label="a\nb").rule == "label-is-utf8"
        assert refused(rotate, admin, 999999).rule == "credential-is-live"
        assert refused(revoke, admin).rule == "one-or-all"
        many = [issue(admin, RESIDENT)["id"] for _ in range(16)]
        assert refused(issue, admin, RESIDENT).rule == "credentials-have-room"
        assert sorted(revoke(admin, person=RESIDENT)["ids"]) == many


def test_a_certificate_is_a_credential():
    digest = hashlib.sha256(b"a certificate").digest()
    with daemon().client(ADMIN) as admin:
        key = admin.new_key()
        made = admin.ask("issue_credential", {"key": key, "person": GATEWAY, "certificate": digest, "label": "box 2"})
        assert not made.get("token")
        again = admin.ask("issue_credential", {"key": key, "person": GATEWAY, "certificate": digest, "label": "box 2"})
        assert again["id"] == made["id"] and again["again"], again
        assert refused(issue, admin, WORKER, certificate=digest).rule == "certificate-shows-one-person"
        assert refused(rotate, admin, made["id"]).rule == "rotated-in-kind"
        new = admin.ask("rotate_credential", {"key": admin.new_key(), "id": made["id"], "overlap_ms": DAY_MS,
                                              "certificate": hashlib.sha256(b"the next").digest()})
        assert new["replaces"] == made["id"] and row(admin, new["id"])["kind"] == "CERTIFICATE"
        revoke(admin, person=GATEWAY)


def test_a_gateway_of_redis_shows_its_own():
    redis = WORLD.redis
    with daemon().client(ADMIN) as admin:
        made = issue(admin, GATEWAY)

        def send(token):
            entry = {"gateway": GATEWAY, "token": token, "report": {
                "key": admin.new_key(), "category": STREET.category(), "place": STREET.place(),
                "reporter": {"id": "rider-7", "kind": 4}}}
            redis.command("XADD", "gridloop:reports", "*", "entry", CONTRACT.encode("StreamEntry", entry))

        dead = redis.command("XLEN", "gridloop:dead")
        send(made["token"])
        wait_until(lambda: redis.command("XLEN", "gridloop:events"), "the report's event")
        assert redis.command("XLEN", "gridloop:dead") == dead
        revoke(admin, id=made["id"])
        send(made["token"])
        wait_until(lambda: redis.command("XLEN", "gridloop:dead") == dead + 1, "the dead letter")


# ---- what lasts ----

def test_everything_lasts():
    with daemon().client(ADMIN) as admin:
        kept, gone = issue(admin, WORKER, label="kept"), issue(admin, WORKER)
        revoke(admin, id=gone["id"])
        daemon().kill()  # behind the replies: they said it is on disk
    daemon().start()
    assert lets_in(WORKER, kept["token"]) and not lets_in(WORKER, gone["token"])
    daemon().stop()
    verify(daemon())
    daemon().start()
    with daemon().client(ADMIN) as admin:
        assert row(admin, kept["id"])["label"] == "kept"
        assert issue(admin, WORKER)["id"] > gone["id"]
        revoke(admin, person=WORKER)


def gridloop(*words, who=ADMIN, token=None, code=0):
    done = subprocess.run([os.path.join(BUILD, "gridloop"), *words], cwd=TOP, capture_output=True, text=True, timeout=60,
                          check=False, env={**os.environ, "GRIDLOOP_SERVER": f"127.0.0.1:{daemon().port}",
                                            "GRIDLOOP_ID": who, "GRIDLOOP_TOKEN": token or f"demo-{who}"})
    assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def test_the_command_line():
    made = json.loads(gridloop("identity", "issue", WORKER, "--label", "phone 电话", "--expires", "90d", "--json"))
    SHOWN.append(made["token"])
    assert WORKER in gridloop("ping", who=WORKER, token=made["token"])
    text = gridloop("identity", "issue", WORKER)
    SHOWN.append(re.search(r"glt_\w+", text)[0])
    assert "shown once" in text and "good for ever" in text, text
    assert "phone 电话" in gridloop("identity", "list", WORKER)
    show = gridloop("identity", "show", WORKER)
    assert "roles: reporter, worker" in show and "from people.csv" in show, show
    everybody = json.loads(gridloop("identity", "list", "--json"))["credentials"]
    assert len([c for c in everybody if c["in_file"]]) > 150, len(everybody)
    text = gridloop("identity", "rotate", str(made["id"]), "--overlap", "2h")
    SHOWN.append(re.search(r"glt_\w+", text)[0])
    assert f"credential {made['id']}, the old one, is good until" in text, text
    text = gridloop("identity", "revoke", str(made["id"]), "--why", "phone lost")
    assert "is revoked" in text and "people.csv has a token" in text, text
    assert "phone lost" in gridloop("identity", "list", WORKER, "--all")
    assert "rule: credential-is-live" in gridloop("identity", "revoke", str(made["id"]), code=1)
    gridloop("identity", "revoke", WORKER)
    assert "Give --pem FILE or --sha256" in gridloop("identity", "certificate", WORKER, code=2)


# ---- the first administrator, on the machine itself ----

def without_administrators():
    """A world of its own whose administrators have no credential yet."""
    world = World(with_redis=False)
    world.configure({"listen_unix": os.path.join(world.folder, "door.sock")})
    return world


def first(world, who, code=0, prefix=()):
    done = subprocess.run([*prefix, os.path.join(BUILD, "gridloop"), "identity", "first-administrator", who, "--socket",
                           os.path.join(world.folder, "door.sock"), "--json"], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}{done.stderr}"
    return json.loads(done.stdout)


def test_root_makes_the_first_administrator_once():
    with without_administrators() as world:
        path = os.path.join(world.folder, "door.sock")
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o660
        assert first(world, "nobody-99", 1)["refused"]["rule"] == "person-is-known"
        assert first(world, WORKER, 1)["refused"]["rule"] == "first-one-is-an-administrator"
        if os.geteuid() == 0:
            os.chmod(world.folder, 0o755)
            os.chmod(path, 0o666)
            stranger = first(world, ADMIN, 1, ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"))
            assert stranger["refused"]["rule"] == "root-makes-the-first", stranger
        with world.daemon.client() as c:
            why = refused(c.ask, "first_administrator", {"key": c.new_key(), "person": ADMIN})
            assert why.rule == "root-makes-the-first", why
        made = first(world, ADMIN)
        assert first(world, ADMIN, 1)["refused"]["rule"] == "first-administrator-is-made-once"
        with world.daemon.client() as admin:
            admin.login(ADMIN, made["token"])
            mine = listed(admin, ADMIN)
            assert [c["made_by"] for c in mine] == ["console"], mine
            assert refused(revoke, admin, person=ADMIN).rule == "an-administrator-remains"
            made_too = admin.ask("issue_credential", {"key": admin.new_key(), "person": WORKER})
            with world.daemon.client() as c:
                c.login(WORKER, made_too["token"])
            assert revoke(admin, person=ADMIN, insist=True)["ids"] == [made["id"]]
        assert first(world, ADMIN)["id"] > made_too["id"]
        world.daemon.kill()  # leaves the socket's file behind
        world.daemon.start()
        assert first(world, ADMIN, 1)["refused"]["rule"] == "first-administrator-is-made-once"
        world.daemon.stop()
        assert not os.path.exists(path), "a proper end leaves the socket's file"
        verify(world.daemon)
        world.daemon.start()


def test_ordinary_frames_pass_the_socket():
    done = subprocess.run([os.path.join(BUILD, "gridloop"), "ping", "--server", f"unix:{SOCKET}", "--as", WORKER, "--token",
                           f"demo-{WORKER}"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and WORKER in done.stdout, done.stdout + done.stderr


# ---- guessing ----

class From(Client):
    """A client of another address of this machine."""

    def __init__(self, port, address):
        super().__init__(port)
        self.close()
        self.socket = socket.create_connection(("127.0.0.1", port), 20, (address, 0))


def guess(port, who, address="127.0.0.1", token="wrong"):
    with From(port, address) as c:
        try:
            c.login(who, token)
        except Refused as why:
            return why
    return None


def test_guessing_has_to_wait():
    world = World(with_redis=False)
    world.configure({"login_failures": 3, "login_failures_address": 12, "login_lock": "1s"})
    with world:
        port = world.daemon.port
        for who in (WORKER, "nobody-99"):
            for _ in range(3):
                assert guess(port, who).rule == "identity-and-token-match"
            why = guess(port, who)
            assert (why.rule, why.code) == ("logins-are-limited", "RATE_LIMITED") and 0 < why.retry_after_ms <= 1000, why
        assert guess(port, WORKER, token=f"demo-{WORKER}").rule == "logins-are-limited"
        assert guess(port, NEIGHBOUR, token=f"demo-{NEIGHBOUR}") is None
        assert guess(port, WORKER, "127.0.0.2", f"demo-{WORKER}") is None
        wait_until(lambda: guess(port, WORKER, token=f"demo-{WORKER}") is None, "the wait to be over")
        for i in range(12):
            assert guess(port, f"guess-{i}", "127.0.0.3").rule == "identity-and-token-match"
        assert guess(port, NEIGHBOUR, "127.0.0.3", f"demo-{NEIGHBOUR}").rule == "logins-are-limited"
        with open(world.daemon.log, encoding="utf-8") as file:
            log = file.read()
        assert "login-made-to-wait" in log and WORKER not in log and "127.0.0.3" not in log


def test_a_reload_changes_the_limits():
    world = World(with_redis=False)
    world.configure({"login_failures": 2, "login_lock": "1h"})
    with world:
        daemon_too = world.daemon

        def reload(changes, count):
            daemon_too.write_config(changes)
            daemon_too.process.send_signal(signal.SIGHUP)
            wait_until(lambda: read_log().count("reload end=") == count, "the reload")

        def read_log():
            with open(daemon_too.log, encoding="utf-8") as file:
                return file.read()

        for _ in range(4):
            guess(daemon_too.port, WORKER)
        assert guess(daemon_too.port, WORKER, token=f"demo-{WORKER}").rule == "logins-are-limited"
        reload({"login_failures": 0}, 1)
        assert guess(daemon_too.port, WORKER, token=f"demo-{WORKER}") is None
        for _ in range(9):
            assert guess(daemon_too.port, WORKER).rule == "identity-and-token-match"
        reload({"login_failures": 1}, 2)
        assert guess(daemon_too.port, NEIGHBOUR).rule == "identity-and-token-match"
        assert guess(daemon_too.port, NEIGHBOUR, token=f"demo-{NEIGHBOUR}").rule == "logins-are-limited"
        assert "needs a restart" not in read_log(), read_log()


def audited(world, **filters):
    with world.daemon.client(STREET.one_with("operator")) as client:
        return [(r["what"], r["who"], r.get("subject", ""), r.get("count", 0), r["channel"])
                for r in reversed(client.ask("get_audit", {"limit": 100, **filters})["rows"])]


def test_the_audit_tells_of_logins():
    """Who came, who was refused and who was cut off; a flood is a row and a number, and what was typed is nowhere."""
    world = World(with_redis=False)
    world.configure({"jurisdiction": FOLDER, "login_failures": "0"})
    with world:
        port = world.daemon.port
        with world.daemon.client(ADMIN) as admin, world.daemon.client() as cut:
            made = admin.ask("issue_credential", {"key": admin.new_key(), "person": WORKER})
            cut.login(WORKER, made["token"])
            for _ in range(5):
                assert guess(port, WORKER, token=f"demo-{WORKER}") is None
            for i in range(40):
                assert guess(port, WORKER).rule == "identity-and-token-match"
                assert guess(port, f"hunter2-{i}").rule == "identity-and-token-match"
            revoke(admin, id=made["id"])
            assert is_cut(cut)
        rows = audited(world, what="login")
        assert ("login", "self", ADMIN, 0, "tcp") in rows and rows.count(("login", "self", WORKER, 0, "tcp")) == 1, rows
        assert audited(world, what="login-refused") == [("login-refused", "somebody", WORKER, 0, "tcp"),
                                                        ("login-refused", "somebody", "", 0, "tcp")]
        assert audited(world, what="session-ended") == [("session-ended", "system", WORKER, 0, "tcp")]
        assert [r[0] for r in audited(world, subject=WORKER)] == [
            "credential-made", "login", "login-refused", "credential-ended", "session-ended"]
        world.daemon.stop()
        world.daemon.start()
        # What was only counted is written when it ends.
        assert ("login-refused", "somebody", WORKER, 39, "tcp") in audited(world, what="login-refused")
        assert ("login-refused", "somebody", "", 39, "tcp") in audited(world, what="login-refused")
        assert ("login", "self", WORKER, 5, "tcp") in audited(world, what="login")
        with open(world.daemon.database, "rb") as file:
            assert b"hunter2" not in file.read()


def test_no_token_is_anywhere():
    """Neither in the database nor its log, nor in the daemon's own log."""
    assert len(SHOWN) > 20
    for name in os.listdir(WORLD.folder):
        path = os.path.join(WORLD.folder, name)
        if not os.path.isfile(path):
            continue
        with open(path, "rb") as file:
            data = file.read()
        assert b"glt_" not in data, f"{name} holds a token"
        assert not any(token.encode()[4:] in data for token in SHOWN), f"{name} holds a token's digits"
    with sqlite3.connect(f"file:{daemon().database}?mode=ro", uri=True) as db:
        digests = {row[0] for row in db.execute("SELECT sha256 FROM credential WHERE kind = 1")}
    db.close()
    assert all(hashlib.sha256(token.encode()).digest() in digests for token in SHOWN)


def test_the_database_proves_itself():
    daemon().stop()
    assert "credentials are whole" in verify(daemon())


if __name__ == "__main__":
    run_tests(globals(), lambda: WORLD.__exit__() if WORLD.daemon.process else WORLD.close())
