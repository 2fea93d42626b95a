#!/usr/bin/env python3
"""Personal data with the real daemon: who sees what of a reporter, wherever it could leak; that a look is recorded before
its answer; and that a row of the audit or the ledger edited by hand is found and named."""
import atexit
import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile

from harness import (BUILD, CONTRACT, DAY_MS, MONDAY_MS, TOP, Refused, Street, World, jpeg, run_tests, uuid7, wait_until)

STREET = Street()
# Who gives out credentials; and who answers people, supervises and handles, all in one.
ADMIN, BOTH = "p-administrator", "p-everything"
# Of a property company, which is complained about and handles, works in the grids, calls units together and reports too.
PARTY, PARTY_UNIT = "p-property", "property-01"


def jurisdiction():
    """The sample's, where nothing is dispatched by itself, so that each case has the handler a test gives it."""
    folder = os.path.join(tempfile.mkdtemp(prefix="gridloop-"), "jurisdiction")
    atexit.register(shutil.rmtree, os.path.dirname(folder), ignore_errors=True)
    shutil.copytree(STREET.folder, folder)
    path = os.path.join(folder, "policy.conf")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub(r"(?m)^auto_dispatch.*$", "auto_dispatch = no", text))
    with open(os.path.join(folder, "people.csv"), "a", encoding="utf-8") as file:
        for who, roles, unit in ((ADMIN, "administrator", ""), (BOTH, "acceptor+supervisor+handler", "sanitation"),
                                 (PARTY, "reporter+worker+convener+handler", PARTY_UNIT)):
            kind = "property" if "reporter" in roles else ""
            file.write(f"{who},{who},{kind},{roles},,{unit},{hashlib.sha256(f'demo-{who}'.encode()).hexdigest()},no\n")
    return folder


WORLD = World(changes={"jurisdiction": jurisdiction()})
WORLD.__enter__()
DAEMON, REDIS = WORLD.daemon, WORLD.redis
ACCEPTOR, SUPERVISOR = STREET.one_with("acceptor"), STREET.one_with("supervisor")
DISPATCHER, VISITOR = STREET.one_with("dispatcher"), STREET.one_with("visitor")
OPERATOR, PLATFORM = STREET.one_with("operator"), STREET.one_with("gateway", kind="food-rider")
GRID = STREET.grids[0]["grid"]
WORKER = STREET.worker_of(GRID)
HANDLER, HELPER = "sanitation-01", "enforcement-01"
UNIT = {p["id"]: p["unit"] for p in STREET.people}
EVENTS = "gridloop:events"

# Strings that stand for a person and for nothing else: where one appears that should not, something leaks.
RIDER = "rider-zq83xk"
REPORTER = f"{PLATFORM}/{RIDER}"
PHONE, OTHER_PHONE, ID_NUMBER = "13987654321", "15812349876", "610404198001017788"
NAME, BENEFICIARY = "欧阳晓明", "诸葛老太"
SECRETS = {"reporter": RIDER, "phone": PHONE, "phone in the text": OTHER_PHONE, "ID number": ID_NUMBER,
           "contact": NAME, "beneficiary": BENEFICIARY}
TEXT = f"三天没人收，{NAME}说打{OTHER_PHONE}，身份证{ID_NUMBER}，骑手{RIDER}"


def gridloop(*words, who=SUPERVISOR, check=True):
    done = subprocess.run([os.path.join(BUILD, "gridloop"), *words, "--server", f"127.0.0.1:{DAEMON.port}", "--as", who,
                           "--token", f"demo-{who}"], cwd=TOP, capture_output=True, text=True, timeout=60, check=False)
    assert not check or done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def report(**changes):
    return {"key": uuid7(MONDAY_MS), "category": STREET.category(), "place": STREET.place(), "description": TEXT,
            "address": f"渭阳路12号，{PHONE}", "beneficiary": BENEFICIARY, "contact_name": NAME, "contact_phone": PHONE,
            "reporter": {"id": RIDER, "kind": "FOOD_RIDER"}, **changes}


def act(client, number, name, **more):
    return client.ask("action", {"key": client.new_key(), "case_number": number, "act": name, **more})


def submit(**changes):
    with DAEMON.client(PLATFORM) as gateway:
        return gateway.ask("submit", report(**changes))["case_number"]


def dispatched(**changes):
    """A case that its handler and a co-handler have, and whose reporter has been heard."""
    number = submit(**changes)
    with DAEMON.client(ACCEPTOR) as acceptor, DAEMON.client(DISPATCHER) as dispatcher:
        act(acceptor, number, "ACT_FILE", grid=GRID)
        act(dispatcher, number, "ACT_DISPATCH", unit=UNIT[HANDLER], units=[UNIT[HELPER]])
    return number


