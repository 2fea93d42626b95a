#!/usr/bin/env python3
"""A backup taken while everybody reports holds every report that was acknowledged before it began; it goes through
pipes, and what is cut, newer or too large for its disk is refused; doctor names what is wrong with a set-up."""
import hashlib
import json
import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time

from harness import (BUILD, DAY_MS, MONDAY_MS, TOP, Daemon, Redis, Skip, Street, World, config_with, free_port, jpeg,
                     run_tests, spawn, uuid7, wait_until)

STREET = Street()
WORLD = World(with_redis=False)
SOCKET = os.path.join(WORLD.folder, "door.sock")
WORLD.configure({"listen_unix": SOCKET})
GRIDLOOP = os.path.join(BUILD, "gridloop")
RESIDENT = STREET.reporter()
SENDERS, WINDOW, REPORTS_BEFORE = 4, 32, 3000
OK, REFUSED = 0, 1


def gridloop(*words, **options):
    return subprocess.run([GRIDLOOP, *words], cwd=TOP, timeout=120, capture_output=True, check=False, **options)


def said(done):
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def path(name):
    return os.path.join(WORLD.folder, name)


def new_folder():
    return tempfile.mkdtemp(prefix="care-", dir=WORLD.folder)


def backup(*words):
    done = gridloop("backup", "--config", WORLD.daemon.config, "--json", *words)
    assert done.returncode == OK, said(done)
    return json.loads(done.stdout or done.stderr)


def restore(source, **options):
    """Restores into a new folder; the database's path."""
    database = os.path.join(new_folder(), "gridloop.db")
    done = gridloop("restore", source, database, **options)
    assert done.returncode == OK, said(done)
    return database


def proves_itself(database, *words):
    done = gridloop("verify", database, *words)
    assert done.returncode == OK, said(done)


