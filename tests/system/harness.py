"""What system tests share: a folder of their own, a real Redis, a real gridloopd, a client, and a runner that counts.

Everything started here is taken down again whatever happens: at the end, on an exception, on SIGTERM, and by the
kernel if the test itself is killed. Nothing waits for a fixed time; every wait has a condition and a limit.
"""
import atexit
import csv
import ctypes
import hashlib
import itertools
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

from wire import Contract, frame, read_varint

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
SAMPLE = os.path.join(TOP, "config", "jurisdiction")
SHARED = os.path.join(os.path.dirname(TOP), "shared")
CONTRACT = Contract(os.path.join(TOP, "proto", "gridloop.proto"))
PATIENCE = float(os.environ.get("TEST_PATIENCE", "20"))  # seconds: the limit of every wait for something that must come
FRAME_MOST = 32 * 1024
PORT_FIRST, PORTS_A_PROGRAM = 10000, 101
DAY_MS = 24 * 3600 * 1000
MONDAY_MS = 1772413200000  # 2026-03-02 09:00 in Shanghai: a Monday, in working hours
SANITIZERS = re.compile(r"(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:).*")
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class Skip(Exception):
    """Raised by a test that cannot run here; its reason is printed and counted."""


class Refused(Exception):
    def __init__(self, refusal):
        super().__init__(f"{refusal.get('code')} {refusal.get('rule')}: {refusal.get('sentence')}")
        self.code, self.rule, self.sentence = refusal.get("code"), refusal.get("rule"), refusal.get("sentence", "")
        self.retry_after_ms, self.right = refusal.get("retry_after_ms", 0), refusal.get("right")


def ports_to_try():
    """Where no connection of anybody begins by itself: a port of that range could be taken by one at any moment while
    its daemon is down, even by a client that then reaches itself. Test programs side by side begin at different places."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        end = int(file.read().split()[0])
    ports = list(range(PORT_FIRST, end)) or [0]  # 0: any, where there is no such range
    start = os.getpid() * PORTS_A_PROGRAM % len(ports)
    return itertools.cycle(ports[start:] + ports[:start])


PORTS = ports_to_try()


def free_port():
    for port in PORTS:
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return s.getsockname()[1]
            except OSError:
                continue


def wait_until(condition, what, seconds=None):
    """The condition's first true value; a failure when it does not come in time."""
    limit = time.monotonic() + (seconds or PATIENCE)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > limit:
            raise AssertionError(f"waited {seconds or PATIENCE} s in vain for {what}")
        time.sleep(0.01)


def spawn(argv, log, **options):
    """A process that dies with us, but not of the Ctrl-C that is meant for us; its output goes to the file log."""
    with open(log, "ab") as file:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, cwd=TOP,
                                start_new_session=True,
                                preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL), **options)


def end(process, seconds=None):
    """Asks a process to stop, makes it stop when it does not; its exit code."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds or PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return "killed: it did not stop when asked"
    return process.returncode


class Redis:
    """A redis-server that keeps what it acknowledged, on a Unix socket and nowhere else."""

    def __init__(self, folder):
        self.folder, self.socket = folder, os.path.join(folder, "redis.sock")
        self.process = None

    def start(self):
        if not shutil.which("redis-server"):
            raise Skip("there is no redis-server here")
        self.process = spawn(["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.folder,
                              "--appendonly", "yes", "--appendfsync", "always", "--save", ""],
                             os.path.join(self.folder, "redis.log"))
        wait_until(lambda: self.process.poll() is not None or self._answers(), "Redis to answer")
        assert self.process.poll() is None, "redis-server ended at once"
        return self

    def _answers(self):
        try:
            return self.command("PING") == b"PONG"
        except (OSError, AssertionError):  # not there yet, or still loading
            return False

    def command(self, *words):
        """Sends one command on a connection of its own; the reply as bytes, int, list or None."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE)
            s.connect(self.socket)
            words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
            s.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
            with s.makefile("rb") as file:
                return self._reply(file)

    def _reply(self, file):
        line = file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis went away")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            raise AssertionError("Redis: " + rest.decode())
        if kind == b":":
            return int(rest)
        if rest == b"-1":
            return None
        if kind == b"$":
            return file.read(int(rest) + 2)[:-2]
        return [self._reply(file) for _ in range(int(rest))]

    def stop(self):
        if self.process:
            end(self.process)
            self.process = None