def closed(**changes):
    number = dispatched(**changes)
    with DAEMON.client(HANDLER) as handler, DAEMON.client(HELPER) as helper, DAEMON.client(SUPERVISOR) as checker:
        act(handler, number, "ACT_SIGN")
        act(helper, number, "ACT_CO_HANDLED", text="our part is done")
        act(handler, number, "ACT_HANDLED", text="cleared")
        act(checker, number, "ACT_CHECK")
        act(checker, number, "ACT_PASS")
    return number


def shown(answer):
    return json.dumps(answer, ensure_ascii=False, default=lambda b: b.decode(errors="replace"))


def leaks(answer, allowed=()):
    text = answer if isinstance(answer, str) else shown(answer)
    return [what for what, secret in SECRETS.items() if secret in text and what not in allowed]


def audit(**filters):
    with DAEMON.client(SUPERVISOR) as client:
        return client.ask("get_audit", {"limit": 100, **filters}).get("rows", [])


# ---- who sees what, where ----

def test_the_one_who_reported_sees_what_it_gave():
    number = dispatched()
    with DAEMON.client(PLATFORM) as gateway:
        view = gateway.ask("get_case", {"case_number": number})
    missing = [what for what, secret in SECRETS.items() if secret not in shown(view)]
    assert not missing and not view.get("masked"), (missing, view)
    assert not audit(subject=number, what="look-case"), "one's own case is no look"


def test_who_handles_it_never_sees_who_reported():
    number = closed()
    with DAEMON.client(PLATFORM) as gateway:
        act(gateway, number, "ACT_REVIEW", rating="UNSATISFIED", text=f"{NAME}: 打{PHONE}", reporter={"id": RIDER})
    with DAEMON.client(SUPERVISOR) as client:
        states = client.ask("get_case", {"case_number": number})["summary"]["state"]
    for who in (HANDLER, HELPER, "sanitation-02"):
        with DAEMON.client(who) as client:
            view = client.ask("get_case", {"case_number": number})
            rows = client.ask("list_cases", {"handler": UNIT[who]}).get("cases", [])
            notices = client.ask("list_notices", {})
        assert not leaks(view) and not leaks(rows) and not leaks(notices), (who, leaks(view), leaks(rows), leaks(notices))
        assert re.fullmatch(r"reporter-[0-9a-f]{4}", view["summary"]["reporter"]), (view["summary"], states)
        assert view["masked"] and view["contact_phone"] == "139****4321" and view["contact_name"] == "欧阳**", view
        assert view["beneficiary"] == "诸葛**" and "158****9876" in view["description"], view
        assert "139****4321" in view["summary"]["address"], view
    names = {view["summary"]["reporter"] for _ in range(2)}
    assert len(names) == 1


def test_what_the_system_writes_keeps_its_numbers():
    """By which row of the policy a case came here names an area of twelve digits, which is nobody's telephone."""
    world = World(with_redis=False)
    with world, world.daemon.client(PLATFORM) as gateway, world.daemon.client(ACCEPTOR) as acceptor:
        number = gateway.ask("submit", report(category="E0110"))["case_number"]
        act(acceptor, number, "ACT_FILE", grid=GRID)
        view = acceptor.ask("get_case", {"case_number": number})
    own = [event["text"] for event in view["history"] if event["actor"] == "system" and event.get("text")]
    assert view["masked"] and any(re.search(r"[0-9]{12}", text) for text in own), view["history"]


def test_no_purpose_opens_it_to_who_handles():
    number = dispatched()
    for who in (HANDLER, HELPER, "convener-001", DISPATCHER, OPERATOR):
        with DAEMON.client(who) as client:
            try:
                view = client.ask("get_case", {"case_number": number, "purpose": "I want to know"})
                raise AssertionError(f"{who} was shown {leaks(view)}")
            except Refused as why:
                assert why.rule in ("unmasked-for-who-needs-it", "case-is-yours", "role-may-ask"), (who, why)
    assert {r["who"] for r in audit(subject=number, what="unmask")} >= {HANDLER, HELPER}, "a try is recorded too"


def test_a_handler_cannot_try_names():
    dispatched()
    for who in (HANDLER, "convener-001", DISPATCHER):
        with DAEMON.client(who) as client:
            for filters in ({"reporter": REPORTER}, {"reporter": REPORTER, "handler": UNIT[who]}):
                try:
                    found = client.ask("list_cases", filters)
                    raise AssertionError(f"{who} found {len(found.get('cases', []))} cases by {filters}")
                except Refused as why:
                    assert why.rule in ("reporters-are-not-searched", "cases-are-yours"), why
    with DAEMON.client(ACCEPTOR) as client:
        assert client.ask("list_cases", {"reporter": REPORTER})["cases"]