def keys_in(database):
    """Of every report whose case is there too, open or archived."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        return {key for key, in db.execute("SELECT key FROM request_key WHERE case_id IN"
                                           " (SELECT id FROM open_case UNION ALL SELECT id FROM closed_case)")}


def backup_to_file(number, at_end):
    """A backup into a file that is restored into a new place; what backup told, at_end() behind it, the new database."""
    target = path(f"load-{number}.db")
    return backup(target), at_end(), restore(target)


def backup_through_pipe(_number, at_end, *words):
    """The same from one process into the other."""
    folder = new_folder()
    database = os.path.join(folder, "gridloop.db")
    with subprocess.Popen([GRIDLOOP, "backup", "--config", WORLD.daemon.config, "--json", *words, "-"], cwd=TOP,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": folder}) as source:
        done = gridloop("restore", "-", database, stdin=source.stdout)
        source.stdout.close()
        told = source.stderr.read()
        assert source.wait(60) == OK and done.returncode == OK, told.decode() + said(done)
    return json.loads(told), at_end(), database


FORMS = (("a file", backup_to_file), ("a file", backup_to_file), ("a pipe", backup_through_pipe),
         ("a pipe, with evidence", lambda *given: backup_through_pipe(*given, "--with-evidence")))


class Sender(threading.Thread):
    """Keeps WINDOW reports under way until it is told to stop; remembers what was acknowledged."""

    def __init__(self, place):
        super().__init__(daemon=True)
        self.place, self.acknowledged, self.over, self.trouble = place, [], False, None
        self.client = WORLD.daemon.client(RESIDENT)

    def run(self):
        try:
            under_way = {}
            while under_way or not self.over:
                while len(under_way) < WINDOW and not self.over:
                    key = uuid7(MONDAY_MS)
                    under_way[self.client.send("submit", {"key": key, "category": STREET.category(), "place": self.place,
                                                          "description": "reported while a backup is made"})] = key
                got = self.client.receive()
                key = under_way.pop(got["seq"])
                if "answer" in got:
                    self.acknowledged.append(key)
                elif got["refusal"]["code"] not in ("RETRY_LATER", "RATE_LIMITED"):
                    raise AssertionError(f"refused: {got['refusal']}")
        except Exception as why:  # told by the one who joins it
            self.trouble = why
        finally:
            self.client.close()


def acknowledged(senders):
    return sum(len(s.acknowledged) for s in senders)


def test_a_backup_under_load_has_every_acknowledged_report():
    WORLD.daemon.start().set_time(MONDAY_MS)
    senders = [Sender(STREET.place(n % len(STREET.grids))) for n in range(SENDERS)]
    for sender in senders:
        sender.start()
    wait_until(lambda: acknowledged(senders) > REPORTS_BEFORE or any(s.trouble for s in senders), "reports to come in", 60)
    for number, (where, form) in enumerate(FORMS):
        before = {key for s in senders for key in s.acknowledged[:]}
        told, by_its_end, database = form(number, lambda: acknowledged(senders))
        meanwhile = by_its_end - len(before)
        proves_itself(database)
        there = keys_in(database)
        assert before <= there, f"{len(before - there)} of {len(before)} acknowledged reports are not in the backup"
        assert told["reports"] >= len(before) and told["reports"] == len(there), told
        assert meanwhile > 0, "nobody reported while it was made: this shows nothing"
        print(f"{where}: all of {len(before)} reports acknowledged before are in what was restored, {told['reports']} in all, "
              f"{told['bytes'] / 1e6:.1f} MB; {meanwhile} acknowledged meanwhile; verify 0")
    for sender in senders:
        sender.over = True
    for sender in senders:
        sender.join(30)
        assert not sender.trouble, sender.trouble


def test_the_daemon_goes_on_and_its_log_is_folded_back():
    with WORLD.daemon.client(RESIDENT) as client:
        client.ask("submit", {"key": client.new_key(), "category": STREET.category(), "place": STREET.place()})
    proves_itself(WORLD.daemon.database)


def test_from_pipe_to_pipe_with_evidence():
    data = jpeg(200000)
    with WORLD.daemon.client(RESIDENT) as client:
        digest = client.upload(data)
        client.ask("submit", {"key": client.new_key(), "category": STREET.category(), "place": STREET.place(),
                              "evidence": [{"sha256": digest}]})
    folder = new_folder()
    database, evidence = os.path.join(folder, "gridloop.db"), os.path.join(folder, "evidence")
    with subprocess.Popen([GRIDLOOP, "backup", "--config", WORLD.daemon.config, "--with-evidence", "-"], cwd=TOP,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": folder}) as source:
        done = gridloop("restore", "-", database, stdin=source.stdout)
        source.stdout.close()
        words = source.stderr.read().decode()
        assert source.wait(60) == OK, words
    assert done.returncode == OK, said(done)
    assert "evidence: 1 files" in words and "evidence: 1 files" in said(done), words + said(done)
    proves_itself(database, "--evidence", evidence)
    assert sorted(os.listdir(folder)) == ["evidence", "gridloop.db", "gridloop.db.lock"], os.listdir(folder)
    name = digest.hex()
    with open(os.path.join(evidence, name[:2], name[2:4], name), "rb") as file:
        assert file.read() == data
    # And a daemon serves on it.
    other = Daemon(folder)
    other.start()
    with other.client(RESIDENT) as client:
        assert client.fetch(digest) == data
    other.stop()


def test_a_plain_tar_reads_it():
    target, folder = path("with.tar"), new_folder()
    backup("--with-evidence", target)
    subprocess.run(["tar", "-xf", target], cwd=folder, check=True)
    subprocess.run(["sha256sum", "--quiet", "-c", "gridloop.db.sha256"], cwd=folder, check=True)
    proves_itself(os.path.join(folder, "gridloop.db"), "--evidence", os.path.join(folder, "evidence"))
    subprocess.run(["tar", "--owner=root", "-cf", "again.tar", "gridloop.db", "gridloop.db.sha256"], cwd=folder, check=True)


def test_a_cut_pipe_is_refused_and_leaves_nothing():
    target = path("with.tar")
    size = os.path.getsize(target)
    folder = new_folder()
    for length in (0, 100, 700, size // 2, size - 600):
        with open(target, "rb") as file:
            done = gridloop("restore", "-", os.path.join(folder, "gridloop.db"), input=file.read(length))
        assert done.returncode == REFUSED and "pipe" in said(done), said(done)
        assert os.listdir(folder) == ["gridloop.db.lock"], os.listdir(folder)


def test_a_reader_that_goes_away_is_told():
    with subprocess.Popen([GRIDLOOP, "backup", "--config", WORLD.daemon.config, "-"], cwd=TOP, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": new_folder()}) as source:
        source.stdout.close()
        words = source.stderr.read().decode()
        assert source.wait(60) == REFUSED, source.returncode
    assert "pipe" in words, words


def with_small_files():
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (256 * 1024, 256 * 1024))


def test_a_disk_that_is_full():
    folder = new_folder()
    mounted = os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", folder],
                                                   capture_output=True, check=False).returncode == 0
    options = {} if mounted else {"preexec_fn": with_small_files}
    try:
        with open(os.path.join(folder, "kept.db"), "wb") as file:
            file.write(b"the backup of before")
        for words in (["kept.db"], ["kept.db", "--with-evidence"]):
            done = gridloop("backup", "--config", WORLD.daemon.config, os.path.join(folder, words[0]), *words[1:], **options)
            assert done.returncode == REFUSED, said(done)
            assert any(word in said(done) for word in ("full", "No space", "larger than is allowed")), said(done)
            assert os.listdir(folder) == ["kept.db"], os.listdir(folder)
        done = gridloop("restore", path("load-0.db"), os.path.join(folder, "gridloop.db"), **options)
        assert done.returncode == REFUSED and "gridloop.db" in said(done), said(done)
        assert sorted(os.listdir(folder)) == ["gridloop.db.lock", "kept.db"], os.listdir(folder)
    finally:
        if mounted:
            subprocess.run(["umount", folder], check=True)
    print(f"the disk was full by {'a small tmpfs' if mounted else 'RLIMIT_FSIZE'}")


def test_restore_stays_away_from_a_daemon_and_from_files():
    for target in (WORLD.daemon.database, path("load-1.db")):
        done = gridloop("restore", path("load-0.db"), target)
        assert done.returncode == REFUSED, said(done)
        assert "in use by another process" in said(done) or "exists" in said(done), said(done)
    proves_itself(WORLD.daemon.database)


def test_a_newer_database_stops_daemon_and_restore():
    database = restore(path("load-0.db"))
    with sqlite3.connect(database) as db:
        db.execute("PRAGMA user_version = 99")
    with open(database, "rb") as file:
        before = file.read()
    config = os.path.join(os.path.dirname(database), "gridloop.conf")
    with open(config, "w", encoding="utf-8") as file:
        file.write(config_with({"database": database, "listen": f"127.0.0.1:{free_port()}",
                                "jurisdiction": os.path.join(TOP, "config", "jurisdiction")}))
    done = subprocess.run([os.path.join(BUILD, "gridloopd"), "-c", config], cwd=TOP, timeout=60, capture_output=True,
                          check=False)
    assert done.returncode == 78 and "use the newer program" in said(done), said(done)
    with open(database, "rb") as file:
        assert file.read() == before, "the daemon has changed what it refused"
    done = gridloop("restore", database, os.path.join(new_folder(), "gridloop.db"))
    assert done.returncode == REFUSED and "use the newer program" in said(done), said(done)


# ---- doctor ----

class Patient:
    """A set-up in a folder of its own: a restored database, no daemon, a configuration to spoil."""

    def __init__(self, changes=None):
        self.database = restore(path("load-0.db"))
        self.folder = os.path.dirname(self.database)
        self.config = os.path.join(self.folder, "gridloop.conf")
        os.mkdir(os.path.join(self.folder, "evidence"), 0o750)
        self.write({"clock": "replay", **(changes or {})})

    def write(self, changes):
        keys = {"database": self.database, "listen": f"127.0.0.1:{free_port()}",
                "jurisdiction": os.path.join(TOP, "config", "jurisdiction"), **changes}
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(config_with(keys))
        os.chmod(self.config, 0o600)

    def findings(self, health, *words):
        """Doctor's findings of this health, without what every set-up here has: no daemon, perhaps no disk."""
        done = gridloop("doctor", "--config", self.config, "--json")
        told = json.loads(done.stdout)
        worst = {"ok": 0, "warning": 1, "problem": 2}
        assert done.returncode == worst[told["health"]] == max(worst[f["health"]] for f in told["findings"]), told
        assert all(f["next"] for f in told["findings"] if f["health"] != "ok"), told
        found = [f["found"] for f in told["findings"] if f["health"] == health and "daemon does not run" not in f["found"]
                 and "tmpfs" not in f["found"]]
        for word in words:
            assert any(word in line for line in found), f"no {health} says {word!r}: {told}"
        return found


