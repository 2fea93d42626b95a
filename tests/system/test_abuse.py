#!/usr/bin/env python3
"""Too much, and points in doubt, through the real daemon: who asks too fast is told when to come again; a day's reports
have a cap that a restart remembers; a photo seen under another report holds the points for a supervisor, restart or not."""
import time

from harness import CONTRACT, MONDAY_MS, SAMPLE, Refused, Street, World, jpeg, run_tests, uuid7, verify, wait_until

STREET = Street()
RESIDENTS = STREET.all_with("reporter", kind="resident")
ALICE, BOB, CAROL, DAVE = RESIDENTS[:4]
ACCEPTOR, SUPERVISOR = STREET.one_with("acceptor"), STREET.one_with("supervisor")
PLATFORM = STREET.one_with("gateway", kind="food-rider")
WORLD = World(changes={"jurisdiction": SAMPLE})


def refusal(rule, act):
    try:
        got = act()
    except Refused as why:
        assert why.rule == rule, f"refused by {why.rule} instead of {rule}: {why}"
        return why
    raise AssertionError(f"{rule} was not enforced; came {got}")


def report(now_ms, nudge=0.0, **values):
    return {"key": uuid7(now_ms), "category": STREET.category(), "place": STREET.place(nudge=nudge),
            "description": "太多", **values}


def test_a_day_has_a_cap_that_a_restart_remembers():
    WORLD.daemon.start().set_time(MONDAY_MS)
    with WORLD.daemon.client(ALICE) as client:
        for i in range(20):
            client.ask("submit", report(MONDAY_MS, nudge=i / 40))
        why = refusal("reports-a-day-at-most", lambda: client.ask("submit", report(MONDAY_MS)))
        assert why.code == "RATE_LIMITED" and 0 < why.retry_after_ms <= 24 * 3600 * 1000, why.retry_after_ms
    WORLD.daemon.kill()
    WORLD.daemon.start()
    with WORLD.daemon.client(ALICE) as client:
        refusal("reports-a-day-at-most", lambda: client.ask("submit", report(MONDAY_MS)))
        client.ask("submit", report(MONDAY_MS + why.retry_after_ms), replay_at_ms=MONDAY_MS + why.retry_after_ms)
    with WORLD.daemon.client(BOB) as client:
        client.ask("submit", report(MONDAY_MS))


def received():
    with WORLD.daemon.client(SUPERVISOR) as client:
        return client.ask("get_stats", {"by": "BY_ALL"})["total"].get("received", 0)


def pending():
    return WORLD.redis.command("XPENDING", "gridloop:reports", "gridloop")[0]


def add(values):
    WORLD.redis.command("XADD", "gridloop:reports", "*", "entry", CONTRACT.encode("StreamEntry", {
        "gateway": PLATFORM, "token": f"demo-{PLATFORM}", "report": values}))


def letters():
    found = [dict(zip(fields[::2], fields[1::2])) for _, fields in WORLD.redis.command("XRANGE", "gridloop:dead", "-", "+")]
    return [{k.decode(): v.decode() for k, v in letter.items() if k != b"bytes"} for letter in found]


def test_a_day_s_cap_in_redis_is_a_letter_that_says_when():
    with WORLD.daemon.client(PLATFORM) as client:
        now = client.now_ms
    before, rider = received(), {"id": "rider-in-haste", "kind": "FOOD_RIDER"}
    for i in range(20):
        add(report(now, nudge=i / 40, reporter=rider))
    over = report(now, nudge=0.7, reporter=rider)
    add(over)
    add(report(now, nudge=0.8, reporter={"id": "another", "kind": "FOOD_RIDER"}))
    wait_until(lambda: received() == before + 21, "all but the one over the cap")
    wait_until(lambda: pending() == 0, "every entry to be acknowledged")
    letter, = letters()
    assert (letter["stream"], letter["reason"], letter["rule"]) == ("gridloop:reports", "rate-limited", "reports-a-day-at-most")
    assert "tomorrow" in letter["sentence"] and 0 < int(letter["retry_after_ms"]) <= 24 * 3600 * 1000, letter
    WORLD.daemon.set_time(now + int(letter["retry_after_ms"]))
    add(over)
    wait_until(lambda: received() == before + 22, "the same entry to pass the next day")
    add({**over, "key": b"short"})
    wait_until(lambda: len(letters()) == 2, "the letter of one that never passes")
    assert len(letters()) == 2 and letters()[1]["retry_after_ms"] == "0", letters()
    WORLD.redis.command("DEL", "gridloop:dead")