def test_who_answers_people_sees_the_reporter_and_the_rest_with_a_purpose():
    number = dispatched()
    with DAEMON.client(ACCEPTOR) as client:
        view = client.ask("get_case", {"case_number": number})
        assert view["summary"]["reporter"] == REPORTER and view["masked"], view
        assert not leaks(view, allowed=("reporter",)), leaks(view)
        view = client.ask("get_case", {"case_number": number, "purpose": "call back about the result"})
    missing = [what for what, secret in SECRETS.items() if secret not in shown(view)]
    assert not missing and not view.get("masked"), missing
    rows = audit(subject=number, what="unmask")
    assert [(r["who"], r["purpose"]) for r in rows] == [(ACCEPTOR, "call back about the result")], rows


def test_the_worker_who_is_asked_to_look_may_ask():
    number = submit()
    with DAEMON.client(ACCEPTOR) as acceptor:
        act(acceptor, number, "ACT_VERIFY", unit=WORKER)
    with DAEMON.client(WORKER) as worker:
        view = worker.ask("get_case", {"case_number": number})
        assert not leaks(view, allowed=("reporter",)), leaks(view)
        view = worker.ask("get_case", {"case_number": number, "purpose": "meet at the door"})
        assert view["contact_phone"] == PHONE
    other = dispatched()
    with DAEMON.client(WORKER) as worker:
        assert not leaks(worker.ask("get_case", {"case_number": other}))


def test_an_anonymous_reporter_is_nobody_to_everybody():
    resident = STREET.reporter()
    with DAEMON.client(resident) as client:
        body = {k: v for k, v in report(anonymous=True).items() if k != "reporter"}
        number = client.ask("submit", body)["case_number"]
    for who in (ACCEPTOR, SUPERVISOR, WORKER):
        with DAEMON.client(who) as client:
            view = client.ask("get_case", {"case_number": number})
            assert resident not in shown(view), (who, view)


def test_streams_name_nobody():
    with DAEMON.client(SUPERVISOR) as follower:
        follower.ask("subscribe", {"events": True, "events_after": -1})
        number = closed()
        pushes = []
        while not any(p.get("event", {}).get("event", {}).get("act") == "ACT_PASS" and
                      p["event"]["case_number"] == number for p in pushes):
            pushes.append(follower.next_push())
    assert not leaks(pushes), leaks(pushes)
    mine = [p for p in pushes if p["event"]["case_number"] == number]
    with DAEMON.client(SUPERVISOR) as client:
        last = client.ask("subscribe", {})["last_event"]
    wait_until(lambda: REDIS.command("XREVRANGE", EVENTS, "+", "-", "COUNT", "1")[0][0] == b"%d-0" % last, "the stream")
    stream = shown(REDIS.command("XRANGE", EVENTS, "-", "+"))
    assert mine and number in stream and "reporter-" in stream
    assert not leaks(stream), leaks(stream)


def test_the_log_and_the_figures_name_nobody():
    dispatched()
    with open(DAEMON.log, encoding="utf-8") as file:
        assert not leaks(file.read())
    with DAEMON.client(SUPERVISOR) as client:
        for by in ("BY_ALL", "BY_KIND", "BY_AREA", "BY_CATEGORY", "BY_HANDLER", "BY_STATE", "BY_MONTH", "BY_CHANNEL"):
            assert not leaks(client.ask("get_stats", {"by": by})), by


def test_the_board_and_accounts_name_nobody_to_strangers():
    closed()
    with DAEMON.client(OPERATOR) as client:
        client.ask("advance_clock", {"settle": True})
    with DAEMON.client(SUPERVISOR) as client:
        points = client.ask("get_points", {"person": REPORTER})
    earned = [r["case_number"] for r in points["rows"]]
    assert earned and all(earned), points
    for who in (HANDLER, STREET.reporter()):
        with DAEMON.client(who) as client:
            assert not leaks(client.ask("get_points", {"board": True})), who
            try:
                assert earned[0] not in shown(client.ask("get_points", {"person": REPORTER})), who
            except Refused:
                pass


def test_what_is_no_phone_number_is_refused():
    with DAEMON.client(PLATFORM) as client:
        try:
            client.ask("submit", report(contact_phone="ask at the gate"))
            raise AssertionError("taken")
        except Refused as why:
            assert why.rule == "contact-phone-is-a-number", why


# ---- the audit ----

def test_each_look_is_one_row_before_its_answer():
    number = dispatched()
    with DAEMON.client(HANDLER) as client:
        client.ask("get_case", {"case_number": number})
        client.ask("list_cases", {"handler": UNIT[HANDLER], "limit": 100})
    newest = audit(who=HANDLER)[:2]
    assert [r["what"] for r in newest] == ["look-list", "look-case"], newest
    assert newest[1]["subject"] == number and newest[1]["channel"] == "tcp", newest
    assert audit(what="look-audit"), "who reads the audit is in it"
    with DAEMON.client(HANDLER) as client:
        try:
            client.ask("get_audit", {})
            raise AssertionError("a handler read the audit")
        except Refused as why:
            assert why.code == "NOT_ALLOWED", why


