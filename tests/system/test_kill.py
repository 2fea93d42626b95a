#!/usr/bin/env python3
"""kill -9 in the middle of a storm, again and again: what was acknowledged is there, once; what was not can be sent
again; and the database proves itself afterwards."""
import random
import threading
import time

from harness import MONDAY_MS, Refused, Street, World, run_tests, uuid7, verify

STREET = Street()
WORLD = World(with_redis=False)
RESIDENT, SUPERVISOR = STREET.reporter(), STREET.one_with("supervisor")
ROUNDS, SENDERS, WINDOW = 6, 4, 32
LATER = ("RETRY_LATER", "RATE_LIMITED")


class Sender(threading.Thread):
    """Keeps WINDOW reports under way until the connection breaks; remembers what it sent and what was answered."""

    def __init__(self, place):
        super().__init__(daemon=True)
        self.place, self.sent, self.acknowledged, self.surprise = place, {}, {}, None
        self.client = WORLD.daemon.client(RESIDENT)

    def run(self):
        under_way = {}
        try:
            while True:
                while len(under_way) < WINDOW:
                    report = {"key": uuid7(MONDAY_MS), "category": STREET.category(), "place": self.place,
                              "description": "report " + "".join(random.choices("abcdefgh", k=20))}
                    self.sent[report["key"]] = report
                    under_way[self.client.send("submit", report)] = report
                got = self.client.receive()
                if got is None:
                    return
                report = under_way.pop(got["seq"])
                if "answer" in got:
                    self.acknowledged[report["key"]] = got["answer"]["case_number"]
                elif got["refusal"]["code"] not in LATER:
                    raise AssertionError(f"refused: {got['refusal']}")
        except (OSError, ConnectionError):
            pass  # the daemon was killed: that is what this is about
        except AssertionError as why:
            if "middle of a frame" not in str(why):  # a cut frame is what a kill looks like from here
                self.surprise = why
        finally:
            self.client.close()


SENT, ACKNOWLEDGED = {}, {}


def storm_and_kill(number):
    senders = [Sender(STREET.place(n % len(STREET.grids))) for n in range(SENDERS)]
    for sender in senders:
        sender.start()
    wanted = random.randint(200, 1500)
    limit = time.monotonic() + 20
    while sum(len(s.acknowledged) for s in senders) < wanted and time.monotonic() < limit:
        time.sleep(0.002)
    WORLD.daemon.kill()
    for sender in senders:
        sender.join(20)
        assert not sender.surprise, sender.surprise
        SENT.update(sender.sent)
        ACKNOWLEDGED.update(sender.acknowledged)
    acknowledged = sum(len(s.acknowledged) for s in senders)
    assert acknowledged > 0, f"nothing was acknowledged in round {number}: {WORLD.daemon.log_tail()}"
    WORLD.daemon.start()


def test_storms_and_kills():
    WORLD.daemon.start().set_time(MONDAY_MS)
    for number in range(ROUNDS):
        storm_and_kill(number)
    print(f"{len(SENT)} sent, {len(ACKNOWLEDGED)} acknowledged, {ROUNDS} kills")


def test_what_was_acknowledged_is_there():
    with WORLD.daemon.client(SUPERVISOR) as client:
        for key, number in ACKNOWLEDGED.items():
            view = client.ask("get_case", {"case_number": number})
            assert view["description"] == SENT[key]["description"], f"{number} is another report's"


def test_a_resend_gets_the_answer_of_then():
    with WORLD.daemon.client(RESIDENT) as client:
        numbers = {}
        for key, report in SENT.items():
            answer = submit_patiently(client, report)
            numbers[key] = answer["case_number"]
            if key in ACKNOWLEDGED:
                assert answer["case_number"] == ACKNOWLEDGED[key], f"{ACKNOWLEDGED[key]} became {answer['case_number']}"
                assert answer.get("again"), f"{answer['case_number']} was taken for new"
        assert len(set(numbers.values())) == len(SENT), "two reports share a number"


def submit_patiently(client, report):
    limit = time.monotonic() + 20
    while True:
        try:
            return client.ask("submit", report)
        except Refused as why:
            assert why.code in LATER and time.monotonic() < limit, why
            time.sleep(max(why.retry_after_ms, 10) / 1000)


def test_nothing_is_there_twice():
    with WORLD.daemon.client(SUPERVISOR) as client:
        received = client.ask("get_stats", {"by": "BY_ALL"})["total"]["received"]
    assert received == len(SENT), f"{received} cases for {len(SENT)} reports"


def test_the_database_proves_itself():
    WORLD.daemon.stop()
    verify(WORLD.daemon)


run_tests(globals(), finish=WORLD.close)
