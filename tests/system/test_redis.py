#!/usr/bin/env python3
"""The Redis door with a real Redis: a report in the stream becomes a case, once; an entry that can never be carried out
is laid aside with its reason; Redis going away stops nobody and loses nothing; what happens comes out again."""
from harness import CONTRACT, MONDAY_MS, Street, World, run_tests, uuid7, wait_until

REPORTS, CAMERAS, EVENTS, DEAD, GROUP = ("gridloop:reports", "gridloop:cameras", "gridloop:events", "gridloop:dead", "gridloop")
STREET = Street()
WORLD = World()
WORLD.__enter__()
REDIS, SUPERVISOR = WORLD.redis, STREET.one_with("supervisor")
PLATFORM = STREET.one_with("gateway", kind="food-rider")


def entry_of(body, values, gateway=PLATFORM, token=None):
    return CONTRACT.encode("StreamEntry", {"gateway": gateway, "token": token or f"demo-{gateway}", body: values})


def report(text, **changes):
    return {"key": uuid7(MONDAY_MS), "category": STREET.category(), "place": STREET.place(), "description": text,
            "reporter": {"id": "rider-4711", "kind": "FOOD_RIDER"}, **changes}


def add(entry, stream=REPORTS):
    return REDIS.command("XADD", stream, "*", "entry", entry)


def received():
    with WORLD.daemon.client(SUPERVISOR) as client:
        return client.ask("get_stats", {"by": "BY_ALL"})["total"].get("received", 0)


def pending(stream=REPORTS):
    return REDIS.command("XPENDING", stream, GROUP)[0]


def wait_for(count):
    wait_until(lambda: received() == count, f"{count} received")
    wait_until(lambda: pending() == 0, "every entry to be acknowledged")


def test_a_report_becomes_a_case():
    before = received()
    add(entry_of("report", report("from the platform")))
    wait_for(before + 1)
    with WORLD.daemon.client(SUPERVISOR) as client:
        case = client.ask("list_cases", {"limit": 1})["cases"][0]
    assert case["reporter"] == f"{PLATFORM}/rider-4711" and case["reporter_kind"] == "FOOD_RIDER", case


def test_the_same_report_by_two_doors_is_one_case():
    before, one = received(), report("by both doors")
    add(entry_of("report", one))
    add(entry_of("report", one))
    wait_for(before + 1)
    with WORLD.daemon.client(PLATFORM) as client:
        answer = client.ask("submit", one)
    assert answer["again"], answer
    assert received() == before + 1


def test_an_alarm_from_the_cameras():
    camera = STREET.cameras[0]
    alarm = {"key": uuid7(MONDAY_MS), "camera": camera["camera"], "label": camera["label"], "confidence": 0.95}
    before = received()
    add(entry_of("alarm", alarm, gateway=camera["gateway"]), CAMERAS)
    wait_until(lambda: received() == before + 1, "the alarm's case")
    wait_until(lambda: pending(CAMERAS) == 0, "the alarm to be acknowledged")


def test_what_can_never_be_done_is_laid_aside():
    before = received()
    bad = (b"\xff\xff\xff", b"", entry_of("report", report("wrong token"), token="wrong"),
           entry_of("report", report("no such category", category="E9998")),
           entry_of("report", report("a reused key", key=b"short")))
    dead = REDIS.command("XLEN", DEAD)
    for entry in bad:
        add(entry)
    REDIS.command("XADD", REPORTS, "*", "something", "else")
    wait_until(lambda: REDIS.command("XLEN", DEAD) == dead + len(bad) + 1, "the dead letters")
    wait_until(lambda: pending() == 0, "every entry to be acknowledged")
    for _, fields in REDIS.command("XRANGE", DEAD, "-", "+"):
        assert len(fields) >= 4, f"a dead letter without its reason: {fields}"
    assert received() == before


def test_a_storm_through_the_stream():
    before, count = received(), 1500
    for n in range(count):
        add(entry_of("report", report(f"storm {n}", place=STREET.place(n % len(STREET.grids)))))
    wait_for(before + count)


def test_redis_goes_away_and_comes_back():
    before = received()
    REDIS.stop()
    with WORLD.daemon.client(STREET.reporter()) as client:
        client.ask("submit", {k: v for k, v in report("by the other door").items() if k != "reporter"})
    REDIS.start()
    add(entry_of("report", report("after the pause")))
    wait_for(before + 2)


def test_a_killed_daemon_takes_up_its_entries():
    before, count = received(), 800
    for n in range(count):
        add(entry_of("report", report(f"before the kill {n}")))
        if n == count // 2:
            WORLD.daemon.kill()
    WORLD.daemon.start()
    wait_for(before + count)


def test_what_happens_comes_out_in_order_and_once():
    wait_until(lambda: last_event() == last_published(), "the events stream to be complete")
    ids = [int(entry[0].split(b"-")[0]) for entry in REDIS.command("XRANGE", EVENTS, "-", "+")]
    assert ids == sorted(set(ids)) and len(ids) > 2000, f"{len(ids)} events"


def last_event():
    with WORLD.daemon.client(SUPERVISOR) as client:
        return client.ask("subscribe", {"events": 1, "events_after": -1}).get("last_event", 0)


def last_published():
    newest = REDIS.command("XREVRANGE", EVENTS, "+", "-", "COUNT", "1")
    return int(newest[0][0].split(b"-")[0]) if newest else 0


run_tests(globals(), finish=lambda: WORLD.__exit__())
