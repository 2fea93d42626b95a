#!/usr/bin/env python3
"""The clock through a real daemon: an emergency moves the deadlines of its area; deadlines and emergencies survive a kill;
what was left when a clock stopped is working time; and the database proves every step."""
import json
import os
import subprocess

from harness import BUILD, MONDAY_MS, Refused, Street, World, run_tests, uuid7, verify, wait_until

GRIDLOOP = os.path.join(BUILD, "gridloop")
STREET = Street()
WORLD = World(with_redis=False)
HOUR = 3600000
FRIDAY_1630 = MONDAY_MS + 4 * 24 * HOUR + 7 * HOUR + HOUR // 2  # 2026-03-06
MONDAY_1130 = MONDAY_MS + 7 * 24 * HOUR + 2 * HOUR + HOUR // 2
SUPERVISOR = STREET.one_with("supervisor")
AREA = "610404004000"


def due_of(number):
    with WORLD.daemon.client(SUPERVISOR) as client:
        return int(client.ask("get_case", {"case_number": number})["summary"]["handle_due_ms"])


def cli(*words):
    done = subprocess.run([GRIDLOOP, *words, "--server", f"127.0.0.1:{WORLD.daemon.port}", "--as", SUPERVISOR,
                           "--token", f"demo-{SUPERVISOR}", "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return json.loads(done.stdout)


def test_an_emergency_in_the_middle_of_a_limit():
    WORLD.daemon.start().set_time(FRIDAY_1630)
    with WORLD.daemon.client("rider-01") as rider:
        answer = rider.ask("submit", {"key": uuid7(FRIDAY_1630), "category": "E0110", "place": STREET.place(),
                                      "description": "垃圾"})
    number = answer["case_number"]
    assert due_of(number) == MONDAY_1130  # four work hours over a weekend

    WORLD.daemon.kill()
    WORLD.daemon.start()
    assert due_of(number) == MONDAY_1130

    WORLD.daemon.set_time(FRIDAY_1630 + HOUR // 2)
    assert cli("emergency", "declare", "--area", AREA, "暴雨红色预警")["emergency"] == 1
    moved = FRIDAY_1630 + 4 * HOUR  # what was left, three and a half hours, by the clock from 17:00 on
    wait_until(lambda: due_of(number) == moved, "the deadline to move")
    with WORLD.daemon.client(SUPERVISOR) as client:
        try:
            client.ask("declare_emergency", {"area": "610404004999", "text": "暴雨"})
            raise AssertionError("an area that is none was taken")
        except Refused as why:
            assert why.rule == "emergency-area-known", why

    WORLD.daemon.kill()
    WORLD.daemon.start()
    assert due_of(number) == moved
    listed = cli("emergency", "list")["emergencies"]
    assert len(listed) == 1 and listed[0]["in_force"] and listed[0]["declared_by"] == SUPERVISOR, listed

    WORLD.daemon.set_time(FRIDAY_1630 + 2 * HOUR)  # two hours are left
    assert cli("emergency", "lift", "1")["emergency"] == 1
    wait_until(lambda: due_of(number) == MONDAY_1130 - HOUR, "the deadline to move back")
    assert not cli("emergency", "list")["emergencies"][0]["in_force"]
    WORLD.daemon.stop()
    verify(WORLD.daemon)


run_tests(globals(), finish=WORLD.close)
