#!/usr/bin/env python3
"""`make demo`: a street's day through the real daemon. Reports come from a resident, a rider on a bad network and a
camera; the desk, the handlers and the grid's worker do their part; everybody gets an answer; the books are checked."""
import sys

from harness import MONDAY_MS, Refused, Street, World, verify

MINUTE_MS = 60 * 1000


class Day:
    """The street's people, each on a connection of their own, and the clock they share."""

    def __init__(self, daemon, street):
        self.daemon, self.street, self.now_ms, self.clients = daemon, street, MONDAY_MS, {}

    def says(self, who):
        if who not in self.clients:
            self.clients[who] = self.daemon.client(who)
        return self.clients[who]

    def later(self, minutes):
        self.now_ms += minutes * MINUTE_MS
        self.says(self.street.one_with("operator")).ask("advance_clock", {"to_ms": self.now_ms})

    def key(self, who):
        client = self.says(who)
        client.now_ms = self.now_ms
        return client.new_key()

    def tell(self, who, what):
        clock = self.now_ms // MINUTE_MS + 8 * 60
        print(f"{clock // 60 % 24:02}:{clock % 60:02}  {who:16} {what}", flush=True)

    def act(self, who, number, act, **more):
        answer = self.says(who).ask("action", {"key": self.key(who), "case_number": number, "act": act, **more})
        self.tell(who, f"{act.removeprefix('ACT_').lower().replace('_', ' ')} {number}: now {answer['state']}")
        return answer

    def look(self, number):
        return self.says(self.street.one_with("supervisor")).ask("get_case", {"case_number": number})


def report(day, who, category, place, text):
    body = {"key": day.key(who), "category": category, "place": place, "description": text, "photos": ["photo-near", "photo-far"]}
    answer = day.says(who).ask("submit", body)
    day.tell(who, f"reports “{text}”: {answer['case_number']}, {answer['state']}")
    return answer, body


def handle(day, number):
    """From wherever the case is to its close, by those whose turn it is."""
    view = day.look(number)
    if view["summary"]["state"] in ("REPORTED", "VERIFYING"):
        day.act(day.street.one_with("acceptor"), number, "ACT_FILE")
        view = day.look(number)
    if view["summary"]["state"] == "FILED":
        day.act(day.street.one_with("dispatcher"), number, "ACT_DISPATCH", unit="sanitation")
        view = day.look(number)
    day.later(6)
    unit = view["summary"]["handler"]
    worker = day.street.one_with("handler", unit=unit)
    day.act(worker, number, "ACT_SIGN")
    day.later(55)
    day.act(worker, number, "ACT_HANDLED", text="现场已清理", photos=["photo-after"])
    day.later(10)
    supervisor = day.street.one_with("supervisor")
    day.act(supervisor, number, "ACT_CHECK")
    day.act(supervisor, number, "ACT_PASS", text="核查属实")


def a_resident_reports(day, street):
    resident = street.reporter()
    answer, _ = report(day, resident, "E0110", street.place(0), "楼下垃圾没人收")
    day.later(3)
    handle(day, answer["case_number"])
    day.later(30)
    day.act(resident, answer["case_number"], "ACT_REVIEW", rating="SATISFIED", text="清理得很干净")


def a_rider_on_a_bad_network(day, street):
    rider = street.all_with("reporter", kind="food-rider")[0]
    answer, body = report(day, rider, "E0506", street.place(5), "下穿通道积水")
    again = day.says(rider).ask("submit", body)
    assert again.get("again") and again["case_number"] == answer["case_number"]
    day.tell(rider, f"sends it again, the answer was lost: the same {again['case_number']}, no second case")
    handle(day, answer["case_number"])


def a_camera_sees_something(day, street):
    camera = street.cameras[0]
    gateway = camera["gateway"]
    for minute in range(3):
        alarm = {"key": day.key(gateway), "camera": camera["camera"], "label": camera["label"], "confidence": 0.9,
                 "seen_at_ms": day.now_ms, "event": f"demo-{minute}"}
        answer = day.says(gateway).ask("alarm", alarm)
        day.tell(gateway, f"alarm {minute + 1} of {camera['camera']}: {answer['case_number']}, {answer['state']}")
        day.later(1)
    day.act(street.one_with("acceptor"), answer["case_number"], "ACT_CONFIRM")
    handle(day, answer["case_number"])


def one_is_refused(day, street):
    resident = street.all_with("reporter", kind="resident")[1]
    answer, _ = report(day, resident, "E9001", street.place(9), "邻里噪音")
    try:
        day.act(resident, answer["case_number"], "ACT_PASS")
    except Refused as why:
        day.tell(resident, f"tries to close it: {why.sentence} ({why.rule})")
    day.later(2)
    day.act(street.one_with("acceptor"), answer["case_number"], "ACT_REJECT", reason="not-there", text="现场无此问题")


def print_outcome(day, street):
    operator, supervisor = street.one_with("operator"), street.one_with("supervisor")
    day.says(operator).ask("advance_clock", {"settle": 1})
    total = day.says(supervisor).ask("get_stats", {"by": "BY_ALL"})["total"]
    print("\nA fortnight later, when every timer has run:")
    print(f"  {total.get('received', 0)} received, {total.get('closed', 0)} closed, {total.get('open', 0)} open, "
          f"{total.get('rejected', 0)} rejected, {total.get('satisfied', 0)} satisfied, {total.get('points', 0)} points")
    for who in (street.reporter(), street.all_with("reporter", kind="food-rider")[0]):
        points = day.says(who).ask("get_points", {})
        notices = day.says(who).ask("list_notices", {"limit": 100})["notices"]
        print(f"  {who}: {points.get('balance', 0)} points, {len(notices)} notices, the last: {notices[-1].get('text', '')}")
    assert not total.get("open", 0), "a case was left open"


def main():
    street = Street()
    with World() as world:
        day = Day(world.daemon, street)
        day.later(0)
        for scene in (a_resident_reports, a_rider_on_a_bad_network, a_camera_sees_something, one_is_refused):
            scene(day, street)
            print()
        print_outcome(day, street)
        world.daemon.stop()
        print("\n" + verify(world.daemon).strip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
