#!/usr/bin/env python3
"""One connection at a time: what it is answered, what it may see, what is pushed to it, and how it ends."""
import random
import signal
import socket
import threading

from harness import Refused, Street, World, run_tests, wait_until

WORLD = World(with_redis=False)
WORLD.__enter__()
DAEMON, STREET = WORLD.daemon, Street()


def client(who=None):
    return DAEMON.client(who)


def reporters():
    found = STREET.all_with("reporter")
    plain = [who for who in found if not any(p["id"] == who and ("+" in p["roles"]) for p in STREET.people)]
    assert len(plain) >= 2, "the sample street has no two people who only report"
    return plain


def report(c, **changes):
    return {"key": c.new_key(), "category": STREET.category(), "place": STREET.place(), "description": "垃圾",
            **changes}


def submit(c, **changes):
    return c.ask("submit", report(c, **changes))["case_number"]


def refused(c, *question, **frame_values):
    try:
        c.ask(*question, **frame_values)
    except Refused as why:
        return why
    raise AssertionError(f"{question[0]} was not refused")


def test_welcome_says_who_one_is():
    with client() as c:
        welcome = c.login(STREET.one_with("acceptor"))
        assert "acceptor" in welcome["roles"] and welcome["max_frame"] == 32 * 1024, welcome
        assert welcome["server"].startswith("gridloopd "), welcome


def test_one_identity_a_connection():
    one, other = reporters()[:2]
    with client(one) as c:
        c.login(one)
        assert refused(c, "login", {"who": other, "token": f"demo-{other}"}).rule == "one-identity-a-connection"
        assert c.ask("get_points")["person"] == one


def test_anybody_may_ask_who_is_responsible():
    with client(reporters()[0]) as c:
        there = c.ask("where", {"place": STREET.place(), "category": STREET.category()})
        assert there["told"] == "located" and [l["level"] for l in there["levels"]] == ["grid", "community", "street", "county"], there
        assert there["levels"][0]["code"] == STREET.grids[0]["grid"] and there["levels"][0]["holders"], there
        assert there["unit"] and there["why"], there
        river = c.ask("where", {"place": {"lat": 34.3312, "lon": 108.7080}})
        assert "river-weihe" in [o["overlay"] for o in river["overlays"]], river
        assert c.ask("where", {"place": {"lat": 35.0, "lon": 109.0}})["told"] == "outside-the-map"
        assert c.ask("where", {"place": {"lat": 34.35124, "lon": 108.72618}})["told"] == "default-point"
        assert refused(c, "where", {}).rule == "place-given"
        assert refused(c, "where", {"place": STREET.place(), "category": "E0999"}).rule == "category-in-the-catalogue"


def test_what_is_to_be_located_is_listed_and_located():
    with client(reporters()[0]) as c, client(STREET.one_with("acceptor")) as staff:
        number = submit(c, place={"lat": 34.35124, "lon": 108.72618})
        waiting = staff.ask("list_cases", {"unlocated": True, "limit": 100})["cases"]
        assert number in [case["number"] for case in waiting] and not any(case.get("grid") for case in waiting), waiting
        before = staff.ask("get_stats", {"by": "BY_ALL"})["total"]
        assert before["unlocated"] >= 1 and before["told_nowhere"] >= 1, before
        assert not staff.ask("get_case", {"case_number": number}).get("located")
        staff.ask("action", {"key": staff.new_key(), "case_number": number, "act": "ACT_LOCATE", "place": STREET.place()})
        case = staff.ask("get_case", {"case_number": number})
        assert case["located"] and case["summary"]["grid"] == STREET.grids[0]["grid"], case
        assert staff.ask("get_stats", {"by": "BY_ALL"})["total"].get("unlocated", 0) == before["unlocated"] - 1


def test_five_wrong_tokens_end_the_connection():
    with client() as c:
        for _ in range(5):
            why = refused(c, "login", {"who": "nobody-but-a-guess", "token": "wrong"})
            assert why.rule == "identity-and-token-match"
        assert c.receive() is None


