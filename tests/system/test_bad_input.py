#!/usr/bin/env python3
"""What no honest client sends. Every piece of it must be refused in words or cost the sender its connection, and must
cost nobody else anything: after each test an honest client is served as before."""
import random
import socket
import time

from harness import CONTRACT, DAY_MS, FRAME_MOST, MONDAY_MS, PATIENCE, Refused, Street, World, run_tests, uuid7, wait_until
from wire import chunk, frame, varint

STREET = Street()
WORLD = World(with_redis=False, changes={"login_failures": 0})  # who guesses has to wait: test_identity.py
WORLD.__enter__()
RESIDENT, ACCEPTOR, SUPERVISOR = STREET.reporter(), STREET.one_with("acceptor"), STREET.one_with("supervisor")


def connect(who=None):
    return WORLD.daemon.client(who)


def still_serves():
    assert WORLD.daemon.is_alive(), WORLD.daemon.log_tail()
    with connect(RESIDENT) as client:
        assert client.ask("ping", {"payload": b"still there"})["payload"] == b"still there"


def report(client, **changes):
    return {"key": client.new_key(), "category": STREET.category(), "place": STREET.place(), **changes}


def client_frame(seq, body):
    return frame(varint(1 << 3) + varint(seq) + body)


def refusal_of(client, act, *codes):
    """The refusal that act meets; it must have one of these codes, a rule's name, and a sentence."""
    try:
        got = act()
    except Refused as why:
        assert why.code in codes, f"refused as {why}, expected one of {codes}"
        assert why.rule and len(why.sentence) > 10, f"a refusal without its rule or sentence: {why}"
        return why
    raise AssertionError(f"it was answered with {got}, expected one of {codes}")


def refusal_or_close(client):
    """Bytes that are no frame: a refusal that belongs to no question, then the end; or just the end."""
    got = client.receive()
    if got is None:
        return None
    assert "refusal" in got, f"answered with {got}"
    assert got["refusal"]["code"] in ("MALFORMED", "TOO_LARGE", "UNKNOWN_MESSAGE"), got
    return got["refusal"]


def test_bytes_that_are_no_message():
    for garbage in (b"\xff" * 20, b"\x00" * 7, b"\x52\x05hello", b"\x0a", b"\x08", b"\x53\x54", b"\x07\x01",
                    varint(10 << 3 | 2) + varint(1000), b"\x80" * 12):
        with connect() as client:
            client.send_bytes(frame(garbage))
            refusal_or_close(client)
    still_serves()


def test_a_length_with_no_end():
    for head in (b"\xff" * 11, b"\x80" * 10 + b"\x01", b"\x80\x80\x80\x80\x80\x00"):
        with connect() as client:
            client.send_bytes(head)
            refusal_or_close(client)
            assert client.receive() is None, "the connection stays open although its framing is lost"
    still_serves()


def test_frames_over_the_limit():
    for length in (FRAME_MOST + 1, 1 << 20, (1 << 31) - 1, (1 << 32) - 1):
        with connect(RESIDENT) as client:
            client.send_bytes(varint(length) + b"\x08\x01")
            refusal = refusal_or_close(client)
            assert refusal is None or refusal["code"] in ("TOO_LARGE", "MALFORMED")
    still_serves()


def test_the_largest_frame_there_may_be_is_read():
    with connect(RESIDENT) as client:
        body = CONTRACT.encode("ClientFrame", {"seq": 9, "ping": {"payload": b"x"}})
        filler = FRAME_MOST - len(body) - 5
        client.send_bytes(frame(body + chunk(5000, b"f" * filler)[:FRAME_MOST - len(body)]))
        got = client.receive()
        assert got is not None and got.get("seq", 0) in (0, 9), got
    still_serves()


def test_a_frame_that_never_ends():
    whole = frame(CONTRACT.encode("ClientFrame", {"seq": 1, "ping": {"payload": b"x" * 40}}))
    for cut in range(1, len(whole)):
        with connect() as client:
            client.send_bytes(whole[:cut])
            client.socket.shutdown(socket.SHUT_WR)
            while client.receive() is not None:
                pass
    still_serves()