def test_the_command_line_tells_it():
    number = dispatched()
    out = gridloop("case", "show", number, "--purpose", "call back", who=ACCEPTOR)
    assert PHONE in out and NAME in out, out
    out = gridloop("case", "show", number, who=HANDLER)
    assert not leaks(out) and "139****4321" in out and "--purpose" in out, out
    out = gridloop("audit", "--subject", number, "--what", "unmask")
    assert f"subject={number}" in audit(what="look-audit")[1]["subject"], "a case's number names nobody"
    assert "call back" in out and ACCEPTOR in out and "查看明文" in out, out
    rows = json.loads(gridloop("audit", "--who", ACCEPTOR, "--limit", "1", "--json"))["rows"]
    assert rows[0]["what"] == "unmask" and rows[0]["purpose"] == "call back", rows
    out = gridloop("audit", "--what", "nonsense", check=False)
    assert "nonsense" in out and "what-is-recorded" in out, out


# ---- retention ----

OLD_PHONE, OLD_NAME, OLD_BENEFICIARY = "13711112222", "慕容复兴", "令狐大爷"


def test_an_old_case_loses_its_person_and_keeps_what_is_counted():
    number = closed(contact_phone=OLD_PHONE, contact_name=OLD_NAME, beneficiary=OLD_BENEFICIARY,
                    description=f"路灯坏了，{OLD_NAME} {OLD_PHONE}", address=f"渭阳路9号 {OLD_PHONE}", place=STREET.place(nudge=0.7))
    with DAEMON.client(OPERATOR) as client:
        client.ask("advance_clock", {"settle": True})
        now = client.ask("ping", {})["now_ms"]
    with DAEMON.client(ACCEPTOR) as client:
        before = client.ask("get_case", {"case_number": number, "purpose": "look before"})
        assert before["contact_phone"] == OLD_PHONE
    DAEMON.set_time(now + 400 * DAY_MS)
    with DAEMON.client(ACCEPTOR) as client:
        after = client.ask("get_case", {"case_number": number, "purpose": "look after"})
    gone = [OLD_PHONE, OLD_NAME, OLD_BENEFICIARY, RIDER]
    assert not [secret for secret in gone if secret in shown(after)], after
    assert after["summary"]["reporter"] == "erased" and "路灯坏了" in after["description"], after
    for kept in ("state", "category", "grid", "reported_ms", "ended_ms", "handler", "reporter_kind"):
        assert after["summary"].get(kept) == before["summary"].get(kept), kept
    assert [e["act"] for e in after["history"]] == [e["act"] for e in before["history"]]
    assert after.get("points") == before.get("points") and after["lat"] == before["lat"]
    assert audit(what="expire")[0]["count"] > 0


def test_an_old_row_of_the_audit_goes_and_the_chain_holds():
    folder = jurisdiction()
    path = os.path.join(folder, "policy.conf")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub(r"(?m)^audit_keep_days.*$", "audit_keep_days = 30", text))
    world = World(with_redis=False, changes={"jurisdiction": folder})
    with world:
        with world.daemon.client(SUPERVISOR) as client:
            for _ in range(5):
                client.ask("get_points", {"person": "resident-01"})
        world.daemon.set_time(MONDAY_MS + 31 * DAY_MS)
        with world.daemon.client(SUPERVISOR) as client:
            client.ask("get_points", {"person": "resident-02"})
            wait_until(lambda: client.ask("get_audit", {"what": "cut"}).get("rows"), "the audit to be cut")
            rows = client.ask("get_audit", {"limit": 100})["rows"]
        told = next(r for r in rows if r["what"] == "cut")
        assert told["count"] >= 5 and told["who"] == "system" and min(r["id"] for r in rows) == told["count"] + 1, rows
        assert sum(r.get("subject") == "resident-01" for r in rows) <= 1, rows  # the newest of then stays: the chain goes on from it
        world.daemon.stop()
        code, out = verify(world.daemon.database)
        assert code == 0 and "everything holds" in out, out
        with sqlite3.connect(world.daemon.database) as db:
            db.execute("UPDATE chain_head SET id = (SELECT min(id) FROM audit), link = (SELECT link FROM audit ORDER BY id"
                       " LIMIT 1) WHERE chain = 2")
            db.execute("DELETE FROM audit WHERE id = (SELECT min(id) FROM audit)")
        db.close()
        code, out = verify(world.daemon.database)
        assert code == 1 and "are gone, and no row tells of it" in out, out
        world.daemon.start()


# ---- one person's own ----

