#!/usr/bin/env python3
"""What a service manager says to the daemon, without one: sockets by name, credentials, the watchdog. The shipped units
under a real systemd are in tests/service."""
import contextlib
import os
import select
import signal
import socket
import subprocess

from harness import BUILD, World, run_tests, spawn, wait_until

WORLD = World(with_redis=False, changes={"listen": "127.0.0.1:1"})
PROGRAM = os.path.join(BUILD, "gridloopd")
# The variable must name the process that the shell becomes.
AS_MANAGER = 'LISTEN_PID=$$ exec "$0" "$@"'


@contextlib.contextmanager
def listening(*hosts):
    sockets = []
    for host in hosts:
        s = socket.socket()
        s.bind((host, 0))
        s.listen()
        sockets.append(s)
    try:
        yield sockets
    finally:
        for s in sockets:
            s.close()


def in_place(sockets):
    """The program finds its sockets from descriptor 3 on."""
    copies = [os.dup(s.fileno()) for s in sockets]
    high = [os.dup2(fd, 100 + i, inheritable=False) for i, fd in enumerate(copies)]
    for fd in copies:
        os.close(fd)
    return high


def start(sockets, names, notify=None, **variables):
    """As Daemon.start, with sockets handed over."""
    high = in_place(sockets)
    moves = " ".join(f"{3 + i}<&{fd} {fd}<&-" for i, fd in enumerate(high))
    script = f"exec {moves}\n{AS_MANAGER}" if moves else AS_MANAGER
    env = {**os.environ, "LISTEN_FDS": str(len(sockets)), "LISTEN_FDNAMES": names, **variables}
    if notify:
        env["NOTIFY_SOCKET"] = notify
    try:
        return spawn(["bash", "-c", script, PROGRAM, "-c", WORLD.daemon.config], WORLD.daemon.log, env=env, pass_fds=high)
    finally:
        for fd in high:
            os.close(fd)


class Manager:
    """The end of the socket that readiness is told to."""

    def __init__(self):
        self.path = os.path.join(WORLD.folder, "notify")
        self.told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.told.bind(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.told.close()
        os.unlink(self.path)

    def hears(self, word, seconds=0.02):
        ready, _, _ = select.select([self.told], [], [], seconds)
        return bool(ready) and word in self.told.recv(4096)


def refused(sockets, names, **variables):
    open(WORLD.daemon.log, "w", encoding="ascii").close()
    process = start(sockets, names, **variables)
    code = process.wait(20)
    return code, WORLD.daemon.log_tail()


def test_sockets_by_name():
    with listening("127.0.0.1", "127.0.0.1") as sockets, Manager() as manager:
        WORLD.daemon.process = start(sockets, "tcp:tcp", notify=manager.path)
        wait_until(lambda: manager.hears(b"READY=1"), "the daemon to be ready")
        for s in sockets:
            WORLD.daemon.port = s.getsockname()[1]
            with WORLD.daemon.client("resident-03") as resident:
                resident.ask("ping")
        assert "listen-not-used" in WORLD.daemon.log_tail(), "nobody said that listen is not what it seems"
        WORLD.daemon.stop()


def test_a_restart_refuses_nobody():
    """The manager keeps the socket: who comes while nobody serves waits for the next one."""
    with listening("127.0.0.1") as sockets:
        for _ in range(3):
            with Manager() as manager:
                WORLD.daemon.port = sockets[0].getsockname()[1]
                with socket.create_connection(("127.0.0.1", WORLD.daemon.port), 20) as early:
                    WORLD.daemon.process = start(sockets, "tcp", notify=manager.path)
                    wait_until(lambda: manager.hears(b"READY=1"), "the daemon to be ready")
                    with WORLD.daemon.client("resident-03") as resident:
                        resident.ask("ping")
                    early.close()
                WORLD.daemon.stop()


def test_mismatches_are_told():
    with listening("127.0.0.1") as one:
        code, said = refused(one, "telnet")
        assert code == 78 and '"telnet"; expected FileDescriptorName=' in said, (code, said)
    with listening("0.0.0.0") as one:
        code, said = refused(one, "tcp")
        assert code == 78 and "not loopback" in said, (code, said)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        code, said = refused([datagrams], "tcp")
        assert code == 78 and "no listening stream socket" in said, (code, said)


def test_a_credential_is_read_and_not_shown():
    folder = os.path.join(WORLD.folder, "credentials")
    os.mkdir(folder)
    with open(os.path.join(folder, "redis_password"), "w", encoding="ascii") as file:
        file.write("opensesame\n")
    setting = "redis_password=credential:redis_password"
    argv = [PROGRAM, "-c", WORLD.daemon.config, "--set", setting]

    def run(option, **variables):
        return subprocess.run(argv + [option], env={**os.environ, **variables}, capture_output=True, text=True, timeout=60,
                              check=False)

    done = run("--check")
    assert done.returncode == 78 and "CREDENTIALS_DIRECTORY is not set" in done.stderr, done.stderr
    assert run("--check", CREDENTIALS_DIRECTORY=folder).returncode == 0
    done = run("--print-config", CREDENTIALS_DIRECTORY=folder)
    assert "redis_password = credential:redis_password" in done.stdout and "opensesame" not in done.stdout


def test_the_watchdog_is_fed_and_starves():
    with listening("127.0.0.1") as sockets, Manager() as manager:
        process = WORLD.daemon.process = start(sockets, "tcp", notify=manager.path, WATCHDOG_USEC="4800000")
        wait_until(lambda: manager.hears(b"READY=1"), "the daemon to be ready")
        wait_until(lambda: manager.hears(b"WATCHDOG=1"), "the watchdog's first food")
        wait_until(lambda: manager.hears(b"WATCHDOG=1"), "the watchdog's second food")
        os.kill(process.pid, signal.SIGSTOP)
        while manager.hears(b"", 0):
            pass
        assert not manager.hears(b"WATCHDOG=1", 3), "a stopped process fed the watchdog"
        os.kill(process.pid, signal.SIGCONT)
        WORLD.daemon.stop()


run_tests(globals(), finish=WORLD.close)
