#!/usr/bin/env python3
"""The tests of client-js/ (node, protobufjs) against a real daemon and a real Redis."""
import os
import shutil
import subprocess
import sys

import harness

HERE = os.path.join(harness.TOP, "tests", "system", "client-js")


def installed():
    """npm ci, once: its own record in node_modules is newer than the lock file when nothing changed."""
    lock, record = os.path.join(HERE, "package-lock.json"), os.path.join(HERE, "node_modules", ".package-lock.json")
    if os.path.exists(record) and os.path.getmtime(record) >= os.path.getmtime(lock):
        return
    subprocess.run(["npm", "ci", "--silent", "--no-progress"], cwd=HERE, check=True, stdin=subprocess.DEVNULL, timeout=240)


def main():
    if not shutil.which("node") or not shutil.which("npm"):
        print("skipped: there is no node with npm here")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    installed()
    street = harness.Street()
    with harness.World() as world:
        done = subprocess.run(["node", "--test", "--test-reporter=tap", "client.test.js"], cwd=HERE, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=240,
                              env={**os.environ, "GRIDLOOP_PORT": str(world.daemon.port),
                                   "GRIDLOOP_CAST": harness.cast_as_json(street)})
        print(done.stdout.decode("utf-8", "replace"), end="")
        if done.returncode:
            print(world.daemon.log_tail())
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