def test_a_person_gets_a_copy_and_then_goes():
    who = {"reporter": {"id": "rider-gone77", "kind": "FOOD_RIDER"}}
    account = f"{PLATFORM}/rider-gone77"
    old = closed(**who, contact_phone="13799998888", place=STREET.place(nudge=0.2))
    with DAEMON.client(OPERATOR) as client:
        client.ask("advance_clock", {"settle": True})
    still = dispatched(**who, place=STREET.place(nudge=0.4))
    copy = json.loads(gridloop("person", "export", account, "--why", "asked for at the desk"))
    assert {c["number"] for c in copy["cases"]} == {old, still} and copy["balance"] > 0, copy
    assert copy["cases"][0]["contact_phone"] and any(c["contact_phone"] == "13799998888" for c in copy["cases"])
    out = gridloop("person", "erase", account, "--why", "asked for at the desk", check=False)
    assert "no-case-is-open" in out and still in out, out
    with DAEMON.client(HANDLER) as handler, DAEMON.client(HELPER) as helper, DAEMON.client(SUPERVISOR) as checker:
        act(handler, still, "ACT_SIGN")
        act(helper, still, "ACT_CO_HANDLED", text="our part is done")
        act(handler, still, "ACT_HANDLED", text="cleared")
        act(checker, still, "ACT_CHECK")
        act(checker, still, "ACT_PASS")
    with DAEMON.client(OPERATOR) as client:
        client.ask("advance_clock", {"settle": True})
    for stranger in (HANDLER, STREET.reporter(), ACCEPTOR):
        out = gridloop("person", "erase", account, "--why", "no", who=stranger, check=False)
        assert '"erase-person" needs' in out, out
    out = gridloop("person", "erase", WORKER, "--why", "no", check=False)
    assert "acts-on-duty-stay" in out, out
    assert "erased:" in gridloop("person", "erase", account, "--why", "asked for at the desk")
    with DAEMON.client(SUPERVISOR) as client:
        assert not client.ask("list_cases", {"reporter": account}).get("cases")
        assert client.ask("get_points", {"person": account}).get("balance", 0) == 0
        view = client.ask("get_case", {"case_number": old, "purpose": "look after"})
    assert "rider-gone77" not in shown(view) and "13799998888" not in shown(view), view
    # Whoever looks for the person afterwards writes no name anew.
    with DAEMON.client(SUPERVISOR) as client:
        client.ask("get_audit", {"subject": account})
        client.ask("get_audit", {"who": account})
        copy_of(client, person=account, purpose="is anything left?")
    newest = audit()
    assert "rider-gone77" not in shown(newest) and any(r.get("subject", "").count("*") == len(account) for r in newest), newest
    row = audit(what="erase")[0]
    assert row["who"] == SUPERVISOR and row["subject"].startswith("erased-") and row["count"] >= 3, row


def copy_of(client, **asked):
    """Every page of it, put together; how many pages."""
    copy, cursor, pages = {}, "", 0
    while True:
        page = client.ask("export_person", {"cursor": cursor, **asked})
        pages += 1
        for name, value in page.items():
            if isinstance(value, list):
                copy.setdefault(name, []).extend(value)
            elif name not in copy:
                copy[name] = value
        cursor = page.get("next_cursor", "")
        if not cursor:
            return copy, pages


