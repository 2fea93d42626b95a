#!/usr/bin/env python3
"""The real daemon on a disk of 16 MiB that others fill up, ext4 and tmpfs in turn: new reports are told to come again while
there is still room, on a full disk nothing is acknowledged that is not there, staff go on as long as they can, and when
there is room again everything goes on by itself. Mounts live in a namespace of their own and end with the process."""
import os
import subprocess
import sys
import tempfile

import ledger as books
from harness import MONDAY_MS, Daemon, Refused, Street, wait_until
from load import LATER, RESIDENT, new_report, send_all

MIB = 1 << 20
DISK, LEAST, BALLAST = 16 * MIB, 4 * MIB, 2 * MIB
WATCHED = {"disk_free_min": "4m", "disk_ballast": "2m", "evidence_free_min": "0"}
BLIND = {"disk_free_min": "0", "disk_ballast": "0", "evidence_free_min": "0"}
REPORTS, CYCLES_A_DISK = 12, 20
PATIENCE = 30
ACCEPTOR = Street().one_with("acceptor")


def in_namespace():
    """Runs this again where it may mount; a plain user may too, but only memory."""
    if os.environ.get("GRIDLOOP_MOUNTS"):
        return
    flags = ["-m"] if os.geteuid() == 0 else ["-Urm"]
    os.environ["GRIDLOOP_MOUNTS"] = "yes"
    os.execvp("unshare", ["unshare", *flags, "--", sys.executable, *sys.argv])


class Disk:
    """A small disk with a daemon on it."""

    def __init__(self, kind, settings):
        self.kind, self.top = kind, tempfile.mkdtemp(prefix="gridloop-disk-", dir=os.environ.get("TMPDIR", "/tmp"))
        self.mount, self.image = os.path.join(self.top, "disk"), os.path.join(self.top, "image")
        os.mkdir(self.mount)
        self.attach()
        self.filed = 0  # how many cases staff have tried to
        self.filler = os.path.join(self.mount, "of-others")
        self.database = os.path.join(self.mount, "gridloop.db")
        self.daemon = Daemon(self.top, changes={**settings, "database": self.database,
                                                "evidence": os.path.join(self.top, "evidence")})
        self.daemon.database = self.database

    def attach(self):
        if self.kind == "ext4":
            with open(self.image, "wb") as file:
                file.truncate(DISK)
            run("mkfs.ext4", "-q", "-F", "-m", "0", self.image)
            run("mount", "-o", "loop", self.image, self.mount)
        else:
            run("mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", self.mount)

    def close(self):
        if self.daemon.is_alive():
            self.daemon.kill()
        subprocess.run(["umount", "-l", self.mount], check=False)
        subprocess.run(["rm", "-rf", "--one-file-system", self.top], check=False)

    def free(self):
        about = os.statvfs(self.mount)
        return about.f_bavail * about.f_frsize

    def fill_to(self, left):
        take = self.free() - left
        if take > 0:
            with open(self.filler, "ab") as file:
                os.posix_fallocate(file.fileno(), os.path.getsize(self.filler), take)

    def fill(self):
        """To the last byte, as long as something is to be had."""
        with open(self.filler, "ab", buffering=0) as file:
            for size in (65536, 4096, 512):
                try:
                    while True:
                        if file.write(b"x" * size) < size:
                            break
                except OSError:
                    continue

    def make_room(self):
        if os.path.exists(self.filler):
            os.unlink(self.filler)

    def has_ballast(self):
        return os.path.exists(self.database + ".ballast")

    def told(self, event):
        with open(self.daemon.log, encoding="utf-8") as file:
            return sum(event in line for line in file)


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def report_some(disk, ledger, count=REPORTS):
    """(taken, told to come again later)."""
    taken = later = 0
    with disk.daemon.client(RESIDENT) as client:
        for _ in range(count):
            report = ledger.send(new_report())
            try:
                ledger.acknowledge(report["key"], client.ask("submit", report)["case_number"])
                taken += 1
            except Refused as why:
                assert why.code in LATER, why
                later += 1
    return taken, later


def act_on_one(disk, ledger):
    """Staff file a case, another each time: whether that was possible."""
    number = list(ledger.acknowledged.values())[disk.filed]
    disk.filed += 1
    with disk.daemon.client(ACCEPTOR) as client:
        try:
            client.ask("action", {"case_number": number, "act": "ACT_FILE", "text": "words"})
            return True
        except Refused as why:
            assert why.code in LATER, why
            return False


