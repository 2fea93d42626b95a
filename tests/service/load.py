"""People who report without a pause while the daemon is restarted under them: each connects, reports, and when the
connection breaks connects again and sends what was not answered once more, with the same key."""
import random
import threading
import time

from rig import wait_until

from harness import Client, Refused

SENDERS, WINDOW = 4, 8
KNOCK_PAUSE_S = 0.005
LATER = ("RETRY_LATER", "RATE_LIMITED")
WORDS = "words-of-a-resident"  # in every description, so that they would be found in a log


def report(client, street, number):
    return {"key": client.new_key(), "category": street.category(), "place": street.place(number % len(street.grids)),
            "description": f"{WORDS} {random.getrandbits(64):x}"}


def is_kept(client, sent, number):
    """Whether the same key gets the answer of then; client is its sender's."""
    while True:
        try:
            answer = client.ask("submit", sent)
            return answer["case_number"] == number and bool(answer.get("again"))
        except Refused as why:
            if why.code not in LATER:
                raise
            time.sleep(max(why.retry_after_ms, 10) / 1000)


class Senders:
    def __init__(self, port, street):
        self.port, self.street = port, street
        self.sent, self.acknowledged, self.surprises = {}, {}, []
        self.refused = self.connections = 0
        self.ending = threading.Event()
        self.lock = threading.Lock()
        self.names = street.all_with("reporter", kind="resident")[:SENDERS]
        self.threads = [threading.Thread(target=self.report_on, args=(i, who), daemon=True)
                        for i, who in enumerate(self.names)]
        self.threads.append(threading.Thread(target=self.knock, daemon=True))
        for thread in self.threads:
            thread.start()

    # ---- connecting: the one thing that must never fail ----

    def connect(self):
        try:
            client = Client(self.port)
        except ConnectionRefusedError:
            with self.lock:
                self.refused += 1
            raise
        with self.lock:
            self.connections += 1
        return client

    def knock(self):
        """Comes and goes all the time, so that some come in the very moment when nobody serves."""
        while not self.ending.wait(KNOCK_PAUSE_S):
            try:
                self.connect().close()
            except OSError as why:
                if not isinstance(why, ConnectionError):
                    self.surprises.append(why)

    # ---- reporting ----

    def report_on(self, number, who):
        unanswered = {}
        while not self.ending.is_set() or unanswered:
            try:
                with self.connect() as client:
                    client.login(who)
                    self.exchange(client, who, number, unanswered)
            except (OSError, ConnectionError):
                continue  # the daemon was restarted: that is what this is about
            except AssertionError as why:
                if "middle of a frame" not in str(why):  # what a kill looks like from here
                    self.surprises.append(why)
                    return
            except Refused as why:
                if why.code not in LATER:
                    self.surprises.append(why)
                    return

    def exchange(self, client, who, number, unanswered):
        under_way = {client.send("submit", r): r for r in unanswered.values()}
        while True:
            while len(under_way) < WINDOW and not self.ending.is_set():
                new = report(client, self.street, number)
                unanswered[new["key"]] = new
                self.sent[new["key"]] = (who, new)
                under_way[client.send("submit", new)] = new
            if not under_way:
                return
            got = client.receive()
            if got is None:
                return
            done = under_way.pop(got.get("seq", 0), None)
            if done is None:
                raise ConnectionError(f"the daemon said {got} and closes")
            if "answer" in got:
                self.acknowledged[done["key"]] = got["answer"]["case_number"]
                del unanswered[done["key"]]
            elif got["refusal"]["code"] in LATER:
                time.sleep(max(got["refusal"].get("retry_after_ms", 0), 10) / 1000)
                under_way[client.send("submit", done)] = done
            else:
                raise Refused(got["refusal"])

    # ---- for the test ----

    def wait_for(self, more):
        """Until so many more reports have been acknowledged."""
        wanted = len(self.acknowledged) + more
        wait_until(lambda: self.surprises or len(self.acknowledged) >= wanted, f"{more} more reports to be acknowledged",
                   60)
        assert not self.surprises, self.surprises[:3]

    def end(self):
        self.ending.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a sender did not come to an end"