def test_a_photo_seen_before_is_a_doubt_even_after_a_restart():
    photo, other = jpeg(60_000), jpeg(50_000)
    with WORLD.daemon.client(BOB) as client:
        first = client.ask("submit", report(MONDAY_MS, evidence=[{"sha256": client.upload(photo), "role": "NEAR"}]))
    WORLD.daemon.kill()
    WORLD.daemon.start()
    with WORLD.daemon.client(CAROL) as client:
        copy = client.ask("submit", report(MONDAY_MS, nudge=0.5, evidence=[{"sha256": client.upload(photo), "role": "NEAR"}]))
        new = client.ask("submit", report(MONDAY_MS, nudge=0.7, evidence=[{"sha256": client.upload(other), "role": "NEAR"}]))
    with WORLD.daemon.client(SUPERVISOR) as client:
        listed = client.ask("list_cases", {"doubted": True})["cases"]
        assert [(c["number"], c["doubts"]) for c in listed] == [(copy["case_number"], "photo")], listed
        view = client.ask("get_case", {"case_number": copy["case_number"]})
        event = next(e for e in view["history"] if e["act"] == "ACT_DOUBT")
        assert event["ref"] == "photo" and event["text"].endswith(first["case_number"]), event
        assert "doubts" not in client.ask("get_case", {"case_number": new["case_number"]})["summary"]
    WORLD.daemon.stop()
    verify(WORLD.daemon)


def test_who_asks_too_fast_is_told_when_to_come_again():
    WORLD.configure({"jurisdiction": SAMPLE, "clock": "system", "rate_reporter": 6, "rate_staff": 0, "rate_gateway": 0,
                     "database": WORLD.daemon.database + ".rates"})
    WORLD.daemon.start()
    now = int(time.time() * 1000)
    with WORLD.daemon.client(DAVE) as client:
        batch = client.ask("submit_batch", {"reports": [report(now, nudge=i / 8) for i in range(5)]})
        assert all("answer" in outcome for outcome in batch["outcomes"]), batch
        last = report(now, nudge=0.8)
        client.ask("submit", last)
        why = refusal("requests-a-minute-at-most", lambda: client.ask("submit", report(now)))
        assert why.code == "RATE_LIMITED" and 0 < why.retry_after_ms <= 10_000, why.retry_after_ms
        refusal("requests-a-minute-at-most", lambda: client.ask("submit", last))
        assert "now_ms" in client.ask("ping", {}), "a ping is free"
        # A second connection of the same person is the same person.
        with WORLD.daemon.client(DAVE) as again:
            refusal("requests-a-minute-at-most", lambda: again.ask("submit", last))
    with WORLD.daemon.client(ACCEPTOR) as client:
        for _ in range(30):
            client.ask("list_cases", {"limit": 1})


def test_a_reload_changes_the_rate():
    WORLD.daemon.write_config({"rate_reporter": 0})
    with WORLD.daemon.client(SUPERVISOR) as client:
        client.ask("reload", {})
    now = int(time.time() * 1000)
    with WORLD.daemon.client(DAVE) as client:
        for i in range(10):
            client.ask("submit", report(now, nudge=i / 16))
    WORLD.daemon.stop()


def test_a_fast_platform_waits_in_redis_and_loses_nothing():
    WORLD.configure({"jurisdiction": SAMPLE, "clock": "system", "rate_gateway": 120,
                     "database": WORLD.daemon.database + ".redis"})
    for i in range(124):
        add(report(int(time.time() * 1000), nudge=i / 200, reporter={"id": f"rider-{i}", "kind": "FOOD_RIDER"}))
    WORLD.daemon.start()
    wait_until(lambda: received() >= 120, "a minute's worth")
    wait_until(lambda: received() == 124, "the rest, half a second each")
    wait_until(lambda: pending() == 0, "all to be acknowledged")
    # As fast as it likes from the reload on: these would take a minute.
    WORLD.daemon.write_config({"rate_gateway": 0})
    with WORLD.daemon.client(SUPERVISOR) as client:
        client.ask("reload", {})
    for i in range(120):
        add(report(int(time.time() * 1000), nudge=i / 200, reporter={"id": f"rider-{i}", "kind": "FOOD_RIDER"}))
    wait_until(lambda: received() == 244, "what came after the reload")
    assert WORLD.redis.command("XLEN", "gridloop:dead") == 0
    WORLD.daemon.stop()


if __name__ == "__main__":
    run_tests(globals(), WORLD.close)