def test_a_copy_is_whole():
    me = STREET.reporter()
    with DAEMON.client(me) as client, DAEMON.client(ADMIN) as admin:
        own = {k: v for k, v in report(place=STREET.place(nudge=0.9)).items() if k != "reporter"}
        named = client.ask("submit", {**own, "category": STREET.category(), "key": client.new_key()})["case_number"]
        hidden = client.ask("submit", {**own, "anonymous": True, "key": client.new_key(),
                                       "place": STREET.place(nudge=0.1)})["case_number"]
        ids = [admin.ask("issue_credential", {"key": admin.new_key(), "person": me, "label": label})["id"]
               for label in ("phone", "old phone")]
        admin.ask("revoke_credential", {"key": admin.new_key(), "id": ids[1], "why": "lost"})
    with DAEMON.client(ACCEPTOR) as acceptor, DAEMON.client(DISPATCHER) as dispatcher, \
            DAEMON.client(HANDLER) as handler, DAEMON.client(HELPER) as helper, DAEMON.client(SUPERVISOR) as supervisor:
        act(acceptor, named, "ACT_FILE", grid=GRID)
        act(dispatcher, named, "ACT_DISPATCH", unit=UNIT[HANDLER], units=[UNIT[HELPER]])
        acceptor.ask("get_case", {"case_number": named, "purpose": "call back about the lamp"})
        acceptor.ask("get_case", {"case_number": hidden})
        acceptor.ask("list_cases", {"reporter": me})
        act(handler, named, "ACT_SIGN")
        act(helper, named, "ACT_CO_HANDLED", text="done")
        act(handler, named, "ACT_HANDLED", text="cleared")
        act(supervisor, named, "ACT_CHECK")
        act(supervisor, named, "ACT_PASS")
    with DAEMON.client(OPERATOR) as client:
        client.ask("advance_clock", {"settle": True})
    with DAEMON.client(SUPERVISOR) as supervisor:
        for i in range(230):
            supervisor.ask("points_entry", {"key": supervisor.new_key(), "person": me, "points": 1, "correction": True,
                                            "text": f"correction {i}"})
        supervisor.ask("get_points", {"person": me})
    with DAEMON.client(me) as client:
        copy, pages = copy_of(client)
        balance = client.ask("get_points", {})["balance"]
    assert {named, hidden} <= {c["summary"]["number"] for c in copy["cases"]} and pages > 6, (pages, copy["cases"])
    case = next(c for c in copy["cases"] if c["summary"]["number"] == named)
    assert case["contact_phone"] == PHONE and case["history"] and not case.get("masked"), case
    assert copy["balance"] == balance == sum(row["points"] for row in copy["ledger"]), copy["balance"]
    assert len(copy["ledger"]) >= 231 and {"correction 0", "correction 229"} <= {r.get("text") for r in copy["ledger"]}
    assert any(n["case_number"] == named for n in copy["notices"]) and all(n["to"] == me for n in copy["notices"])
    credentials = {c.get("id", 0): c for c in copy["credentials"]}
    assert set(credentials) == {0, *ids} and credentials[ids[1]]["revoked_ms"] and credentials[ids[1]]["why"] == "lost"
    assert credentials[0]["live"] and not any(c.get("certificate") for c in copy["credentials"]), credentials
    assert copy["identity"]["person"] == me and "token" not in shown(copy["credentials"]), copy["identity"]
    looked = [(r["who"], r["what"], r.get("subject"), r.get("purpose", "")) for r in copy["audit"]]
    for row in ((ACCEPTOR, "unmask", named, "call back about the lamp"), (ACCEPTOR, "look-case", hidden, ""),
                (SUPERVISOR, "look-points", me, ""), (ADMIN, "credential-made", me, "phone"),
                (ADMIN, "credential-ended", me, "lost"), (SUPERVISOR, "correct", me, "correction 0")):
        assert row in looked, (row, looked[:10])
    assert any(who == ACCEPTOR and what == "look-list" and f"reporter={me}" in subject for who, what, subject, _ in looked)
    for name in ("ledger", "notices", "audit"):
        numbers = [row["id"] for row in copy[name]]
        assert len(numbers) == len(set(numbers)) and numbers == sorted(numbers, reverse=name != "notices"), name
    assert [r["what"] for r in copy["audit"]].count("export") == 1, "one row a copy, not a page"
    with DAEMON.client(SUPERVISOR) as supervisor:
        copy, _ = copy_of(supervisor, person=me, purpose="asked for in writing")
    numbers = {c["summary"]["number"] for c in copy["cases"]}
    assert named in numbers and hidden not in numbers, "who reported anonymously is nobody to everybody else"
    assert hidden not in shown(copy["audit"])
    mine = audit(subject=me, what="export")
    assert [(r["who"], r.get("purpose", "")) for r in mine] == [(SUPERVISOR, "asked for in writing"), ("self", "")], mine


def test_a_copy_is_for_its_person_and_who_may():
    number = dispatched()
    with DAEMON.client(PLATFORM) as gateway:
        copy, _ = copy_of(gateway, person=REPORTER)
        assert number in {c["summary"]["number"] for c in copy["cases"]}
    others = {STREET.reporter(): REPORTER, HANDLER: REPORTER, ACCEPTOR: REPORTER, OPERATOR: REPORTER, ADMIN: REPORTER,
              WORKER: REPORTER, BOTH: REPORTER, PLATFORM: "other/rider"}
    for who, whose in others.items():
        with DAEMON.client(who) as client:
            for cursor in ("", "l0", "a0"):
                try:
                    client.ask("export_person", {"person": whose, "purpose": "curious", "cursor": cursor})
                    raise AssertionError(f"{who} got a copy of {whose}")
                except Refused as why:
                    assert why.code == "NOT_ALLOWED" and '"export-person" needs' in str(why), (who, why)
    with DAEMON.client(BOTH) as client:
        assert copy_of(client)[0]["person"] == BOTH, "its own is anybody's"
    with DAEMON.client(SUPERVISOR) as client:
        for wrong, rule in (({}, "export-says-what-for"), ({"purpose": "x", "cursor": "z1"}, "cursor-is-from-a-page"),
                            ({"purpose": "x", "cursor": "l-1"}, "cursor-is-from-a-page")):
            try:
                client.ask("export_person", {"person": REPORTER, **wrong})
                raise AssertionError(f"{wrong} was taken")
            except Refused as why:
                assert why.rule == rule, why
        before = len(audit(what="export"))
        client.ask("export_person", {"person": REPORTER, "purpose": "from the middle", "cursor": "l0"})
    assert len(audit(what="export")) == before + 1, "a copy begun in the middle is one too"
    out = gridloop("person", "export", REPORTER, check=False)
    assert "export-says-what-for" in out, out


