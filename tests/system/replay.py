#!/usr/bin/env python3
"""`make replay FILE=…`: a city's 311 CSV through a real daemon on the replay clock, in a folder of its own. The last line
is the JSON of `gridloop replay`, with the database verified behind it."""
import os
import subprocess
import sys

from harness import BUILD, TOP, World

GRIDLOOP = os.path.join(BUILD, "gridloop")


def main():
    wish = {name: os.environ.get(name, "") for name in ("FILE", "MAP", "DOOR", "TZ_NAME", "MERGE")}
    if not wish["FILE"]:
        print("make replay FILE=requests.csv[.gz] [MAP=neighborhoods.geojson] [MERGE=yes|no] [DOOR=tcp|redis] "
              "[TZ_NAME=America/New_York]", file=sys.stderr)
        return 2
    zone = ["--tz", wish["TZ_NAME"]] if wish["TZ_NAME"] else []
    door = wish["DOOR"] or "tcp"
    settings = {"time_zone": wish["TZ_NAME"]} if wish["TZ_NAME"] else {}
    file = os.path.abspath(wish["FILE"])
    world = World()
    street = os.path.join(world.folder, "jurisdiction")
    # Where things are is known by a map only; without one each report stays a case of its own, as in the city's file.
    apart = [] if (wish["MERGE"] or ("yes" if wish["MAP"] else "no")) == "yes" else ["--apart"]
    city_map = ["--map", os.path.abspath(wish["MAP"])] if wish["MAP"] else []
    subprocess.run([GRIDLOOP, "replay", "--prepare", street, *city_map, *apart, *zone, file], cwd=TOP, check=True)
    world.configure({"jurisdiction": street, **settings})
    world.daemon.start()
    try:
        done = subprocess.run([GRIDLOOP, "replay", *zone, "--server", f"127.0.0.1:{world.daemon.port}", "--door", door,
                               "--redis", f"unix:{world.redis.socket}", "--database", world.daemon.database, file],
                              cwd=TOP, check=False)
        world.daemon.stop()
    finally:
        world.close()
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