def test_a_batch_is_answered_in_its_order():
    with client(reporters()[0]) as c:
        reports = [report(c, description=f"nr {i}") for i in range(64)]
        for i in (0, 17, 63):
            reports[i]["category"] = "nonsense"
        outcomes = c.ask("submit_batch", {"reports": reports})["outcomes"]
        assert len(outcomes) == 64
        for i, outcome in enumerate(outcomes):
            assert ("refusal" in outcome) == (i in (0, 17, 63)), (i, outcome)
        again = c.ask("submit_batch", {"reports": reports})["outcomes"]
        for first, second in zip(outcomes, again):
            if "answer" in first:
                assert second["answer"]["again"] and second["answer"]["case_number"] == first["answer"]["case_number"]
        assert refused(c, "submit_batch", {"reports": reports + reports[:1]}).rule == "batch-is-1-to-64"
        assert refused(c, "submit_batch", {}).rule == "batch-is-1-to-64"


def test_a_batch_of_refusals_alone_is_answered():
    with client(reporters()[0]) as c:
        outcomes = c.ask("submit_batch", {"reports": [report(c, category="x")] * 3})["outcomes"]
        assert [o["refusal"]["rule"] for o in outcomes] == ["category-is-a-code"] * 3


def test_pipelined_reports_are_numbered_in_order():
    with client(reporters()[0]) as c:
        seqs = [c.send("submit", report(c)) for _ in range(500)]
        numbers = {}
        while len(numbers) < len(seqs):
            got = c.receive()
            numbers[got["seq"]] = got["answer"]["case_number"]
        tails = [int(numbers[seq][13:]) for seq in seqs]
        assert tails == sorted(tails) and len(set(tails)) == 500


def test_a_reporter_sees_its_own_and_no_other():
    one, other = reporters()[:2]
    with client(one) as a, client(other) as b, client(STREET.one_with("acceptor")) as staff:
        mine = submit(a, description="mine alone")
        assert a.ask("get_case", {"case_number": mine})["description"] == "mine alone"
        assert refused(b, "get_case", {"case_number": mine}).rule == "case-is-yours"
        assert staff.ask("get_case", {"case_number": mine})["summary"]["reporter"] == one
        listed = b.ask("list_cases", {"limit": 100}).get("cases", [])
        assert all(c.get("reporter") == other for c in listed)
        assert refused(b, "list_cases", {"reporter": one}).rule == "cases-are-yours"
        assert refused(b, "get_points", {"person": one}).rule == "points-are-yours"
        assert refused(b, "get_stats", {}).rule == "role-may-ask"
        assert refused(b, "subscribe", {"events": True}).rule == "events-are-for-staff"


def test_a_gateway_sees_its_reporters():
    gateway = STREET.one_with("gateway")
    with client(gateway) as c, client(reporters()[0]) as other:
        account = f"{gateway}/rider-1"
        number = submit(c, reporter={"id": "rider-1", "kind": 4})
        theirs = submit(other)
        assert c.ask("get_case", {"case_number": number})["summary"]["reporter"] == account
        assert [r["number"] for r in c.ask("list_cases", {"reporter": account})["cases"]] == [number]
        assert refused(c, "list_cases", {}).rule == "gateway-names-its-reporter"
        assert refused(c, "get_case", {"case_number": theirs}).rule == "case-is-yours"
        assert c.ask("get_points", {"person": account})["person"] == account


def test_pages_hold_every_case_once():
    with client(reporters()[1]) as c, client(STREET.one_with("acceptor")) as staff:
        for start in range(0, 150, 50):
            c.ask("submit_batch", {"reports": [report(c, address="地" * 95 + str(start + i)) for i in range(50)]})
        seen, cursor = [], ""
        while True:
            page = staff.ask("list_cases", {"limit": 100, "cursor": cursor, "reporter": reporters()[1]})
            seen += [row["number"] for row in page.get("cases", [])]
            cursor = page.get("next_cursor", "")
            if not cursor:
                break
        assert len(seen) == len(set(seen)) >= 150


def test_statistics_and_board():
    with client(STREET.one_with("supervisor")) as c:
        stats = c.ask("get_stats", {"by": 5})
        total = stats["total"]
        assert total["received"] == total.get("open", 0) + total.get("archived", 0) > 0
        c.ask("get_points", {"board": True})