def config_with(changes):
    """The sample configuration with these keys set; a key that it has only as a comment, or not at all, is added."""
    path = os.path.join(TOP, "config", "gridloop.conf")
    with open(path, encoding="utf-8") as file:
        lines = [line for line in file.read().splitlines()
                 if line.split("=")[0].strip() not in changes]
    return "\n".join(lines + [f"{key} = {value}" for key, value in changes.items()]) + "\n"


def patient_street(folder):
    """The sample jurisdiction, in which one person may report as much in a day, and at any hour, as a test likes."""
    if not os.path.exists(folder):
        shutil.copytree(SAMPLE, folder)
        path = os.path.join(folder, "policy.conf")
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"^((new_)?reporter_day_most|doubt_burst) = .*", r"\1 = 0", file.read(), flags=re.M)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    return folder


class Daemon:
    """A gridloopd on a free port, with a database in the folder."""

    def __init__(self, folder, redis=None, changes=None, port=None):
        self.folder, self.port = folder, port or free_port()
        self.log, self.config = os.path.join(folder, "daemon.log"), os.path.join(folder, "gridloop.conf")
        self.database = os.path.join(folder, "gridloop.db")
        self.process, self.environment, self.prefix = None, {}, []  # prefix: what runs it, as "ip netns exec …"
        self.keys = {"listen": f"127.0.0.1:{self.port}", "database": self.database, "clock": "replay",
                     "jurisdiction": (changes or {}).get("jurisdiction") or patient_street(os.path.join(folder, "sample-street")),
                     "redis": f"unix:{redis.socket}" if redis else "",
                     **{f"rate_{who}": 0 for who in ("reporter", "staff", "gateway", "address")}, **(changes or {})}
        self.write_config({})

    def write_config(self, changes):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(config_with({**self.keys, **changes}))

    def start(self):
        program = os.path.join(BUILD, "gridloopd")
        assert os.path.exists(program), f"{program} is not built"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            path = os.path.join(self.folder, f"notify-{random.getrandbits(40):x}")
            told.bind(path)
            self.process = spawn([*self.prefix, program, "-c", self.config], self.log,
                                 env={**os.environ, **self.environment, "NOTIFY_SOCKET": path})
            wait_until(lambda: self.process.poll() is not None or self._is_ready(told), "the daemon to be ready",
                       PATIENCE * 3)
        if self.process.poll() is not None:
            raise AssertionError(f"gridloopd ended at once with {self.process.returncode}:\n{self.log_tail()}")
        return self

    def _is_ready(self, told):
        ready, _, _ = select.select([told], [], [], 0.02)
        return bool(ready) and b"READY=1" in told.recv(4096)

    def log_tail(self, lines=30):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:])

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """As a power cut would: no goodbye."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Stops it properly and holds it to its word: exit code 0 and no sanitizer's complaint."""
        if not self.process:
            return
        process, self.process = self.process, None
        code = end(process)
        with open(self.log, encoding="utf-8", errors="replace") as file:
            complaint = SANITIZERS.search(file.read())
        assert not complaint, f"{complaint[0]}\n{self.log_tail(80)}"
        assert code == 0, f"gridloopd ended with {code}:\n{self.log_tail()}"

    def set_time(self, now_ms):
        """Moves the replay clock there; it never goes back."""
        with self.client(Street().one_with("operator")) as operator:
            operator.ask("advance_clock", {"to_ms": now_ms})

    def memory_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])

    def client(self, who=None, **options):
        client = Client(self.port, **options)
        if who:
            client.login(who)
        return client