def test_unknown_messages():
    with connect(RESIDENT) as client:
        for body in (b"", chunk(99, b""), chunk(536870911, b"x"), varint(10 << 3 | 0) + b"\x05"):
            client.seq += 1
            client.send_bytes(client_frame(client.seq, body))
            refusal_of(client, lambda: client.reply_to(client.seq), "UNKNOWN_MESSAGE", "MALFORMED", "INVALID")
    still_serves()


def test_fields_of_later_versions_are_passed_over():
    with connect(RESIDENT) as client:
        client.seq += 1
        client.send_bytes(client_frame(client.seq, chunk(23, chunk(1, b"hi") + chunk(77, b"new")) + chunk(3000, b"new")))
        assert client.reply_to(client.seq)["payload"] == b"hi"


def test_frames_cut_at_each_byte_and_glued_together():
    with connect(RESIDENT) as client:
        frames = [client_frame(n, chunk(23, chunk(1, b"%d" % n))) for n in range(101, 104)]
        for byte in frames[0]:
            client.send_bytes(bytes([byte]))
        assert client.reply_to(101)["payload"] == b"101"
        client.send_bytes(frames[1] + frames[2][:3])
        assert client.reply_to(102)["payload"] == b"102"
        client.send_bytes(frames[2][3:])
        assert client.reply_to(103)["payload"] == b"103"


def test_random_bytes():
    seed = random.randrange(1 << 32)
    print(f"random bytes from seed {seed}")
    source = random.Random(seed)
    login = CONTRACT.encode("ClientFrame", {"seq": 1, "login": {"who": RESIDENT, "token": f"demo-{RESIDENT}"}})
    good = CONTRACT.encode("ClientFrame", {"seq": 2, "submit": {
        "key": uuid7(MONDAY_MS), "category": STREET.category(), "place": STREET.place(), "photos": ["a", "b"]}})
    for _ in range(150):
        broken = bytearray(good)
        for _ in range(source.randint(1, 6)):
            broken[source.randrange(len(broken))] = source.randrange(256)
        with connect() as client:
            client.send_bytes(frame(login) + frame(bytes(broken)))
            client.socket.shutdown(socket.SHUT_WR)
            while client.receive() is not None:
                pass
    still_serves()


def test_a_wrong_token():
    with connect() as client:
        words = {refusal_of(client, lambda who=who, token=token: client.login(who, token), "BAD_CREDENTIALS").sentence
                 for who, token in ((RESIDENT, "wrong"), ("nobody", "demo-nobody"), (RESIDENT, "demo-" + ACCEPTOR))}
        assert len(words) == 1, f"the words tell which names exist: {words}"
    still_serves()


def test_guessing_tokens_is_slowed_or_cut_off():
    with connect() as client:
        try:
            for n in range(200):
                refusal_of(client, lambda: client.login(RESIDENT, f"guess-{n}"), "BAD_CREDENTIALS", "RATE_LIMITED")
        except ConnectionError:
            return
        raise AssertionError("two hundred wrong tokens on one connection, and it is still open")


def test_nothing_without_login():
    with connect() as client:
        for body in ("submit", "submit_batch", "action", "alarm", "get_case", "list_cases", "get_points", "get_stats",
                     "subscribe", "list_notices", "notices_seen", "points_entry", "advance_clock"):
            refusal_of(client, lambda body=body: client.ask(body), "NOT_LOGGED_IN")


def test_texts_that_are_no_text():
    with connect(RESIDENT) as client:
        for bad in (b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"cut \xe5\x9e", b"nul \x00 inside", b"bell \x07", b"\x1b[31m"):
            refusal_of(client, lambda bad=bad: client.ask("submit", report(client, description=bad)), "INVALID", "MALFORMED")
            refusal_of(client, lambda bad=bad: client.ask("get_case", {"case_number": bad}), "INVALID", "UNKNOWN_CASE", "MALFORMED")
    still_serves()


def test_texts_that_are_too_long():
    with connect(RESIDENT) as client:
        refusal_of(client, lambda: client.ask("submit", report(client, description="长" * 10000)), "TOO_LARGE", "INVALID")
        refusal_of(client, lambda: client.ask("submit", report(client, photos=["p"] * 9)), "TOO_LARGE", "INVALID")
        refusal_of(client, lambda: client.ask("ping", {"payload": b"x" * 65}), "TOO_LARGE", "INVALID")
        batch = {"reports": [report(client) for _ in range(65)]}
        refusal_of(client, lambda: client.ask("submit_batch", batch), "TOO_LARGE", "INVALID")