def test_notices_are_listed_seen_and_pushed():
    who = reporters()[0]
    with client(who) as c, client(STREET.one_with("acceptor")) as staff:
        c.ask("subscribe", {"notices": True, "notices_after": -1})
        number = submit(c)
        reason = next(r["code"] for r in STREET.reasons if r["act"] == "reject")
        staff.ask("action", {"case_number": number, "act": 10, "reason": reason, "key": staff.new_key()})
        while True:
            notice = c.next_push()["notice"]
            if notice["case_number"] == number and notice["act"] in (10, "ACT_REJECT"):
                break
        assert notice["to"] == who
        c.ask("notices_seen", {"up_to": notice["id"]})
        left = c.ask("list_notices", {"unseen_only": True, "limit": 100}).get("notices", [])
        assert all(n["id"] > notice["id"] for n in left), left


def test_events_come_once_each_and_none_is_missed():
    """Two subscribers, one from the start and one with a cursor, while reports storm in."""
    with client(STREET.one_with("supervisor")) as early, client(STREET.one_with("supervisor")) as late:
        begin = early.ask("subscribe", {"events": True, "events_after": -1})["last_event"]
        numbers = set()

        def storm(who):
            with client(who) as c:
                for _ in range(20):
                    got = c.ask("submit_batch", {"reports": [report(c) for _ in range(20)]})
                    numbers.update(o["answer"]["case_number"] for o in got["outcomes"])

        threads = [threading.Thread(target=storm, args=(who,)) for who in reporters()[:2]]
        for t in threads:
            t.start()
        late.ask("subscribe", {"events": True, "events_after": begin})
        ids = {early: [], late: []}
        found = {early: set(), late: set()}
        for t in threads:
            t.join()
        assert len(numbers) == 800
        for c in (early, late):
            while not numbers <= found[c]:
                event = c.next_push()["event"]
                ids[c].append(event["event"]["id"])
                if event["event"]["act"] in (1, "ACT_SUBMIT"):
                    found[c].add(event["case_number"])
            assert ids[c] == list(range(begin + 1, begin + 1 + len(ids[c]))), "an event is missing, doubled or late"


def test_subscribing_anew_replaces():
    with client(STREET.one_with("supervisor")) as c, client(reporters()[0]) as r:
        c.ask("subscribe", {"events": True, "events_after": -1})
        c.ask("subscribe", {})
        submit(r)
        c.ask("ping")
        c.ask("get_stats", {})
        assert not [p for p in c.pushes if "event" in p]


def test_clock_belongs_to_the_operator():
    with client(reporters()[0]) as c:
        assert refused(c, "advance_clock", {"to_ms": c.now_ms}).rule == "role-may-ask"


def test_a_half_closed_client_gets_its_answers():
    with client(reporters()[0]) as c:
        seqs = [c.send("submit", report(c)) for _ in range(20)]
        c.socket.shutdown(socket.SHUT_WR)
        answers = []
        while (got := c.receive()) is not None:
            answers.append(got["seq"])
        assert sorted(answers) == seqs


def test_stopping_answers_what_it_took():
    """SIGTERM in a storm: whatever was answered is there afterwards, and the daemon ends by itself."""
    acknowledged, lock = {}, threading.Lock()

    def storm(who):
        c = client(who)
        sent = {}
        try:
            while True:
                key = c.new_key()
                sent[c.send("submit", report(c, key=key))] = key
                if len(sent) > 30 and random.random() < 0.9:
                    got = c.receive()
                    if got is None:
                        return
                    with lock:
                        acknowledged[sent[got["seq"]]] = got["answer"]["case_number"]
        except (OSError, ConnectionError):
            pass
        finally:
            c.close()

    threads = [threading.Thread(target=storm, args=(who,)) for who in reporters()[:4]]
    for t in threads:
        t.start()
    wait_until(lambda: len(acknowledged) > 500, "500 answers")
    DAEMON.process.send_signal(signal.SIGTERM)
    assert DAEMON.process.wait(20) == 0
    for t in threads:
        t.join()
    DAEMON.start()
    with client(STREET.one_with("acceptor")) as staff:
        for number in random.sample(sorted(acknowledged.values()), 100):
            staff.ask("get_case", {"case_number": number})


run_tests(globals(), finish=lambda: WORLD.__exit__())
