#!/usr/bin/env python3
"""A real city's reports through the real daemon, by each door: every row once, the same file again adds nothing, and a
kill -9 in the middle ends in the same counts. REPLAY_ROWS says how many rows (0: the whole half year)."""
import csv
import gzip
import itertools
import json
import os
import sqlite3
import subprocess

from harness import BUILD, SHARED, TOP, PATIENCE, Skip, World, run_tests, verify, wait_until

CITY_MAP = os.path.join(SHARED, "data", "boston", "neighborhoods.geojson")
CITY = os.path.join(SHARED, "data", "boston", "requests.csv.gz")
ZONE = "America/New_York"
ROWS = int(os.environ.get("REPLAY_ROWS", "2500")) or None
GRIDLOOP = os.path.join(BUILD, "gridloop")


class City:
    """The first rows of the city's file, a jurisdiction made for them, and a daemon on it."""

    def __init__(self, door, *city_map):
        if not os.path.exists(CITY):
            raise Skip(f"{CITY} is not here")
        self.door, self.world = door, World()
        self.file = os.path.join(self.world.folder, "requests.csv")
        with gzip.open(CITY, "rt", encoding="utf-8", newline="") as source, open(self.file, "w", encoding="utf-8", newline="") as file:
            rows = list(itertools.islice(csv.reader(source), ROWS and ROWS + 1))
            csv.writer(file).writerows(rows)
        closed = rows[0].index("closed_at")
        self.received, self.archived = len(rows) - 1, sum(1 for row in rows[1:] if row[closed])
        street = os.path.join(self.world.folder, "jurisdiction")
        subprocess.run([GRIDLOOP, "replay", "--prepare", street, *city_map, "--tz", ZONE, self.file], cwd=TOP, check=True, capture_output=True)
        self.world.configure({"jurisdiction": street, "time_zone": ZONE})
        self.daemon = self.world.daemon.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.world.close()

    def start_replay(self):
        return subprocess.Popen([GRIDLOOP, "replay", "--tz", ZONE, "--server", f"127.0.0.1:{self.daemon.port}", "--door", self.door,
                                 "--redis", f"unix:{self.world.redis.socket}", "--database", self.daemon.database, self.file],
                                cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def replay(self):
        done = self.start_replay()
        out, err = done.communicate(timeout=PATIENCE * 30)
        assert done.returncode == 0, f"the replay ended with {done.returncode}:\n{out}{err}"
        return json.loads(out.strip().splitlines()[-1])

    def check(self, told):
        """Merged reports are archived at once, whatever the city did with them; every other one when the city closed it."""
        wanted = {"received": self.received, "refused": 0, "invariants": "ok"}
        assert {name: told[name] for name in wanted} == wanted, f"{told} instead of {wanted}"
        assert told["archived"] + told["open"] == self.received, f"received is not archived + open: {told}"
        assert 0 < told["merged"] < self.received / 4, f"hardly anything, or too much, was merged: {told}"
        assert self.archived <= told["archived"] <= self.archived + told["merged"], f"{told}, {self.archived} closed"


def archived_so_far(city):
    with city.daemon.client() as client:
        client.login("operator", "replay-operator")
        return client.ask("get_stats", {"by": "BY_ALL"})["total"].get("closed", 0)


def everything_once(door):
    with City(door) as city:
        first = city.replay()
        city.check(first)
        again = city.replay()
        city.check(again)
        assert again["known_before"] > 0, f"the second replay knew nothing: {again}"
        city.daemon.stop()
        verify(city.daemon)


def killed_in_the_middle(door):
    with City(door) as city:
        half_way = city.archived // 2
        replay = city.start_replay()
        wait_until(lambda: replay.poll() is not None or archived_so_far(city) >= half_way, "half of the city's cases to close", PATIENCE * 10)
        assert replay.poll() is None, "the replay ended before it could be disturbed"
        city.daemon.kill()
        city.daemon.start()
        replay.communicate(timeout=PATIENCE * 30)  # whether it came back by itself or gave up
        city.check(city.replay())
        city.daemon.stop()
        verify(city.daemon)


def test_everything_once_by_tcp():
    everything_once("tcp")


def test_everything_once_by_redis():
    everything_once("redis")


def test_killed_in_the_middle_by_tcp():
    killed_in_the_middle("tcp")


def test_killed_in_the_middle_by_redis():
    killed_in_the_middle("redis")


def test_on_the_citys_own_map():
    """What has no place is never merged by its place: where such a case was merged, the address says why."""
    with City("tcp", "--map", CITY_MAP) as city:
        told = city.replay()
        city.check(told)
        assert told["located"] + told["outside"] + told["to_be_located"] == city.received, told
        assert told["to_be_located"] > 0 and told["located"] > told["received"] * 0.8, told
        city.daemon.stop()
        verify(city.daemon)
        by_map = subprocess.run([GRIDLOOP, "verify", city.daemon.database, "--json", "--jurisdiction", os.path.join(city.world.folder, "jurisdiction")],
                                cwd=TOP, env={**os.environ, "TZ": ZONE}, capture_output=True, text=True)
        assert by_map.returncode == 0 and "valid at its report" in by_map.stdout, by_map.stdout + by_map.stderr
        with sqlite3.connect(city.daemon.database) as db:
            placed = db.execute("SELECT count(*) FROM closed_case WHERE told <> 0 AND lat_e7 IS NOT NULL").fetchone()
            merged = db.execute("SELECT c.address, m.address FROM closed_case AS c JOIN (SELECT id, address FROM closed_case UNION ALL"
                                " SELECT id, address FROM open_case) AS m ON m.id = c.merged_into WHERE c.told <> 0").fetchall()
        assert placed == (0,), f"{placed} cases without a place have one"
        assert all(own and of for own, of in merged), f"merged without an address: {merged}"


if __name__ == "__main__":
    run_tests(globals())