def test_doctor_says_how_the_first_administrator_is_made():
    told = json.loads(gridloop("doctor", "--config", WORLD.daemon.config, "--json").stdout)
    missing = [f for f in told["findings"] if f["what"].startswith("administrator")]
    assert [f["health"] for f in missing] == ["warning"] and "no administrator can log in" in missing[0]["found"], told
    before, command = missing[0]["next"].split("sudo gridloop ")
    assert before == "on this machine: " and command.endswith(f"--socket {SOCKET}"), missing
    done = gridloop(*command.split())
    assert done.returncode == OK and "glt_" in said(done), said(done)
    text = said(gridloop("doctor", "--config", WORLD.daemon.config))
    assert "administrator-01 can log in" in text and "no administrator" not in text, text


def test_doctor_on_a_healthy_set_up():
    done = gridloop("doctor", "--config", WORLD.daemon.config)
    text = said(done)
    assert "0 problems" in text and "✗" not in text, text
    assert done.returncode == (1 if "tmpfs" in text else 0), text
    for words in ("answers at 127.0.0.1", "no damage found", "schema version 3", "has the database", "free",
                  f"answers at unix:{SOCKET}"):
        assert words in text, f"{words!r} is not in\n{text}"


def test_doctor_says_that_nobody_serves():
    done = gridloop("doctor", "--config", Patient().config)
    assert done.returncode == 2 and "the daemon does not run" in said(done) and "systemctl start" in said(done), said(done)