def test_places_that_are_nowhere():
    nan, infinity = float("nan"), float("inf")
    with connect(RESIDENT) as client:
        for lat, lon in ((nan, 0.0), (0.0, nan), (infinity, 0.0), (91.0, 0.0), (-90.1, 0.0), (0.0, 180.1), (1e308, -1e308)):
            place = {"lat": lat, "lon": lon}
            refusal_of(client, lambda place=place: client.ask("submit", report(client, place=place)), "INVALID")
        refusal_of(client, lambda: client.ask("submit", report(client, place={**STREET.place(), "datum": 7})), "INVALID")


def test_a_place_outside_the_street_is_to_be_located():
    with connect(RESIDENT) as client:
        number = client.ask("submit", report(client, place={"lat": -33.9, "lon": 18.4}))["case_number"]
    with connect(SUPERVISOR) as client:
        assert not client.ask("get_case", {"case_number": number})["summary"].get("grid")


def test_times_that_cannot_be():
    with connect(RESIDENT) as client:
        for at in (-1, 1 << 62, client.now_ms + 400 * DAY_MS):
            refusal_of(client, lambda at=at: client.ask("submit", report(client, seen_at_ms=at)), "INVALID")
    still_serves()


def test_keys_that_are_no_keys():
    with connect(RESIDENT) as client:
        for key in (b"", b"x", b"x" * 15, b"x" * 17, b"\x00" * 16, b"x" * 3000):
            refusal_of(client, lambda key=key: client.ask("submit", report(client, key=key)), "INVALID", "TOO_LARGE")


def test_words_nobody_knows():
    with connect(RESIDENT) as client:
        for category in ("", "E9998", "X0110", "E01", "0110", "E01100", "E0110; DROP TABLE open_case"):
            refusal_of(client, lambda c=category: client.ask("submit", report(client, category=c)),
                       "UNKNOWN_CATEGORY", "INVALID", "TOO_LARGE")
        for number in ("", "E0110", "E01102026030299999", "E01102026139900001", "E0110" + "9" * 30, "' OR 1=1 --"):
            refusal_of(client, lambda n=number: client.ask("get_case", {"case_number": n}), "UNKNOWN_CASE", "INVALID")
    with connect(SUPERVISOR) as client:
        for act in (99, -1, "ACT_UNSET", "ACT_EXPIRE", "ACT_ESCALATE", "ACT_REWARD", "ACT_FOLLOW"):
            with connect(RESIDENT) as reporter:
                number = reporter.ask("submit", report(reporter))["case_number"]
            action = {"key": client.new_key(), "case_number": number, "act": act}
            refusal_of(client, lambda a=action: client.ask("action", a), "INVALID", "NOT_ALLOWED", "WRONG_STATE", "RULE_BROKEN")


def test_people_units_and_cameras_nobody_knows():
    with connect(RESIDENT) as reporter:
        number = reporter.ask("submit", report(reporter))["case_number"]
    with connect(ACCEPTOR) as client:
        verify = {"key": client.new_key(), "case_number": number, "act": "ACT_VERIFY", "unit": "nobody-at-all"}
        refusal_of(client, lambda: client.ask("action", verify), "UNKNOWN_PERSON")
        filed = {"key": client.new_key(), "case_number": number, "act": "ACT_FILE", "grid": "999999999999999"}
        refusal_of(client, lambda: client.ask("action", filed), "UNKNOWN_PERSON")
    with connect(STREET.cameras[0]["gateway"]) as client:
        for camera, label in (("no-such-camera", STREET.cameras[0]["label"]), (STREET.cameras[0]["camera"], "unicorn")):
            alarm = {"key": client.new_key(), "camera": camera, "label": label, "confidence": 0.9}
            refusal_of(client, lambda a=alarm: client.ask("alarm", a), "UNKNOWN_PERSON", "UNKNOWN_CATEGORY")


