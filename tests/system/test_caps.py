#!/usr/bin/env python3
"""One address cannot take all places: in a network namespace whose addresses are not loopback, each has its cap of
connections, a lower one before login and a pace, the newest beyond them is closed, others do not notice, the log says it
once with the count, and a reload changes it."""
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import time

from harness import PATIENCE, Client, Skip, Street, World, free_port, run_tests, wait_until

STREET = Street()
WORLD = World(with_redis=False)
RESIDENT = STREET.reporter()
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
HERE, HERE6 = "10.77.0.1", "fd77:1::1"
CALLERS = ("10.77.0.2", "10.77.0.3")
HOUSEHOLD, NEIGHBOUR = ("fd77:2::1", "fd77:2::2"), "fd77:3::1"
OPEN, STRANGERS, PACE = 12, 5, 1000
PORT = free_port()


def enter_network():
    """A network of this process's own, before any thread is started."""
    libc, root, user, group = ctypes.CDLL(None, use_errno=True), os.geteuid() == 0, os.getuid(), os.getgid()
    if not shutil.which("ip"):
        raise Skip("there is no ip here")
    if libc.unshare(CLONE_NEWNET | (0 if root else CLONE_NEWUSER)) != 0:
        raise Skip(f"no network of one's own can be made here: {os.strerror(ctypes.get_errno())}")
    if not root:
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    commands = [("link", "set", "lo", "up")]
    commands += [("addr", "add", f"{a}/24", "dev", "lo") for a in (HERE, *CALLERS)]
    commands += [("addr", "add", f"{a}/128", "dev", "lo", "nodad") for a in (HERE6, *HOUSEHOLD, NEIGHBOUR)]
    for words in commands:
        done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Skip(f"ip {' '.join(words)}: {done.stderr.strip()}")


class Caller(Client):
    """A connection from that address."""

    def __init__(self, address):
        self.here = HERE6 if ":" in address else HERE
        self.socket = socket.create_connection((self.here, PORT), PATIENCE, source_address=(address, 0))
        self.buffer, self.seq, self.pushes, self.now_ms = b"", 0, [], 0

    def is_kept(self):
        """Answered, or closed by the daemon."""
        try:
            return self.ask("ping", {"payload": b"there?"}) is not None
        except ConnectionError:
            return False


def come(address, count, who=None):
    """So many connections that the daemon keeps."""
    callers = []
    for _ in range(count):
        callers.append(Caller(address))
        assert callers[-1].is_kept(), f"{address} was turned away at connection {len(callers)}"
        if who:
            callers[-1].login(who)
    return callers


def leave(callers):
    before = open_count()
    for caller in callers:
        caller.close()
    wait_until(lambda: open_count() <= before - len(callers), "the daemon to see them go")


def open_count():
    return len(os.listdir(f"/proc/{WORLD.daemon.process.pid}/fd"))


def log_lines():
    with open(WORLD.daemon.log, encoding="utf-8") as file:
        return re.findall(r"turned-away connections=(\d+) latest=(\S+) limit=(\S+)", file.read())


def reloads():
    with open(WORLD.daemon.log, encoding="utf-8") as file:
        return file.read().count("reload end=")


def set_limits(changes):
    before = reloads()
    WORLD.daemon.keys.update(changes)
    WORLD.daemon.write_config({})
    WORLD.daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: reloads() > before, "the reload to end")


def test_strangers_have_the_lower_cap():
    strangers = come(CALLERS[0], STRANGERS)
    for _ in range(3):
        assert not Caller(CALLERS[0]).is_kept()
    assert all(s.is_kept() for s in strangers), "those who were here first had to go"
    leave(come(CALLERS[1], STRANGERS))
    for stranger in strangers:
        stranger.login(RESIDENT)
    more = come(CALLERS[0], STRANGERS)
    assert not Caller(CALLERS[0]).is_kept()
    leave(strangers + more)


def test_those_who_have_logged_in_have_a_cap_too():
    known = come(CALLERS[0], OPEN, RESIDENT)
    assert not Caller(CALLERS[0]).is_kept()
    leave(known[:1])
    known[:1] = come(CALLERS[0], 1)
    assert not Caller(CALLERS[0]).is_kept()
    leave(known)


def test_a_household_of_ipv6_is_one():
    strangers = come(HOUSEHOLD[0], STRANGERS - 1) + come(HOUSEHOLD[1], 1)
    for address in HOUSEHOLD:
        assert not Caller(address).is_kept()
    leave(strangers + come(NEIGHBOUR, 1))


def test_this_machine_is_exempt():
    here = [WORLD.daemon.client() for _ in range(4 * OPEN)]
    for client in here:
        client.ask("ping", {"payload": b"there?"})
    leave(here)


def test_the_log_says_it_once():
    lines = log_lines()
    assert len(lines) == 1, f"a line a connection: {lines}"
    assert lines[0] == ("1", CALLERS[0], "handshakes_per_address_max"), lines


def test_a_flood_costs_nothing():
    """Ten thousand that come and go at once; nobody else waits, and nothing is left."""
    before, memory = open_count(), WORLD.daemon.memory_kib()
    kept = come(CALLERS[0], STRANGERS)
    with Caller(CALLERS[1]) as other:
        slowest = 0.0
        for i in range(10000):
            socket.create_connection((HERE, PORT), PATIENCE, source_address=(CALLERS[0], 0)).close()
            if i % 500 == 0:
                since = time.monotonic()
                assert other.is_kept()
                slowest = max(slowest, time.monotonic() - since)
    leave(kept)
    wait_until(lambda: open_count() <= before, "the flood to be over")
    assert WORLD.daemon.memory_kib() - memory < 4096, "the flood left memory behind"
    assert len(log_lines()) <= 2
    print(f"10000 turned away; the slowest ping meanwhile {slowest * 1000:.1f} ms")


def test_a_reload_changes_the_pace():
    set_limits({"handshakes_per_second_max": "3"})
    kept, turned = [], 0
    while turned == 0 and len(kept) < STRANGERS:  # two seconds may meet
        caller = Caller(CALLERS[1])
        if caller.is_kept():
            kept.append(caller)
        else:
            turned += 1
    assert turned, "four and more in a second were kept"
    leave(kept)

    def comes_again():
        caller = Caller(CALLERS[1])
        return caller.is_kept() and (caller.close() or True)
    wait_until(comes_again, "the next second")
    set_limits({"handshakes_per_second_max": str(PACE)})
    leave(come(CALLERS[1], STRANGERS))


def prepare():
    enter_network()
    WORLD.configure({"listen": f"127.0.0.1:{free_port()} {HERE}:{PORT} [{HERE6}]:{PORT}", "listen_remote": "yes",
                     "connections_per_address_max": str(OPEN), "handshakes_per_address_max": str(STRANGERS),
                     "handshakes_per_second_max": str(PACE), "login_timeout": "5m"})
    WORLD.daemon.port = int(WORLD.daemon.keys["listen"].split()[0].rsplit(":", 1)[1])


if __name__ == "__main__":
    try:
        prepare()
    except Skip as why:
        print(f"skipped: {why}\n0 passed, 0 failed, 7 skipped")
    else:
        with WORLD:
            run_tests(globals(), WORLD.daemon.stop)
