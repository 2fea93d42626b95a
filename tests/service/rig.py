"""A real systemd as the first process of namespaces of its own, with the units as `make install` puts them there. What
is started here ends with the process that started it."""
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tests", "system"))

from harness import BUILD, wait_until  # noqa: E402

WORK = os.path.join(BUILD, "service")
PASSWORD = "opensesame-4711"
CLONE_NEWNET = 0x40000000
NAMESPACES = ("--kill-child", "--mount", "--pid", "--fork", "--mount-proc", "--cgroup", "--net", "--uts", "--ipc")
NEEDED = ("unshare", "nsenter", "ip", "systemctl", "systemd-analyze", "systemd-sysusers", "systemd-tmpfiles",
          "journalctl", "redis-server", "redis-cli", "gcc")
REDIS_UNIT = f"""[Unit]
Description=Redis on a Unix socket for its group, as docs/operations.md says

[Service]
Type=notify
ExecStart=/usr/bin/redis-server --port 0 --unixsocket /run/redis/redis-server.sock --unixsocketperm 770 \
--requirepass {PASSWORD} --supervised systemd --save "" --dir /run/redis
User=redis
Group=redis
RuntimeDirectory=redis
RuntimeDirectoryMode=2755
"""
# The one thing that is not as shipped: a library in front of libc, so that the disk can be made to hang.
HANG_DROP_IN = """[Service]
Environment=LD_PRELOAD={0}
ExecPaths={0}
"""


def why_not():
    """Why none of this can run here; None: it can."""
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        return f"there is no {', '.join(missing)} here (make packages-service)"
    if not os.path.exists("/lib/systemd/systemd"):
        return "there is no systemd here (make packages-service)"
    if os.geteuid() != 0:
        return "only root may make the namespaces"
    tried = subprocess.run(["unshare", *NAMESPACES, "mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"],
                           capture_output=True, text=True, check=False)
    return f"namespaces cannot be made here: {tried.stderr.strip()}" if tried.returncode else None


def run(*argv, **options):
    return subprocess.run(argv, check=True, text=True, capture_output=True, cwd=TOP, **options).stdout


class Rig:
    def __init__(self):
        self.process = None
        self.init = 0  # systemd, as this side of the namespaces counts

    # ---- before it starts ----

    def stage(self):
        shutil.rmtree(WORK, ignore_errors=True)
        for folder in ("stage", "state", "units"):
            os.makedirs(os.path.join(WORK, folder))
        run("make", "install", f"DESTDIR={WORK}/stage", f"BUILD={os.path.relpath(BUILD, TOP)}")
        shutil.copytree(os.path.join(TOP, "config", "jurisdiction"), os.path.join(WORK, "stage/etc/gridloop/jurisdiction"))
        library = os.path.join(WORK, "stage", "usr", "local", "lib", "gridloop-hang.so")
        run("gcc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-O2", "-o", library, os.path.join(HERE, "hang.c"))
        self.write("units/redis-server.service", REDIS_UNIT)
        self.write("redis_password", PASSWORD + "\n")
        self.configure({"redis": "unix:/run/redis/redis-server.sock", "redis_password": "credential:redis_password",
                        **{f"rate_{who}": 0 for who in ("reporter", "staff", "gateway", "address")}})
        self.change("stage/etc/gridloop/jurisdiction/policy.conf", {"new_reporter_day_most": 0, "reporter_day_most": 0, "doubt_burst": 0})

    @staticmethod
    def write(name, text):
        with open(os.path.join(WORK, name), "w", encoding="utf-8") as file:
            file.write(text)

    @staticmethod
    def changed(text, changes):
        lines = text.splitlines()
        return "\n".join(f"{key} = {changes[key]}" if (key := line.split("=")[0].strip()) in changes else line
                         for line in lines) + "\n"

    def configure(self, changes):
        self.change("stage/etc/gridloop/gridloop.conf", changes)

    def change(self, path, changes):
        with open(os.path.join(WORK, path), encoding="utf-8") as file:
            text = file.read()
        self.write(path, self.changed(text, changes))

    # ---- its life ----

    def start(self):
        with open(os.path.join(WORK, "systemd.log"), "wb") as log:
            self.process = subprocess.Popen(["unshare", *NAMESPACES, "bash", os.path.join(HERE, "boot.sh"), WORK],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL))
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"

        def first_child():
            with open(children, encoding="ascii") as file:
                return int((file.read().split() or ["0"])[0])

        self.init = wait_until(lambda: self.alive() and first_child(), "the namespaces")
        wait_until(lambda: self.alive() and self.state("basic.target") == "active", "systemd to be up", 60)
        self.enter_network()

    def alive(self):
        assert self.process.poll() is None, f"systemd ended:\n{self.boot_log()}"
        return True

    @staticmethod
    def boot_log():
        with open(os.path.join(WORK, "systemd.log"), encoding="utf-8", errors="replace") as file:
            return file.read()[-3000:]

    def enter_network(self):
        """This process speaks from inside, where the socket unit listens. Before any thread is started."""
        with open(f"/proc/{self.init}/ns/net", "rb") as where:
            assert ctypes.CDLL(None, use_errno=True).setns(where.fileno(), CLONE_NEWNET) == 0, ctypes.get_errno()

    def end(self):
        """systemd takes no SIGTERM here; with the first process everything in the namespaces goes."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    # ---- talking to it ----

    def inside(self, *argv, good=True):
        done = subprocess.run(["nsenter", "-t", str(self.init), "-a", *argv], capture_output=True, text=True, timeout=120,
                              check=False)
        assert done.returncode == 0 or not good, f"{' '.join(argv)}: {done.stdout}{done.stderr}\n{self.journal()[-2000:]}"
        return done.stdout

    def systemctl(self, *words):
        return self.inside("systemctl", *words)

    def state(self, unit):
        return self.inside("systemctl", "is-active", unit, good=False).strip()

    def show(self, name, unit="gridloopd.service"):
        return self.inside("systemctl", "show", "-P", name, unit).strip()

    def pid(self):
        """Of the daemon, as the inside counts."""
        return int(self.show("MainPID"))

    def journal(self, unit="gridloopd.service"):
        return self.inside("journalctl", "-u", unit, "-o", "cat", "--no-pager", good=False)

    def journal_entries(self, unit="gridloopd.service"):
        lines = self.inside("journalctl", "-u", unit, "-o", "json", "--no-pager").splitlines()
        return [json.loads(line) for line in lines]

    def edit_config(self, changes):
        text = self.inside("cat", "/etc/gridloop/gridloop.conf")
        self.write("edited.conf", self.changed(text, changes))
        self.inside("cp", os.path.join(WORK, "edited.conf"), "/etc/gridloop/gridloop.conf")

    def let_disk_hang(self):
        """Takes the daemon through one restart, after which /run/rig/disk-hangs makes its disk hang."""
        self.inside("mkdir", "-p", "/etc/systemd/system/gridloopd.service.d")
        self.write("hang.conf", HANG_DROP_IN.format("/usr/local/lib/gridloop-hang.so"))
        self.inside("cp", os.path.join(WORK, "hang.conf"), "/etc/systemd/system/gridloopd.service.d/hang.conf")
        self.systemctl("daemon-reload")
        self.systemctl("restart", "gridloopd.service")

    def take_hanging_away(self):
        self.inside("rm", "-r", "/etc/systemd/system/gridloopd.service.d")
        self.systemctl("daemon-reload")
        self.systemctl("restart", "gridloopd.service")