def test_doctor_on_a_mistake_in_the_configuration():
    patient = Patient()
    patient.write({"clock": "sundial", "time_zone": "Middle/Earth"})
    patient.findings("problem", "sundial", "Middle/Earth")
    done = gridloop("doctor", "--config", path("none.conf"), "--json")
    assert done.returncode == 2 and "none.conf" in said(done), said(done)


def test_doctor_on_a_jurisdiction():
    folder = street_where("calendar.csv", lambda lines: [line for line in lines if not line.startswith("20")] +
                          ["2020-01-01,holiday,元旦\n"])
    patient = Patient({"jurisdiction": folder, "clock": "system"})
    patient.findings("warning", "list of holidays ending with 2020-12-31")
    with open(os.path.join(folder, "units.csv"), "a", encoding="utf-8") as file:
        file.write("broken row\n")
    patient.findings("problem", "units.csv")


def street_where(name, change):
    """The sample jurisdiction with one of its files changed."""
    folder = os.path.join(new_folder(), "street")
    shutil.copytree(os.path.join(TOP, "config", "jurisdiction"), folder)
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        lines = change(file.readlines())
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.writelines(lines)
    return folder


def test_doctor_on_administrators():
    nobody = street_where("people.csv", lambda lines: [line for line in lines if not line.startswith("administrator-")])
    patient = Patient({"jurisdiction": nobody})
    patient.findings("warning", "nobody in people.csv has the role administrator")
    digest = hashlib.sha256(b"by hand").hexdigest()
    by_file = street_where("people.csv", lambda lines: lines + [f"boss,何管理,,administrator,,,{digest},no\n"])
    patient.write({"clock": "replay", "jurisdiction": by_file})
    patient.findings("ok", "boss can log in")
    # What is revoked or has expired lets nobody in.
    patient.write({"clock": "system"})
    patient.findings("warning", "no administrator can log in")
    now_ms = int(time.time() * 1000)
    for number, expires_ms, revoked_ms, health, words in (
            (1, MONDAY_MS + 1, 0, "warning", "no administrator can log in"), (2, 0, now_ms, "warning", "no administrator"),
            (3, now_ms + DAY_MS, 0, "ok", "administrator-01 can log in")):
        with sqlite3.connect(patient.database) as db:
            db.execute("INSERT INTO credential (id, person, kind, sha256, label, made_ms, made_by, replaces, expires_ms, revoked_ms)"
                       " VALUES (?, 'administrator-01', 1, ?, '', ?, 'console', 0, ?, ?)",
                       (number, bytes([number] * 32), MONDAY_MS, expires_ms, revoked_ms))
        patient.findings(health, words)


def test_doctor_on_the_socket():
    patient = Patient()
    place = os.path.join(patient.folder, "door.sock")
    patient.write({"clock": "replay", "listen_unix": place})
    patient.findings("problem", "door.sock: No such file")
    with open(place, "w", encoding="utf-8"):
        pass
    patient.findings("problem", "is a file, not a socket")
    os.remove(place)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(place)
    os.chmod(place, 0o660)
    assert not any("door.sock" in line for health in ("problem", "warning") for line in patient.findings(health))
    os.chmod(place, 0o666)
    patient.findings("warning", "everybody on this machine may connect to")
    if os.geteuid() == 0:
        os.chown(place, 65534, 65534)
        patient.findings("problem", "belongs to user 65534")


def test_doctor_on_a_redis():
    patient = Patient({"redis": f"unix:{path('no-redis.sock')}"})
    patient.findings("problem", "no-redis.sock")
    redis = Redis(new_folder()).start()
    try:
        patient.write({"clock": "replay", "redis": f"unix:{redis.socket}"})
        patient.findings("ok", "redis.sock answers")
        redis.command("CONFIG", "SET", "requirepass", "opensesame")
        patient.findings("problem", "NOAUTH")
        patient.write({"clock": "replay", "redis": f"unix:{redis.socket}", "redis_password": "opensesame"})
        patient.findings("ok", "redis.sock answers")
        patient.write({"clock": "replay", "redis": f"unix:{redis.socket}", "redis_password": "wrong"})
        patient.findings("problem", "WRONGPASS")
    finally:
        redis.stop()