def judge_short(trial, disk, ledger):
    """Some room is left, and new reports have to wait already."""
    told = disk.told("disk-short")
    disk.fill_to(LEAST - MIB)
    wait_until(lambda: disk.told("disk-short") > told, "the daemon to see that the disk is short", PATIENCE)
    taken, later = report_some(disk, ledger)
    if taken or later != REPORTS:
        trial.complain("integrity_errors", f"{taken} reports were taken on a short disk")
    known = next(iter(ledger.acknowledged))
    with disk.daemon.client(RESIDENT) as client:
        if not client.ask("submit", ledger.sent[known]).get("again"):
            trial.complain("doubled", "what was taken before was taken for new on a short disk")
    if not act_on_one(disk, ledger):
        trial.complain("integrity_errors", "staff cannot act although some room is left")
    if disk.told("disk-short") != told + 1:
        trial.complain("integrity_errors", "a short disk was told more than once")


def judge_full(trial, disk, ledger):
    """Nothing is left; the ballast goes, and others take that too."""
    disk.fill()
    wait_until(lambda: not disk.has_ballast(), "the ballast to be given up", PATIENCE)
    disk.fill()
    taken, _ = report_some(disk, ledger)
    if taken:
        trial.complain("integrity_errors", f"{taken} reports were taken on a full disk")
    act_on_one(disk, ledger)
    if not disk.daemon.is_alive():
        trial.complain("crashes", f"it ended on a full disk: {disk.daemon.log_tail()}")


def judge_start(trial, disk):
    """Killed and started on the full disk it may refuse, as something that passes, not as something to stay down for."""
    disk.daemon.kill()
    try:
        disk.daemon.start()
    except AssertionError:
        code = disk.daemon.process.returncode
        if code != 75:
            trial.complain("crashes", f"exit code {code} on a full disk: {disk.daemon.log_tail()}")
        disk.make_room()
        disk.daemon.start()


def judge_room(trial, disk, ledger):
    """By itself."""
    disk.make_room()
    wait_until(lambda: report_some(disk, ledger, 1)[0] == 1, "reports to be taken again", PATIENCE)
    wait_until(disk.has_ballast, "the ballast to be made again", PATIENCE)
    taken, _ = report_some(disk, ledger)
    if taken != REPORTS:
        trial.complain("integrity_errors", f"only {taken} reports of {REPORTS} were taken when there was room again")


def one_disk(trial, kind, cycles):
    disk, ledger = Disk(kind, WATCHED), books.Ledger()
    try:
        disk.daemon.start().set_time(MONDAY_MS)
        wait_until(disk.has_ballast, "the ballast to be made", PATIENCE)
        report_some(disk, ledger)
        for cycle in range(cycles):
            judge_short(trial, disk, ledger)
            judge_full(trial, disk, ledger)
            if cycle % 3 == 2:
                judge_start(trial, disk)
            judge_room(trial, disk, ledger)
            trial.judge(ledger, disk.database, where=f"on {kind}")
            trial.add(runs=1)
        send_all(disk.daemon, ledger)
        disk.daemon.stop()
        trial.judge(ledger, disk.database, everything=True, where=f"on {kind}, in the end")
        trial.verify(disk.daemon)
        trial.add(acknowledged=len(ledger.acknowledged))
        return without_row(disk)
    finally:
        disk.close()


def without_row(disk):
    """A report that was answered and has no row: how often that is found."""
    lie = books.Ledger()
    lie.acknowledge(lie.send(new_report())["key"], "E01132026112300001")
    return lie.compare(disk.database)[0]


def control_without_watch(trial, kind):
    """A daemon that does not watch its disk takes reports on a short one: judge_short would see it."""
    disk, ledger = Disk(kind, BLIND), books.Ledger()
    try:
        disk.daemon.start().set_time(MONDAY_MS)
        disk.fill_to(LEAST - MIB)
        trial.control(f"no-watch-{kind}", report_some(disk, ledger)[0])
    finally:
        disk.close()


def body(trial):
    kinds = ["ext4", "tmpfs"] if can_mount_ext4() else ["tmpfs"]
    trial.note(disks=kinds)
    found = 0
    for number, kind in enumerate(kinds):
        left = (trial.count + number) // len(kinds)
        while left > 0:
            found += one_disk(trial, kind, min(left, CYCLES_A_DISK))
            left -= CYCLES_A_DISK
    trial.control("answer-without-row", found)
    for kind in kinds:
        control_without_watch(trial, kind)


def can_mount_ext4():
    try:
        Disk("ext4", BLIND).close()
        return True
    except (OSError, subprocess.CalledProcessError):
        return False


if __name__ == "__main__":
    in_namespace()
    books.Trial("disk-full", 10).run(body)
