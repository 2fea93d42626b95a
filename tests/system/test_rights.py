#!/usr/bin/env python3
"""What the matrix of rights cannot show cell by cell: lists and pushes hold what the reader may see and no more, and a case
does not leave somebody's area by that person's hand."""
import hashlib
import os
import shutil

from harness import Refused, Street, World, run_tests

STREET = Street()
NORTH, SOUTH = "610404004001", "610404004002"
GRIDS = {area: [g["grid"] for g in STREET.grids].index(area + "001") for area in (NORTH, SOUTH)}
PEOPLE = [("m-acceptor-north", "acceptor", NORTH), ("m-acceptor-south", "acceptor", SOUTH),
          ("m-supervisor-north", "supervisor", NORTH), ("m-supervisor-south", "supervisor", SOUTH)]

WORLD = World(with_redis=False)
FOLDER = os.path.join(WORLD.folder, "street")
shutil.copytree(STREET.folder, FOLDER)
with open(os.path.join(FOLDER, "people.csv"), "a", encoding="utf-8") as file:
    for who, role, area in PEOPLE:
        file.write(f"{who},{who},,{role},{area},,{hashlib.sha256(f'demo-{who}'.encode()).hexdigest()},no\n")
WORLD.configure({"jurisdiction": FOLDER})
WORLD.__enter__()


def client(who):
    return WORLD.daemon.client(who)


def refused(c, *request):
    try:
        c.ask(*request)
    except Refused as why:
        return why
    raise AssertionError(f"{request} was not refused")


def submit(area=None):
    place = {} if area is None else {"place": STREET.place(GRIDS[area])}
    with client(STREET.reporter()) as c:
        return c.ask("submit", {"key": c.new_key(), "category": STREET.category(), **place})["case_number"]


def act(c, number, name, **values):
    return ("action", {"key": c.new_key(), "case_number": number, "act": name, **values})


def supervised(number):
    """Owes the acceptors a notice about it: it waits for them."""
    with client(STREET.one_with("supervisor")) as c:
        c.ask(*act(c, number, "ACT_SUPERVISE", text="please"))


def test_what_is_owed_to_a_role_is_for_those_of_the_area():
    with client("m-acceptor-north") as north, client("m-acceptor-south") as south, \
            client(STREET.one_with("acceptor")) as street:
        for c in (north, south, street):
            c.ask("subscribe", {"notices": True, "notices_after": -1})
        numbers = {NORTH: submit(NORTH), SOUTH: submit(SOUTH), None: submit()}
        for number in numbers.values():
            supervised(number)
        seen = {NORTH: {numbers[NORTH], numbers[None]}, SOUTH: {numbers[SOUTH], numbers[None]}, "": set(numbers.values())}
        for c, area in ((north, NORTH), (south, SOUTH), (street, "")):
            pushed = set()
            while not seen[area] <= pushed:
                pushed.add(c.next_push()["notice"]["case_number"])
            listed = {n["case_number"] for n in c.ask("list_notices", {"limit": 100})["notices"]}
            assert pushed == listed == seen[area], (area, pushed, listed, seen[area])


def test_events_are_those_of_the_area():
    with client("m-supervisor-north") as c:
        c.ask("subscribe", {"events": True, "events_after": -1})
        there, here = submit(SOUTH), submit(NORTH)
        pushed = set()
        while here not in pushed:
            pushed.add(c.next_push()["event"]["case_number"])
        assert there not in pushed
        assert refused(c, "subscribe", {"events": True, "area": SOUTH}).right == "events"


def test_a_case_stays_in_the_area_of_who_acts():
    here, there = submit(NORTH), submit(SOUTH)
    with client("m-acceptor-north") as c:
        for request in (act(c, here, "ACT_FILE", grid=SOUTH + "001"), act(c, here, "ACT_MERGE", master=there)):
            why = refused(c, *request)
            assert (why.code, why.rule) == ("NOT_ALLOWED", "within-your-area"), why
        c.ask(*act(c, here, "ACT_FILE", grid=NORTH + "001"))


def test_where_a_case_stands_is_not_told_to_strangers():
    number = submit(NORTH)
    with client("m-acceptor-south") as south, client(STREET.one_with("handler")) as handler:
        for c, name in ((south, "ACT_REOPEN"), (south, "ACT_FILE"), (handler, "ACT_SIGN"), (handler, "ACT_FILE")):
            why = refused(c, *act(c, number, name))
            assert why.code == "NOT_ALLOWED" and "REPORTED" not in why.sentence, why
        assert NORTH not in refused(handler, *act(handler, number, "ACT_FILE")).sentence


def test_a_handler_lists_its_units_cases():
    number = submit(NORTH)
    unit, other = STREET.one_with("handler", unit="roads"), STREET.one_with("handler", unit="water")
    with client(STREET.one_with("acceptor")) as a, client(STREET.one_with("dispatcher")) as d:
        a.ask(*act(a, number, "ACT_FILE"))
        if a.ask("get_case", {"case_number": number})["summary"]["state"] != "DISPATCHED":
            d.ask(*act(d, number, "ACT_DISPATCH", unit="roads"))
        lead = a.ask("get_case", {"case_number": number})["summary"]["handler"]
    for who, name in ((unit, "roads"), (other, "water")):
        with client(who) as c:
            listed = {row["number"] for row in c.ask("list_cases", {"limit": 100}).get("cases", [])}
            assert (number in listed) == (lead == name), (who, lead, listed)
            assert refused(c, "list_cases", {"handler": "police"}).right == "list-cases"


def test_an_emergency_elsewhere_is_not_listed():
    with client("m-supervisor-south") as south, client("m-supervisor-north") as north, \
            client(STREET.one_with("supervisor")) as street:
        there = south.ask("declare_emergency", {"area": SOUTH, "text": "flood"})["id"]
        everywhere = street.ask("declare_emergency", {"area": "610404004000", "text": "snow"})["id"]
        for c, ids in ((south, {there, everywhere}), (north, {everywhere}), (street, {there, everywhere})):
            assert {e["id"] for e in c.ask("list_emergencies", {})["emergencies"]} == ids
        assert refused(north, "lift_emergency", {"id": there}).right == "lift-emergency"


def test_points_of_others_are_for_stations_and_supervisors():
    for role, may in (("station", 1), ("supervisor", 1), ("acceptor", 0), ("handler", 0), ("worker", 0)):
        with client(STREET.one_with(role)) as c:
            if may:
                c.ask("get_points", {"person": STREET.reporter()})
            else:
                assert refused(c, "get_points", {"person": STREET.reporter()}).right == "get-points"


def test_figures_and_reload_of_everything_need_all_of_it():
    with client("m-supervisor-north") as c:
        assert refused(c, "reload", {}).right == "reload"
        assert refused(c, "get_stats", {"area": SOUTH}).right == "get-stats"
        own = c.ask("get_stats", {})["total"]["received"]
    with client(STREET.one_with("supervisor")) as c:
        assert c.ask("get_stats", {})["total"]["received"] > own
        c.ask("reload", {})


def finish():
    WORLD.daemon.stop()
    WORLD.close()


if __name__ == "__main__":
    run_tests(dict(globals()), finish)