SECOND_RIDER = "rider-wx52mm"


def complaint(**changes):
    """Two riders' reports of one matter, with photos, and what was said to either meanwhile."""
    with DAEMON.client(PLATFORM) as gateway:
        numbers = []
        for i, rider in enumerate((RIDER, SECOND_RIDER)):
            photo = gateway.upload(jpeg(300 + i))
            numbers.append(gateway.ask("submit", report(evidence=[{"sha256": photo, "role": "NEAR"}], key=gateway.new_key(),
                                                        description=TEXT.replace(RIDER, rider),
                                                        reporter={"id": rider, "kind": "FOOD_RIDER"}, **changes)))
    master = numbers[0]["case_number"]
    with DAEMON.client(ACCEPTOR) as acceptor:
        act(acceptor, master, "ACT_FILE", grid=GRID)
        if not numbers[1].get("merged_into"):
            act(acceptor, numbers[1]["case_number"], "ACT_MERGE", master=master)
    return master, numbers[1]["case_number"], photo


def test_the_party_complained_about_is_never_told_who_complained():
    """Whatever way it has to do with its own case: lists, histories, photos, notices, pushes, points, the events stream."""
    secret = {**SECRETS, "second reporter": SECOND_RIDER}
    seen = []

    def look(what, answer):
        text = answer if isinstance(answer, str) else shown(answer)
        found = [name for name, word in secret.items() if word in text]
        assert not found, f"{what} shows {found}: {text[:400]}"
        seen.append(what)

    def denied(client, body, values):
        try:
            got = client.ask(body, values)
        except Refused as why:
            look(f"the refusal of {body}", str(why))
            return
        look(f"{body} {sorted(values)}", got)
        assert body not in ("export_person", "get_audit") and "purpose" not in values, (body, got)

    with DAEMON.client(PARTY) as party, DAEMON.client(PARTY) as follower:
        follower.ask("subscribe", {"notices": True, "notices_after": -1, "events": True, "events_after": -1})
        for i, way in enumerate(("handler", "helper", "called")):
            number, other, photo = complaint(place=STREET.place(grid=i + 1, nudge=0.3))
            with DAEMON.client(DISPATCHER) as dispatcher, DAEMON.client(SUPERVISOR) as supervisor, \
                    DAEMON.client(HANDLER) as handler, DAEMON.client(PLATFORM) as gateway:
                units = {"unit": PARTY_UNIT} if way == "handler" else {"unit": UNIT[HANDLER]}
                act(dispatcher, number, "ACT_DISPATCH", **units, **({"units": [PARTY_UNIT]} if way == "helper" else {}))
                act(party if way == "handler" else handler, number, "ACT_SIGN")
                if way == "called":
                    act(party, number, "ACT_WHISTLE", units=[PARTY_UNIT])
                    act(party, number, "ACT_ANSWER", text="we come")
                act(supervisor, number, "ACT_SUPERVISE", text=f"{NAME}（{REPORTER}，{PHONE}）又打来了")
                if way == "helper":
                    act(party, number, "ACT_CO_HANDLED", text="our part is done")
                act(party if way == "handler" else handler, number, "ACT_HANDLED", text="cleared")
                act(supervisor, number, "ACT_CHECK")
                act(supervisor, number, "ACT_PASS")
                act(gateway, number, "ACT_REVIEW", rating="UNSATISFIED", text=f"{NAME} {PHONE} 不满意", reporter={"id": RIDER})
            for case in (number, other):
                look(f"get_case as {way}", party.ask("get_case", {"case_number": case}))
                denied(party, "get_case", {"case_number": case, "purpose": "who was it?"})
            look("the photo", party.ask("get_evidence", {"sha256": photo}))
            for filters in ({}, {"handler": PARTY_UNIT}, {"area": GRID[:12]}, {"category": STREET.category()}):
                rows = party.ask("list_cases", {"limit": 100, **filters})
                look(f"list_cases by {sorted(filters)}", rows)
            for who in (REPORTER, f"{PLATFORM}/{SECOND_RIDER}"):
                denied(party, "list_cases", {"reporter": who})
                denied(party, "list_cases", {"reporter": who, "handler": PARTY_UNIT})
                denied(party, "get_points", {"person": who})
                denied(party, "export_person", {"person": who, "purpose": "who was it?"})
            denied(party, "get_audit", {"subject": number})
            look("notices", party.ask("list_notices", {"limit": 100}))
            look("the board", party.ask("get_points", {"board": True}))
            look("the emergencies", party.ask("list_emergencies", {}))
            look("the figures", party.ask("get_stats", {"by": "BY_HANDLER"}))
        pushes = []
        with DAEMON.client(SUPERVISOR) as client:
            last = client.ask("subscribe", {})["last_event"]
        while not any(int(p.get("event", {}).get("event", {}).get("id", 0)) >= last for p in pushes):
            pushes.append(follower.next_push())
            look("a push", pushes[-1])
        assert {n for n in ("notice", "event") if any(n in p for p in pushes)} == {"notice", "event"}, "both kinds were pushed"
    wait_until(lambda: REDIS.command("XREVRANGE", EVENTS, "+", "-", "COUNT", "1")[0][0] == b"%d-0" % last, "the stream")
    look("the events stream", shown(REDIS.command("XRANGE", EVENTS, "-", "+")))
    for words in (("case", "show", number), ("case", "history", number), ("case", "list"), ("notices",), ("watch", "--help")):
        look(f"gridloop {words[0]}", gridloop(*words, who=PARTY, check=False))
    with DAEMON.client(SUPERVISOR) as client:
        text = shown(client.ask("get_case", {"case_number": number, "purpose": "the control"}))
    assert all(word in text for name, word in SECRETS.items()), "the control: who may sees all of it"
    assert len(seen) > 80, seen