class Client:
    """One connection. ask() sends a message and returns its reply; a refusal is raised."""

    def __init__(self, port, timeout=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout or PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer, self.seq, self.pushes, self.now_ms = b"", 0, [], MONDAY_MS

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send_bytes(self, data):
        self.socket.sendall(data)

    def send(self, body, values=None, **frame_values):
        self.seq += 1
        self.send_bytes(frame(CONTRACT.encode("ClientFrame", {"seq": self.seq, **frame_values, body: values or {}})))
        return self.seq

    def receive(self):
        """The next frame the daemon sends; None when it closed the connection."""
        while True:
            length, start = read_varint(self.buffer, 0)
            if length is not None and len(self.buffer) >= start + length:
                body, self.buffer = self.buffer[start:start + length], self.buffer[start + length:]
                return CONTRACT.decode("ServerFrame", body)
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                assert not self.buffer, "the daemon closed in the middle of a frame"
                return None
            self.buffer += data

    def reply_to(self, seq):
        while True:
            got = self.receive()
            if got is None:
                raise ConnectionError("the daemon closed the connection")
            if got.get("seq", 0) == seq:
                return self._unwrap(got)
            assert got.get("seq", 0) == 0, f"a reply to {got.get('seq')} came instead of one to {seq}"
            if "refusal" in got:
                raise Refused(got["refusal"])
            self.pushes.append(got["push"])

    @staticmethod
    def _unwrap(got):
        if "refusal" in got:
            raise Refused(got["refusal"])
        return next(value for name, value in got.items() if name != "seq")

    def ask(self, body, values=None, **frame_values):
        return self.reply_to(self.send(body, values, **frame_values))

    def next_push(self):
        while not self.pushes:
            got = self.receive()
            assert got is not None, "the daemon closed the connection"
            assert got.get("seq", 0) == 0, f"a reply to {got.get('seq')} came, and nobody asked"
            self.pushes.append(got["push"])
        return self.pushes.pop(0)

    def login(self, who, token=None):
        welcome = self.ask("login", {"who": who, "token": token or f"demo-{who}", "client": "system test"})
        self.now_ms = welcome["now_ms"]
        return welcome

    def begin_upload(self, data, **values):
        return self.ask("begin_evidence", {"sha256": hashlib.sha256(data).digest(), "size": len(data), **values})

    def upload(self, data, chunk=None, until=None):
        """Uploads a file, going on where it was cut; its evidence reference. until: stops before this byte."""
        digest = hashlib.sha256(data).digest()
        state = self.begin_upload(data)
        step = chunk or state["chunk_max"]
        while not state.get("complete") and state.get("have", 0) < (until or len(data)):
            at = state.get("have", 0)
            state = self.ask("put_chunk", {"sha256": digest, "offset": at,
                                           "bytes": data[at:min(at + step, until or len(data))]})
        assert until or state.get("complete"), f"the upload stands at {state}"
        return digest

    def photo(self, role=None):
        """A small photo of its own, uploaded, as a report or an action names it."""
        named = {"sha256": self.upload(jpeg(300))}
        return {**named, "role": role} if role else named

    def fetch(self, digest):
        data, size = b"", None
        while size is None or len(data) < size:
            part = self.ask("get_evidence", {"sha256": digest, "offset": len(data)})
            size = part["size"]
            assert part.get("bytes"), f"nothing came behind byte {len(data)} of {size}"
            data += part["bytes"]
        return data

    def new_key(self):
        return uuid7(self.now_ms)


def jpeg(size):
    """Bytes that begin as a JPEG does; no two are alike."""
    return b"\xff\xd8\xff\xe0" + random.randbytes(size - 4)


def uuid7(now_ms):
    value = now_ms << 80 | 7 << 76 | random.getrandbits(12) << 64 | 2 << 62 | random.getrandbits(62)
    return value.to_bytes(16, "big")


class Street:
    """The sample jurisdiction as tests need it: who holds which role, and where a grid is."""

    def __init__(self, folder=SAMPLE):
        self.folder = folder
        self.people = self._rows("people.csv")
        self.grids = self._rows("grids.csv")
        self.posts = self._rows("posts.csv")
        self.categories = self._rows("categories.csv")
        self.cameras = self._cameras()
        self.reasons = self._rows("reasons.csv")

    def _cameras(self):
        """One row for each label that a camera may send."""
        labels = self._rows("camera_labels.csv")
        return [{**label, **camera} for camera in self._rows("cameras.csv") for label in labels
                if label["camera"] in ("*", camera["gateway"], camera["camera"])]

    def worker_of(self, grid):
        """The grid's full-time worker, as posts.csv has it."""
        return next((p["person"] for p in self.posts if p["area"] == grid and p["post"] == "full-time"), "worker-01")

    def _rows(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(line for line in file if not line.startswith("#")))

    def all_with(self, role, **columns):
        """Identities with this role that can log in with their demo token."""
        return [p["id"] for p in self.people if role in p["roles"].split("+") and self._has_demo_token(p)
                and all(p[name] == value for name, value in columns.items())]

    @staticmethod
    def _has_demo_token(person):
        return person["token_sha256"] == hashlib.sha256(f"demo-{person['id']}".encode()).hexdigest()

    def one_with(self, role, **columns):
        """The one whose rights reach furthest: nobody's area is above an empty one."""
        found = self.all_with(role, **columns)
        assert found, f"the sample jurisdiction has nobody with role {role} {columns or ''}"
        areas = {p["id"]: p["area"] for p in self.people}
        return min(found, key=lambda who: len(areas[who].rstrip("0")))

    def reporter(self):
        """A plain resident: not trusted, so that nothing is filed without being asked."""
        plain = [p["id"] for p in self.people if p["kind"] == "resident" and self._has_demo_token(p)
                 and p["trusted"] != "yes" and "reporter" in p["roles"].split("+")]
        assert plain, "the sample jurisdiction has no resident who can log in"
        return plain[0]

    def place(self, grid=0, nudge=0.0):
        """A place inside a grid; nudge (0 to 1) moves it towards the grid's corner."""
        west, south, east, north = self.inner_box(self.grids[grid]["grid"])
        return {"lat": (south + north) / 2 + nudge * (north - south) * 0.45,
                "lon": (west + east) / 2 + nudge * (east - west) * 0.45}

    def inner_box(self, code):
        """A box well inside a grid's jagged borders."""
        with open(os.path.join(self.folder, "grids.geojson"), encoding="utf-8") as file:
            features = json.load(file)["features"]
        shape = next(f["geometry"] for f in features if f["properties"]["grid"] == code)
        ring = shape["coordinates"][0] if shape["type"] == "Polygon" else shape["coordinates"][0][0]
        lons, lats = zip(*ring)
        lon, lat = 0.28 * (max(lons) - min(lons)), 0.28 * (max(lats) - min(lats))
        return min(lons) + lon, min(lats) + lat, max(lons) - lon, max(lats) - lat

    def category(self):
        """One that nothing is done with automatically, so that a test sees each step."""
        plain = [c["category"] for c in self.categories if c["sure"] != "yes" and c["after_photo"] != "yes"
                 and c["merge_m"] in ("", "0")]
        return (plain or [c["category"] for c in self.categories])[0]


class World:
    """A folder with Redis and a daemon in it. Use as a context, or keep one for a whole file of tests."""

    def __init__(self, with_redis=True, changes=None):
        self.folder = tempfile.mkdtemp(prefix="gridloop-", dir=os.environ.get("TMPDIR", "/tmp"))
        atexit.register(self.close)
        self.redis = Redis(self.folder).start() if with_redis else None
        self.daemon = Daemon(self.folder, self.redis, changes)

    def configure(self, changes):
        """Gives the daemon, which must not run, another configuration."""
        self.daemon = Daemon(self.folder, self.redis, changes)

    def __enter__(self):
        self.daemon.start().set_time(MONDAY_MS)
        return self

    def __exit__(self, *_):
        try:
            self.daemon.stop()
        finally:
            self.close()

    def close(self):
        """Takes everything down; safe to call twice."""
        if self.daemon.process and self.daemon.process.poll() is None:
            self.daemon.kill()
        if self.redis:
            self.redis.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def verify(daemon):
    """`gridloop verify` on the daemon's database, which must not be running."""
    evidence = os.path.join(daemon.folder, "evidence")
    done = subprocess.run([os.path.join(BUILD, "gridloop"), "verify", daemon.database, "--evidence", evidence], cwd=TOP, timeout=120,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"verify ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def cast_as_json(street):
    """Who plays which part, for tests in other languages."""
    return json.dumps({
        "reporter": street.reporter(), "acceptor": street.one_with("acceptor"),
        "dispatcher": street.one_with("dispatcher"), "supervisor": street.one_with("supervisor"),
        "worker": street.one_with("worker"), "operator": street.one_with("operator"),
        "handlers": {p["unit"]: p["id"] for p in street.people
                     if "handler" in p["roles"].split("+") and p["id"] in street.all_with("handler")},
        "category": street.category(), "place": street.place(), "elsewhere": street.place(nudge=0.9),
        "reasons": {r["act"]: r["code"] for r in reversed(street.reasons)}, "mondayMs": MONDAY_MS,
    })


def run_tests(namespace, finish=lambda: None):
    """Runs the functions called test_…, in the order of the file, then finish, and prints the count."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    wanted = sys.argv[1:]
    tests = [f for name, f in namespace.items() if name.startswith("test_") and (not wanted or name in wanted)]
    for test in tests + [finish]:
        try:
            test()
            result = "passed"
        except Skip as why:
            print(f"skipped {test.__name__}: {why}")
            result = "skipped"
        except Exception:  # whatever it is, the other tests still run
            print(f"FAILED {test.__name__}")
            traceback.print_exc(file=sys.stdout)
            result = "failed"
        if test is not finish or result == "failed":
            counts[result] += 1
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    sys.exit(1 if counts["failed"] or not sum(counts.values()) else 0)
