#!/usr/bin/env python3
"""The Redis door: a real daemon and a real redis-server, either of which may be killed. What a platform or a camera
gateway wrote to its stream is carried out once, answered in the events stream, and acknowledged only when on disk."""
import random
import signal
import struct

from harness import CONTRACT, MONDAY_MS, Redis, Street, World, run_tests, uuid7, verify, wait_until
from wire import chunk, varint

STREET = Street()
REPORTS, CAMERAS = "gridloop:reports", "gridloop:cameras"
EVENTS, DEAD, GROUP = "gridloop:events", "gridloop:dead", "gridloop"
PLATFORM = STREET.one_with("gateway", kind="food-rider")
CAMERA_GATEWAY = STREET.one_with("cameras")
CAMERA = next(c for c in STREET.cameras if c["gateway"] == CAMERA_GATEWAY)
ACCEPTOR = STREET.one_with("acceptor")
CHANGES = {"redis_cameras_gateway": CAMERA_GATEWAY}


def world(**options):
    return World(changes=CHANGES, **options)


# ---- what producers write ----


def report(rider="rider-1", key=None, **values):
    return {"key": key or uuid7(MONDAY_MS), "category": STREET.category(),
            "place": STREET.place(random.randrange(len(STREET.grids)), random.random()),
            "description": f"report {random.getrandbits(48):x}",
            "reporter": {"id": rider, "kind": "FOOD_RIDER"}, **values}


def entry_bytes(body, values, gateway=PLATFORM, token=None):
    return CONTRACT.encode("StreamEntry", {"gateway": gateway, "token": token or f"demo-{gateway}", body: values})


def add(redis, body, values, stream=REPORTS, **who):
    return redis.command("XADD", stream, "*", "entry", entry_bytes(body, values, **who)).decode()


def fixed32(number, value):
    return varint(number << 3 | 5) + struct.pack("<f", value)


