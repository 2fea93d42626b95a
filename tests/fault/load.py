"""People who report while something is done to the daemon: shared by the fault harnesses."""
import random
import threading

from harness import CONTRACT, MONDAY_MS, Client, Street, uuid7

STREET = Street()
RESIDENT, PLATFORM = STREET.reporter(), STREET.one_with("gateway", kind="food-rider")
REPORTS = "gridloop:reports"
LATER = ("RETRY_LATER", "RATE_LIMITED")
PLACES = [STREET.place(n) for n in range(len(STREET.grids))]


def new_report(place=None):
    key = uuid7(MONDAY_MS)
    return {"key": key, "category": STREET.category(), "place": place or random.choice(PLACES),
            "description": f"report {key.hex()}"}


def entry_of(report, gateway=PLATFORM):
    """A stream entry of the platform's, with this report in it."""
    values = {**report, "reporter": {"id": "rider-4711", "kind": "FOOD_RIDER"}}
    return CONTRACT.encode("StreamEntry", {"gateway": gateway, "token": f"demo-{gateway}", "report": values})


class Sender(threading.Thread):
    """Keeps some reports under way on one connection until it breaks. What was left unanswered before comes first."""

    def __init__(self, port, ledger, backlog=(), window=16, resend=True, new_keys=False, who=RESIDENT):
        super().__init__(daemon=True)
        self.port, self.ledger, self.window, self.who = port, ledger, window, who
        self.backlog = [] if not resend else [ledger.send(renamed(r)) for r in backlog] if new_keys else list(backlog)
        self.under_way, self.surprise, self.answered, self.client, self.ended = {}, None, 0, None, False

    def run(self):
        try:
            with Client(self.port, timeout=30) as self.client:
                self.client.login(self.who)
                while not self.ended or self.under_way:
                    self.fill()
                    self.take_answer()
        except (OSError, ConnectionError):
            pass  # it was cut: that is what this is about
        except AssertionError as why:
            if "middle of a frame" not in str(why):  # a cut frame is what a cut looks like from here
                self.surprise = why

    def fill(self):
        while len(self.under_way) < self.window and not self.ended:
            report = self.backlog.pop() if self.backlog else self.ledger.send(new_report())
            self.under_way[self.client.send("submit", report)] = report

    def take_answer(self):
        if not self.under_way:
            return
        got = self.client.receive()
        if got is None:
            raise ConnectionError("the daemon closed the connection")
        report = self.under_way.pop(got["seq"])
        if "answer" in got:
            self.ledger.acknowledge(report["key"], got["answer"]["case_number"])
            self.answered += 1
        elif got["refusal"]["code"] not in LATER:
            raise AssertionError(f"refused: {got['refusal']}")
        else:
            self.backlog.append(report)

    def unanswered(self):
        return self.backlog + list(self.under_way.values())


def renamed(report):
    """The same words under another key, as a client that forgot its key would send them."""
    return {**report, "key": uuid7(MONDAY_MS)}


def send_all(daemon, ledger, who=RESIDENT):
    """Sends everything that was never acknowledged once more, and waits for each answer."""
    sender = Sender(daemon.port, ledger, [ledger.sent[key] for key in ledger.open_keys()], who=who)
    count = len(sender.backlog)
    with Client(daemon.port, timeout=60) as sender.client:
        sender.client.login(who)
        while sender.backlog or sender.under_way:
            while sender.backlog and len(sender.under_way) < 32:
                report = sender.backlog.pop()
                sender.under_way[sender.client.send("submit", report)] = report
            sender.take_answer()
    return count