def test_actions_out_of_order():
    with connect(RESIDENT) as reporter, connect(SUPERVISOR) as supervisor, connect(ACCEPTOR) as acceptor:
        number = reporter.ask("submit", report(reporter))["case_number"]
        for act in ("ACT_SIGN", "ACT_HANDLED", "ACT_CHECK", "ACT_PASS", "ACT_REVIEW", "ACT_REOPEN"):
            action = {"key": supervisor.new_key(), "case_number": number, "act": act, "rating": "SATISFIED", "text": "x"}
            refusal_of(supervisor, lambda a=action: supervisor.ask("action", a), "WRONG_STATE", "NOT_ALLOWED")
        action = {"key": reporter.new_key(), "case_number": number, "act": "ACT_FILE"}
        refusal_of(reporter, lambda: reporter.ask("action", action), "NOT_ALLOWED")
        assert reporter.ask("action", {"key": reporter.new_key(), "case_number": number, "act": "ACT_WITHDRAW"})["state"] == "CANCELLED"
        action = {"key": acceptor.new_key(), "case_number": number, "act": "ACT_FILE"}
        refusal_of(acceptor, lambda: acceptor.ask("action", action), "WRONG_STATE", "UNKNOWN_CASE")


def test_rights_are_not_taken():
    with connect(RESIDENT) as client:
        refusal_of(client, lambda: client.ask("advance_clock", {"to_ms": MONDAY_MS + DAY_MS}), "NOT_ALLOWED")
        refusal_of(client, lambda: client.ask("get_stats", {"by": "BY_ALL"}), "NOT_ALLOWED")
        entry = {"key": client.new_key(), "person": RESIDENT, "points": 1000, "correction": 1, "text": "mine"}
        refusal_of(client, lambda: client.ask("points_entry", entry), "NOT_ALLOWED")
        named = report(client, reporter={"id": "somebody-else", "kind": "RESIDENT"})
        refusal_of(client, lambda: client.ask("submit", named), "NOT_ALLOWED", "INVALID")
        alarm = {"key": client.new_key(), "camera": STREET.cameras[0]["camera"], "label": STREET.cameras[0]["label"]}
        refusal_of(client, lambda: client.ask("alarm", alarm), "NOT_ALLOWED")


def test_a_slow_loris_keeps_nobody_waiting():
    lorises = [connect() for _ in range(100)]
    try:
        for loris in lorises:
            loris.send_bytes(b"\x20\x08")
        still_serves()
        started = time.monotonic()
        with connect(RESIDENT) as client:
            for _ in range(50):
                client.ask("ping", {"payload": b"x"})
        assert time.monotonic() - started < PATIENCE / 2
    finally:
        for loris in lorises:
            loris.close()


def test_one_who_asks_and_never_reads():
    """Back-pressure: the daemon stops reading from it; its memory does not grow with what it is owed."""
    with connect(RESIDENT) as client:
        before = WORLD.daemon.memory_kib()
        question = client_frame(7, chunk(23, chunk(1, b"x" * 64)))
        client.socket.setblocking(False)
        sent, limit = 0, time.monotonic() + 10
        while time.monotonic() < limit and sent < 64 << 20:
            try:
                sent += client.socket.send(question * 500)
            except BlockingIOError:
                if not wait_writable(client.socket):
                    break
            except ConnectionError:
                break
        else:
            raise AssertionError(f"{sent} bytes of questions were taken from one who reads no answer")
        grown = WORLD.daemon.memory_kib() - before
        assert grown < 32 * 1024, f"memory grew by {grown} KiB"
    still_serves()


def wait_writable(sock):
    import select
    return bool(select.select([], [sock], [], 2)[1])


def test_a_storm_into_a_full_queue_loses_nothing():
    with connect(RESIDENT) as client:
        count = 3000
        for _ in range(count):
            client.send("submit", report(client))
            if client.seq % 200 == 0:
                take_replies(client, client.seq - 200)
        take_replies(client, client.seq)


REPLIES = {}


def take_replies(client, up_to):
    """Reads until the reply to this question has come; each is an answer or says "later"."""
    while REPLIES.get(id(client), 1) < up_to:
        got = client.receive()
        assert got is not None, "the connection was closed under a storm of honest reports"
        assert "answer" in got or got["refusal"]["code"] in ("RETRY_LATER", "RATE_LIMITED"), got
        REPLIES[id(client)] = max(REPLIES.get(id(client), 1), got["seq"])


def test_connections_that_come_and_go():
    for _ in range(300):
        connect().close()
    wait_until(lambda: WORLD.daemon.is_alive(), "the daemon to live on")
    still_serves()


run_tests(globals(), finish=lambda: WORLD.__exit__())