def frame(sensor, objects, number="1", at_ms=None):
    """A DeepStream Frame, by field number."""
    at_ms = at_ms or MONDAY_MS
    at = varint(1 << 3) + varint(at_ms // 1000) + varint(2 << 3) + varint(at_ms % 1000 * 1000000)
    body = chunk(1, b"4.0") + chunk(2, number.encode()) + chunk(3, at) + chunk(4, sensor.encode())
    for identity, label, confidence in objects:
        body += chunk(5, chunk(1, identity.encode()) + chunk(3, label.encode()) + fixed32(4, confidence))
    return body


# ---- what can be seen from outside ----


def rows(redis, stream):
    """[(id, fields)] of a stream; none when it is not there."""
    found = redis.command("XRANGE", stream, "-", "+")
    return [(i.decode(), {f[n].decode(): f[n + 1] for n in range(0, len(f), 2)}) for i, f in found]


def events(redis, act=None):
    return [{name: value.decode() for name, value in fields.items()} for _, fields in rows(redis, EVENTS)
            if act in (None, fields["act"].decode())]


def pending(redis, stream=REPORTS):
    try:
        return redis.command("XPENDING", stream, GROUP)[0]
    except AssertionError:  # no such group yet
        return -1


def all_read(redis, stream=REPORTS):
    """Everything in the stream was delivered and acknowledged."""
    groups = redis.command("XINFO", "GROUPS", stream)
    info = redis.command("XINFO", "STREAM", stream)
    info = dict(zip(info[::2], info[1::2]))
    for group in groups:
        group = dict(zip(group[::2], group[1::2]))
        if group[b"name"].decode() == GROUP:
            return group[b"pending"] == 0 and group[b"last-delivered-id"] == info[b"last-generated-id"]
    return False


def wait_read(redis, stream=REPORTS):
    wait_until(lambda: all_read(redis, stream), f"{stream} to be read and acknowledged")


def cases(daemon, **filters):
    """Every case, newest first."""
    found, cursor = [], ""
    with daemon.client(ACCEPTOR) as client:
        while True:
            page = client.ask("list_cases", {"limit": 100, "cursor": cursor, **filters})
            found += page["cases"]
            cursor = page.get("next_cursor", "")
            if not cursor:
                return found


def assert_each_once(daemon, riders):
    """One case for each rider's one report, neither lost nor doubled."""
    got = sorted(c["reporter"] for c in cases(daemon))
    assert got == sorted(f"{PLATFORM}/{r}" for r in riders), f"{len(got)} cases for {len(riders)} reports"


# ---- tests ----


def test_reports_are_answered_in_the_events_stream():
    with world() as w:
        for rider in ("rider-1", "rider-2", "rider-3"):
            add(w.redis, "report", report(rider))
        wait_read(w.redis)
        told = wait_until(lambda: len(events(w.redis, "submit")) == 3 and events(w.redis, "submit"), "three events")
        assert [e["reporter"] for e in told] == [f"{PLATFORM}/rider-{n}" for n in (1, 2, 3)], told
        assert all(e["to"] == "REPORTED" and e["from"] in ("", "NONE") and e["category"] == STREET.category()
                   for e in told), told
        assert sorted(c["number"] for c in cases(w.daemon)) == sorted(e["case"] for e in told)
        assert [i for i, _ in rows(w.redis, EVENTS)] == [f"{n + 1}-0" for n in range(len(rows(w.redis, EVENTS)))]
        withdrawn = told[0]["case"]
        add(w.redis, "action", {"case_number": withdrawn, "act": "ACT_WITHDRAW", "reporter": {"id": "rider-1"}})
        wait_read(w.redis)
        assert rows(w.redis, DEAD) == []
        gone = wait_until(lambda: events(w.redis, "withdraw"), "the withdrawal's event")
        assert gone[0]["case"] == withdrawn and gone[0]["to"] == "CANCELLED", gone


def test_the_same_key_by_either_door_is_one_case():
    with world() as w:
        mine = report("rider-9")
        with w.daemon.client(PLATFORM) as client:
            first = client.ask("submit", mine)
        add(w.redis, "report", mine)
        add(w.redis, "report", mine)  # a producer's retry: another entry, the same key
        wait_read(w.redis)
        assert rows(w.redis, DEAD) == []
        with w.daemon.client(PLATFORM) as client:
            again = client.ask("submit", mine)
        assert again["case_number"] == first["case_number"] and again["again"], again
        assert len(cases(w.daemon)) == 1
        add(w.redis, "report", {**mine, "description": "something else under the same key"})
        wait_read(w.redis)
        assert [f["reason"] for _, f in rows(w.redis, DEAD)] == [b"key-reused"]


def test_poison_goes_to_the_dead_letters():
    with world() as w:
        junk = b"\xff\xfe\x00 not a message"
        expected = [
            (w.redis.command("XADD", REPORTS, "*", "entry", junk), b"malformed", junk),
            (w.redis.command("XADD", REPORTS, "*", "something", "else"), b"malformed", b"else"),
            (add(w.redis, "report", report(), gateway="nobody"), b"bad-credentials", None),
            (add(w.redis, "report", report(), token="wrong"), b"bad-credentials", None),
            (add(w.redis, "report", report(), gateway=STREET.reporter()), b"bad-credentials", None),
            (add(w.redis, "report", report(key=b"short")), b"invalid", None),
            (add(w.redis, "report", report(category="E9999")), b"unknown-category", None),
            (add(w.redis, "report", report(description=b"\xc3\x28")), b"invalid", None),
            (w.redis.command("XADD", REPORTS, "*", "entry", b"x" * 40000), b"too-large", None),
            (w.redis.command("XADD", REPORTS, "*", "metadata", frame(CAMERA["camera"], [])), b"not-allowed", None),
        ]
        good = report("rider-5")
        add(w.redis, "report", good)
        wait_read(w.redis)
        dead = {fields["id"].decode(): fields for _, fields in rows(w.redis, DEAD)}
        assert len(dead) == len(expected), f"{len(dead)} dead letters for {len(expected)} bad entries"
        for identity, reason, raw in expected:
            fields = dead[identity.decode() if isinstance(identity, bytes) else identity]
            assert fields["stream"].decode() == REPORTS and fields["reason"] == reason, fields
            assert fields["rule"] and fields["sentence"], fields
            assert raw is None or fields["bytes"] == raw, fields
        assert_each_once(w.daemon, ["rider-5"])


def test_camera_alerts_are_merged():
    with world() as w:
        at, label = MONDAY_MS, CAMERA["label"]
        sees = [("7", label, 0.97), ("8", label, 0.93), ("9", "unicorn", 0.99), ("10", label, 0.01)]
        w.redis.command("XADD", CAMERAS, "*", "metadata", frame(CAMERA["camera"], sees, "41", at))
        w.redis.command("XADD", CAMERAS, "*", "metadata", frame(CAMERA["camera"], sees, "41", at))  # sent again
        wait_read(w.redis, CAMERAS)
        assert rows(w.redis, DEAD) == []
        found = cases(w.daemon)
        assert len(found) == 1 and found[0]["state"] == "ALARM_PENDING", found
        count = lambda: w.daemon.client(ACCEPTOR).ask("get_case", {"case_number": found[0]["number"]})["alarm_count"]
        assert count() == 1
        w.redis.command("XADD", CAMERAS, "*", "key", CAMERA["camera"], "value",
                        frame(CAMERA["camera"], sees, "42", at + 40), "headers", "{}")
        add(w.redis, "alarm", {"key": uuid7(at), "camera": CAMERA["camera"], "label": label, "confidence": 0.9,
                               "seen_at_ms": at + 80}, stream=CAMERAS, gateway=CAMERA_GATEWAY)
        wait_read(w.redis, CAMERAS)
        assert rows(w.redis, DEAD) == []
        assert len(cases(w.daemon)) == 1 and count() == 3
        w.redis.command("XADD", CAMERAS, "*", "metadata", frame("no-such-camera", sees))
        w.redis.command("XADD", CAMERAS, "*", "metadata", '{"sensorId": "' + CAMERA["camera"] + '"}')
        wait_read(w.redis, CAMERAS)
        assert [f["reason"] for _, f in rows(w.redis, DEAD)] == [b"unknown-person", b"malformed"]


def test_redis_is_killed_and_comes_back():
    with world() as w:
        riders = []
        for n in range(5):
            for _ in range(40):
                riders.append(f"rider-{len(riders)}")
                add(w.redis, "report", report(riders[-1]))
            w.redis.process.send_signal(signal.SIGKILL)
            w.redis.process.wait()
            with w.daemon.client(ACCEPTOR) as client:  # the other door does not mind
                client.ask("ping", {"payload": b"there?"})
            w.redis.start()
        wait_read(w.redis)
        assert rows(w.redis, DEAD) == []
        assert_each_once(w.daemon, riders)
        wait_until(lambda: len(events(w.redis, "submit")) == len(riders), "an event for each report")


def group_of(redis, stream=REPORTS):
    """What XINFO says of our group: entries read so far, pending ones, last one delivered."""
    info = redis.command("XINFO", "GROUPS", stream)[0]
    return dict(zip((name.decode() for name in info[::2]), info[1::2]))


def kill_at_work(w, riders, count):
    """Gives the daemon so many reports at once and kills it when it has acknowledged some of them."""
    wait_read(w.redis)
    w.daemon.process.send_signal(signal.SIGSTOP)
    for _ in range(count):
        riders.append(f"rider-{len(riders)}")
        add(w.redis, "report", report(riders[-1]))
    wanted = group_of(w.redis)["entries-read"] + random.randint(1, count)
    w.daemon.process.send_signal(signal.SIGCONT)
    wait_until(lambda: (g := group_of(w.redis))["entries-read"] - g["pending"] >= wanted, "some acknowledgements")
    w.daemon.kill()


def test_the_daemon_is_killed_with_entries_pending():
    with world() as w:
        wait_until(lambda: pending(w.redis) == 0, "the group")
        add(w.redis, "report", report("rider-0"))
        riders, left = ["rider-0"], 0
        for _ in range(5):
            kill_at_work(w, riders, 400)
            left += pending(w.redis)
            w.daemon.start()
        wait_read(w.redis)
        assert rows(w.redis, DEAD) == []
        assert_each_once(w.daemon, riders)
        wait_until(lambda: len(events(w.redis, "submit")) == len(riders), "an event for each report")
        w.daemon.stop()
        verify(w.daemon)
        print(f"{len(riders)} reports, 5 kills, {left} entries pending at them")


def test_what_a_dead_daemon_had_taken_is_read_again():
    """Entries delivered to this consumer, and to another one, and never acknowledged."""
    with world() as w:
        wait_until(lambda: pending(w.redis) == 0, "the group")
        w.daemon.kill()
        add(w.redis, "report", report("rider-1"))
        w.redis.command("XREADGROUP", "GROUP", GROUP, "gridloopd", "STREAMS", REPORTS, ">")
        add(w.redis, "report", report("rider-2"))
        w.redis.command("XREADGROUP", "GROUP", GROUP, "another", "STREAMS", REPORTS, ">")
        w.redis.command("XCLAIM", REPORTS, GROUP, "another", 0, rows(w.redis, REPORTS)[1][0], "IDLE", 3600000)
        assert pending(w.redis) == 2
        w.daemon.start()
        wait_read(w.redis)
        assert_each_once(w.daemon, ["rider-1", "rider-2"])


def test_nothing_is_acknowledged_before_its_commit():
    """The daemon is killed in the middle of its work: whatever Redis has as acknowledged, the database has."""
    with world() as w:
        wait_until(lambda: pending(w.redis) == 0, "the group")
        add(w.redis, "report", report("rider-0"))
        riders = ["rider-0"]
        kill_at_work(w, riders, 1500)
        waiting = {row[0] for row in w.redis.command("XPENDING", REPORTS, GROUP, "-", "+", 2000)}
        entries = [i.encode() for i, _ in rows(w.redis, REPORTS)]
        read = entries[:entries.index(group_of(w.redis)["last-delivered-id"]) + 1]
        acknowledged = [f"{PLATFORM}/{riders[n]}" for n, i in enumerate(read) if i not in waiting]
        w.redis.stop()  # so that nothing is read again
        w.daemon.start()
        there = {c["reporter"] for c in cases(w.daemon)}
        lost = [rider for rider in acknowledged if rider not in there]
        assert acknowledged and not lost, f"{len(lost)} of {len(acknowledged)} acknowledged reports are not on disk"
        print(f"{len(acknowledged)} acknowledged and there, {len(waiting)} pending at the kill")


def test_the_group_is_missing():
    with world() as w:
        add(w.redis, "report", report("rider-1"))
        wait_read(w.redis)
        w.redis.command("XGROUP", "DESTROY", REPORTS, GROUP)
        add(w.redis, "report", report("rider-2"))
        wait_until(lambda: pending(w.redis) == 0, "the group to be made again")
        wait_read(w.redis)
        assert_each_once(w.daemon, ["rider-1", "rider-2"])
        assert rows(w.redis, DEAD) == []


def test_the_streams_are_emptied():
    with world() as w:
        add(w.redis, "report", report("rider-1"))
        wait_read(w.redis)
        w.redis.command("FLUSHALL")
        add(w.redis, "report", report("rider-2"))
        wait_until(lambda: pending(w.redis) == 0, "the group to be made again")
        wait_read(w.redis)
        assert_each_once(w.daemon, ["rider-1", "rider-2"])
        told = wait_until(lambda: len(events(w.redis, "submit")) == 2, "the events, published again")
        assert told
        w.redis.command("XTRIM", REPORTS, "MAXLEN", 0)
        add(w.redis, "report", report("rider-3"))
        wait_read(w.redis)
        assert_each_once(w.daemon, ["rider-1", "rider-2", "rider-3"])


def test_entries_trimmed_while_pending():
    with world() as w:
        wait_until(lambda: pending(w.redis) == 0, "the group")
        w.daemon.kill()
        identity = add(w.redis, "report", report("rider-1"))
        w.redis.command("XREADGROUP", "GROUP", GROUP, "gridloopd", "STREAMS", REPORTS, ">")
        w.redis.command("XTRIM", REPORTS, "MAXLEN", 0)
        w.daemon.start()
        dead = wait_until(lambda: rows(w.redis, DEAD), "the dead letter")
        assert [(f["id"].decode(), f["reason"]) for _, f in dead] == [(identity, b"trimmed")], dead
        wait_until(lambda: pending(w.redis) == 0, "its acknowledgement")


def test_redis_is_down_at_the_start():
    w = World(with_redis=False, changes=CHANGES)
    redis = Redis(w.folder)
    w.daemon = type(w.daemon)(w.folder, redis, CHANGES)
    try:
        w.daemon.start()
        with w.daemon.client(STREET.reporter()) as client:
            answer = client.ask("submit", {"key": uuid7(MONDAY_MS), "category": STREET.category(), "description": "by phone"})
        assert answer["case_number"], answer
        redis.start()
        add(redis, "report", report("rider-1"))
        wait_until(lambda: pending(redis) >= 0, "the daemon to find Redis")
        wait_read(redis)
        wait_until(lambda: len(events(redis, "submit")) == 2, "both events, the one from before too")
        w.daemon.stop()
    finally:
        redis.stop()
        w.close()


def test_stopping_leaves_nothing_half_done():
    with world() as w:
        riders = [f"rider-{n}" for n in range(300)]
        for rider in riders:
            add(w.redis, "report", report(rider))
        w.daemon.stop()  # asks for exit code 0
        w.daemon.start()
        wait_read(w.redis)
        assert_each_once(w.daemon, riders)
        assert rows(w.redis, DEAD) == []


if __name__ == "__main__":
    run_tests(globals())