def test_no_other_role_opens_it_to_who_handles():
    """Whoever handles may be the party complained about, even if it answers people and supervises too."""
    number = dispatched()
    with DAEMON.client(BOTH) as client:
        view = client.ask("get_case", {"case_number": number})
        assert not leaks(view) and view["masked"] and "reporter-" in view["summary"]["reporter"], leaks(view)
        assert not leaks(client.ask("list_cases", {"area": GRID}))
        for right, body, values in (("unmask", "get_case", {"case_number": number, "purpose": "call back"}),
                                    ("see-reporter", "list_cases", {"reporter": REPORTER})):
            try:
                client.ask(body, values)
                raise AssertionError(f"{right} was given")
            except Refused as why:
                assert f'"{right}" needs' in str(why) and "shut to who is handler" in str(why), why


# ---- edited by hand ----

def verify(path, *more):
    done = subprocess.run([os.path.join(BUILD, "gridloop"), "verify", path, *more], cwd=TOP, capture_output=True,
                          text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def finish():
    """The daemon stops; its database is sound, and what is edited in a copy of it is found and named."""
    DAEMON.stop()
    code, out = verify(DAEMON.database)
    assert code == 0 and "everything holds" in out, out
    with open(DAEMON.database, "rb") as file:
        data = file.read()
    for secret in (OLD_PHONE, OLD_NAME, OLD_BENEFICIARY, "13799998888", "rider-gone77"):
        at = data.find(secret.encode())
        assert at < 0, f"{secret} is still in the file: {data[max(at - 60, 0):at + 60]}"
    with sqlite3.connect(DAEMON.database) as db:
        audit_rows = db.execute("SELECT max(id) FROM audit").fetchone()[0]
        ledger_rows = db.execute("SELECT max(id) FROM ledger").fetchone()[0]
        # Who said that it is settled: events are chained through what the audit tells of them.
        passed = db.execute("SELECT max(count) FROM audit WHERE what = 20 AND purpose = 'pass'").fetchone()[0]
    assert audit_rows > 20 and ledger_rows > 0 and passed
    edits = [
        ("audit", "UPDATE audit SET who = 'nobody' WHERE id = 7", "audit row 7 is not what was written"),
        ("audit", "DELETE FROM audit WHERE id = 9", "audit row 9 is missing"),
        ("audit", f"DELETE FROM audit WHERE id = {audit_rows}", f"audit row {audit_rows} is missing"),
        ("ledger", "UPDATE ledger SET points = points + 100 WHERE id = 1", "ledger row 1 is not what was written"),
        ("case_event", f"UPDATE case_event SET actor = 'nobody' WHERE id = {passed}", f"event {passed} is not what was done"),
        ("ledger", f"DELETE FROM ledger WHERE id = {ledger_rows}", f"ledger row {ledger_rows} is missing"),
    ]
    for table, sql, sentence in edits:
        copy = os.path.join(WORLD.folder, "edited.db")
        shutil.copy(DAEMON.database, copy)
        db = sqlite3.connect(copy)
        for trigger in (f"{table}_stays", f"{table}_remains"):
            db.execute(f"DROP TRIGGER {trigger}")
        db.execute(sql)
        db.commit()
        db.close()
        code, out = verify(copy)
        assert code == 1 and sentence in out, f"{sql}: {code}\n{out}"
    WORLD.close()


run_tests(globals(), finish)