def test_doctor_on_permissions():
    patient = Patient({"redis_password": "secret"})
    patient.findings("ok", "the daemon's alone")
    os.chmod(patient.folder, 0o755)
    os.chmod(patient.database, 0o644)
    os.chmod(patient.config, 0o644)
    patient.findings("warning", "may read " + patient.database)
    patient.findings("problem", "may read the password")
    os.chmod(patient.database, 0o666)
    patient.findings("problem", "may write to " + patient.database)
    if os.geteuid() == 0:
        os.chown(patient.database, 65534, 65534)
        patient.findings("problem", "belongs to user 65534")


def test_doctor_on_databases():
    patient = Patient()
    assert patient.findings("problem") == [], patient.findings("problem")
    with open(patient.database + "-wal", "wb") as file:
        file.truncate(100 << 20)
    patient.findings("warning", "write-ahead log has 100.0 MiB")
    os.remove(patient.database + "-wal")
    with sqlite3.connect(patient.database) as db:
        db.execute("PRAGMA user_version = 99")
    patient.findings("problem", "schema version 99")
    with open(patient.database, "r+b") as file:
        file.seek(4096)
        file.write(os.urandom(8192))
    patient.findings("problem", "schema version 99")
    with sqlite3.connect(patient.database) as db:
        db.execute("PRAGMA user_version = 3")
    assert any("damage" in line or "malformed" in line for line in patient.findings("problem")), patient.findings("problem")
    os.remove(patient.database)
    patient.findings("warning", "is not there")


def test_doctor_on_a_clock_that_was_set_back():
    patient = Patient({"clock": "system"})
    with sqlite3.connect(patient.database) as db:
        db.execute("UPDATE meta SET value = ? WHERE name = 'last_ms'", (int(time.time() * 1000) + 2 * DAY_MS,))
    patient.findings("problem", "has seen")


def test_doctor_on_certificates():
    if not shutil.which("openssl"):
        raise Skip("there is no openssl here to make a certificate with")
    folder = new_folder()
    certificate, key = os.path.join(folder, "tls.crt"), os.path.join(folder, "tls.key")
    for days in ("90", "5"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=elsewhere", "-days", days, "-keyout", key, "-out", certificate],
                       capture_output=True, check=True)
        port = free_port()
        daemon = Daemon(folder, changes={"listen_tls": f"127.0.0.1:{port}", "tls_certificate": certificate, "tls_key": key})
        daemon.start()
        try:
            done = gridloop("doctor", "--config", daemon.config)
            assert f"answers at 127.0.0.1:{port} by TLS" in said(done), said(done)
            if days == "5":
                assert done.returncode == 1 and "tls.crt" in said(done) and "put a new certificate" in said(done), said(done)
            else:
                assert "✗" not in said(done) and "put a new" not in said(done), said(done)
        finally:
            daemon.stop()
    os.remove(key)
    done = gridloop("doctor", "--config", daemon.config)
    assert done.returncode == 2 and "tls.key" in said(done), said(done)


def test_doctor_on_a_disk():
    folder = new_folder()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "none", folder],
                                           capture_output=True, check=False).returncode != 0:
        raise Skip("a small disk needs the right to mount one")
    try:
        patient = Patient()
        patient.database = os.path.join(folder, "gridloop.db")
        patient.write({"clock": "replay"})
        done = gridloop("doctor", "--config", patient.config)
        assert done.returncode == 2 and "MiB free" in said(done) and "make room" in said(done), said(done)
        assert "memory (tmpfs)" in said(done), said(done)
    finally:
        subprocess.run(["umount", folder], check=True)


def test_doctor_on_a_daemon_that_does_not_answer():
    WORLD.daemon.process.send_signal(signal.SIGSTOP)
    try:
        done = gridloop("doctor", "--config", WORLD.daemon.config)
        assert done.returncode == 2 and "nothing good answers at 127" in said(done), said(done)
        assert "nothing good answers at unix:" in said(done), said(done)
    finally:
        WORLD.daemon.process.send_signal(signal.SIGCONT)


def test_the_daemon_ends_as_asked():
    WORLD.daemon.stop()


run_tests(globals(), finish=WORLD.close)
