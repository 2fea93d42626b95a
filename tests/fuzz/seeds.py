"""Seeds for the fuzzing targets: our own messages, made from the contract, and the sample's own files. A fuzzer that begins
with what is nearly right gets deep sooner. write(folder) makes one folder a target in it."""
import glob
import hashlib
import os
import re
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
from wire import VARINT, Contract, chunk, frame, varint  # noqa: E402

CONTRACT = Contract("proto/gridloop.proto")
NOW = 1795222800000
KEY = struct.pack(">Q", NOW << 16 | 0x7000) + bytes([0x80]) + b"seeds01"
PLACE = {"lat": 34.335, "lon": 108.6915}
PHOTO = {"sha256": bytes(range(32)), "role": "AFTER"}
REPORT = {"key": KEY, "category": "E0110", "place": PLACE, "address": "渭阳西路12号", "description": "垃圾",
          "seen_at_ms": NOW - 1000, "photos": ["sha256:" + "ab" * 32], "evidence": [PHOTO]}
ALARM = {"key": KEY, "camera": "police-01", "label": "garbage", "event": "e-1", "confidence": 0.9, "seen_at_ms": NOW,
         "channel": "1", "began_at_ms": NOW - 5000, "posts": 3}
CASE = "E01102026112100001"
ACTION = {"key": KEY, "case_number": CASE, "act": "DISPATCH", "reason": "not-ours", "text": "words",
          "unit": "sanitation", "units": ["police"], "place": PLACE, "rating": "SATISFIED", "finding": "EXISTS",
          "evidence": [PHOTO], "until_ms": NOW + 86400000, "extend_ms": 3600000, "master": CASE}
BODIES = [
    {"submit": REPORT}, {"submit_batch": {"reports": [REPORT, {**REPORT, "key": KEY[::-1]}]}}, {"alarm": ALARM},
    {"action": ACTION}, {"action": {**ACTION, "act": "FILE"}}, {"get_case": {"case_number": CASE}},
    {"list_cases": {"limit": 10}}, {"get_points": {"person": "resident-01"}}, {"get_stats": {}},
    {"subscribe": {}}, {"list_notices": {"limit": 10}}, {"notices_seen": {"up_to": 3}},
    {"points_entry": {"person": "resident-01", "points": 3, "text": "words"}}, {"ping": {"payload": b"hello"}},
    {"advance_clock": {"to_ms": NOW + 1000}}, {"declare_emergency": {"area": "610404004000", "text": "flood"}},
    {"lift_emergency": {"id": 1}}, {"list_emergencies": {}}, {"where": {"place": PLACE}}, {"begin_evidence": {}},
    {"get_policy": {}}, {"put_chunk": {}}, {"get_evidence": {}}, {"reload": {}}, {"get_audit": {"limit": 5}},
    {"issue_credential": {"key": KEY, "person": "worker-01", "label": "phone", "expires_ms": NOW + 86400000}},
    {"rotate_credential": {"key": KEY, "id": 1, "overlap_ms": 3600000, "label": "new phone"}},
    {"revoke_credential": {"key": KEY, "id": 1, "why": "lost", "insist": 1}}, {"list_credentials": {"ended_too": 1}},
    {"first_administrator": {"key": KEY, "person": "administrator-01", "label": "console"}},
    {"erase_person": {"key": KEY, "person": "resident-01", "why": "moved away"}},
]


def known(message, values):
    """The values that the contract still has a field for, so that a seed outlives a renaming."""
    names = {f.name: f for f in CONTRACT.messages[message]}
    out = {}
    for name, value in values.items():
        if name not in names:
            continue
        kind = names[name].kind
        if isinstance(value, dict):
            value = known(kind, value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            value = [known(kind, one) for one in value]
        elif kind in CONTRACT.enums and value not in CONTRACT.enums[kind]:
            value = next((w for w in CONTRACT.enums[kind] if w.endswith(value)), 1)
        out[name] = value
    return out


def bodies():
    for number, body in enumerate(BODIES, 2):
        yield CONTRACT.encode("ClientFrame", known("ClientFrame", {"seq": number, "replay_at_ms": NOW, **body}))
        yield CONTRACT.encode("ClientFrame", known("ClientFrame", {"seq": number, **body}))


def deepstream():
    stamp = varint(1 << 3 | VARINT) + varint(NOW // 1000)
    box = b"".join(varint(n << 3 | 5) + struct.pack("<f", 10.0 * n) for n in range(1, 5))
    thing = chunk(1, b"17") + chunk(2, box) + chunk(3, b"garbage") + varint(4 << 3 | 5) + struct.pack("<f", 0.92)
    picture = chunk(1, b"4.0") + chunk(2, b"1") + chunk(3, stamp) + chunk(4, b"police-01") + chunk(5, thing)
    told = chunk(1, b"m-1") + chunk(2, b"1.0") + chunk(3, stamp) + chunk(5, chunk(1, b"police-01")) + chunk(7, thing)
    return [picture, told]


def entries():
    for body in ({"report": REPORT}, {"action": ACTION}, {"alarm": ALARM}):
        values = known("StreamEntry", {"gateway": "cameras-police" if "alarm" in body else "rider-platform",
                                       "token": "demo-rider-platform", **body})
        yield b"\x00" + CONTRACT.encode("StreamEntry", values)
    for message in deepstream():
        yield b"\x81" + message


FILES = ["gridloop.conf", "areas.csv", "grids.csv", "categories.csv", "units.csv", "people.csv", "routes.csv",
         "cameras.csv", "camera_labels.csv", "reasons.csv", "post_kinds.csv", "posts.csv", "calendar.csv",
         "contracts.csv", "rights.csv", "policy.conf", "overlays.csv", "default_points.csv", "grids.geojson", "overlays.geojson"]
OUTLINES = FILES.index("grids.geojson")


def sound_files():
    """The files of the small jurisdiction that each input is put into, so that a seed fits the others."""
    with open("tests/unit/policy_folder.c", encoding="utf-8") as file:
        text = file.read()
    digest = re.search(r'#define DIGEST "(\w+)"', text)[1]
    for name, parts in re.findall(r'\{ "([a-z_]+\.(?:csv|conf))",((?:\s|DIGEST|"(?:[^"\\]|\\.)*")+)\}', text):
        words = re.findall(r'"((?:[^"\\]|\\.)*)"', parts.replace("DIGEST", f'"{digest}"'))
        yield name, "".join(words).replace("\\n", "\n").encode()


def files():
    for name, text in sound_files():
        yield bytes([FILES.index(name)]) + text
    for number, name in enumerate(FILES):
        for path in glob.glob(f"config/{name}") + glob.glob(f"config/jurisdiction/{name}"):
            with open(path, "rb") as file:
                lines = [line for line in file.read().split(b"\n") if not line.startswith(b"#")]
            # The outlines once with all that follows from them, once by themselves.
            yield bytes([number + (len(FILES) if number >= OUTLINES else 0)]) + b"\n".join(lines[:12])[:3000]
    yield bytes([FILES.index("rights.csv")]) + b"action,role,scope,phase\nsubmit,reporter,*,*\ncheck,worker,area,feedback\n"
    yield bytes([OUTLINES + len(FILES)]) + (b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"grid":'
                         b'"610404004001001"},"geometry":{"type":"Polygon","coordinates":[[[108.1,34.1],[108.2,34.1],'
                         b'[108.2,34.2],[108.1,34.1]]]}}]}')


PEOPLE = ["resident-01", "rider-platform", "acceptor-01", "dispatcher-01", "supervisor-01", "worker-01", "sanitation-01",
          "operator-01", "cameras-police", "station-01", "police-01", "administrator-01", "convener-street",
          "enforcement-01"]  # as in fuzz_session.c
RAW, OWN_DATABASE, NEXT_CONNECTION = 1, 2, struct.pack("<H", 0xFFFF)


def piece(body, values, at_ms, seq=2):
    frame_ = CONTRACT.encode("ClientFrame", known("ClientFrame", {"seq": seq, "replay_at_ms": at_ms, body: values}))
    return struct.pack("<H", len(frame_)) + frame_


class Life:
    """One input: what people ask one after another, each on a connection of its own, of a database of its own."""

    def __init__(self):
        self.bytes, self.now, self.keys, self.case = b"", NOW, 0, CASE

    def ask(self, who, body, later_ms=60000, **values):
        self.now += later_ms
        self.bytes += NEXT_CONNECTION if self.bytes else b""
        self.bytes += bytes([PEOPLE.index(who), OWN_DATABASE if not self.bytes else 0]) + piece(body, values, self.now)
        return self

    def key(self):
        self.keys += 1
        return struct.pack(">Q", self.now << 16 | 0x7000) + bytes([0x80]) + b"life%03d" % self.keys

    def report(self, category="E0110", **more):
        return self.ask("resident-01", "submit", **{**REPORT, "key": self.key(), "category": category, "photos": [], "evidence": [], **more})

    def act(self, who, act, **more):
        return self.ask(who, "action", key=self.key(), case_number=self.case, act="ACT_" + act, text="words", **more)

    def photo(self, who, number):
        data = b"\xff\xd8\xff\xe0" + bytes([number]) * 60
        digest = hashlib.sha256(data).digest()
        self.ask(who, "begin_evidence", 0, sha256=digest, size=len(data))
        self.ask(who, "put_chunk", 0, sha256=digest, offset=0, bytes=data)
        return [{"sha256": digest, "role": "AFTER"}]

    def worked_on(self):
        return self.report().act("acceptor-01", "FILE").act("sanitation-01", "SIGN")

    def noise_at_night(self):
        """What two units work on."""
        self.case, self.now = CASE.replace("0110", "0301"), NOW + 14 * 3600000
        self.report("E0301").act("acceptor-01", "FILE").act("police-01", "SIGN").act("police-01", "HANDLED")
        return self.act("enforcement-01", "CO_HANDLED").act("supervisor-01", "CHECK").act("supervisor-01", "REWORK", reason="half-done")

    def done(self, rating):
        self.worked_on()
        self.act("sanitation-01", "HANDLED", evidence=self.photo("sanitation-01", 1))
        self.act("worker-01", "CHECK")
        return self.act("worker-01", "PASS").act("resident-01", "REVIEW", rating=rating)


def lives():
    """The loop's ways, each from its first report on."""
    yield Life().done("SATISFIED").ask("operator-01", "advance_clock", settle=1).ask(
        "station-01", "points_entry", key=KEY, person="resident-01", points=1, text="soap")
    yield Life().done("UNSATISFIED").act("supervisor-01", "REOPEN").act("sanitation-01", "HANDLED")
    yield Life().worked_on().act("sanitation-01", "ASK_EXTENSION", extend_ms=3600000).act("supervisor-01", "EXTEND")
    yield Life().worked_on().act("sanitation-01", "ASK_SUSPENSION", reason="weather", until_ms=NOW + 86400000).act(
        "supervisor-01", "SUSPEND").act("supervisor-01", "RESUME")
    yield Life().worked_on().act("sanitation-01", "RETURN", reason="wrong-unit").act("dispatcher-01", "TAKE_BACK")
    yield Life().worked_on().act("convener-street", "WHISTLE", units=["police"]).act("police-01", "ANSWER")
    yield Life().noise_at_night()
    yield Life().report("E9002", place={"lat": 1.0, "lon": 1.0}).act("acceptor-01", "LOCATE", grid="610404004001001")
    looked = Life().report().act("acceptor-01", "VERIFY", unit="worker-01")
    yield looked.act("worker-01", "VERIFIED", finding="EXISTS", place=PLACE, evidence=looked.photo("worker-01", 2))
    yield Life().report().act("acceptor-01", "REJECT", reason="not-ours")
    yield Life().report().report("E0125").act("acceptor-01", "MERGE", master=CASE.replace("0110", "0125")[:-1] + "2")
    yield Life().report().act("resident-01", "WITHDRAW").ask("resident-01", "erase_person", key=KEY, person="resident-01", why="gone")
    yield Life().ask("cameras-police", "alarm", **{**ALARM, "seen_at_ms": NOW}).ask(
        "cameras-police", "alarm", **{**ALARM, "key": KEY[::-1], "ended": 1}).act("acceptor-01", "CONFIRM")
    yield Life().worked_on().ask("operator-01", "advance_clock", to_ms=NOW + 9 * 86400000).ask(
        "supervisor-01", "declare_emergency", area="610404004000", text="flood").act("supervisor-01", "SUPERVISE").act(
        "sanitation-01", "REPLY").act("supervisor-01", "EXEMPT", reason="weather")
    admin = Life()
    for body in ("issue_credential", "rotate_credential", "list_credentials", "revoke_credential"):
        admin.ask("administrator-01", body, **{**next(b[body] for b in BODIES if body in b), "key": admin.key()})
    yield admin


def sessions():
    every = list(bodies())
    for who in range(len(PEOPLE)):
        yield bytes([who, 0]) + b"".join(struct.pack("<H", len(b)) + b for b in every)
        for body in every[::3]:
            yield bytes([who, 0]) + struct.pack("<H", len(body)) + body
    yield bytes([0, RAW]) + b"".join(frame(b) for b in every)
    for life in lives():
        yield life.bytes


SEEDS = {
    "fuzz_frame": lambda: [b"\xff\x07" + frame(b"abc") + frame(b""), b"\xff\x07" + frame(next(bodies())),
                           b"\x01\x08" + frame(b"x" * 200)],
    "fuzz_message": lambda: [bytes([who]) + body for who, body in enumerate(bodies())],
    "fuzz_entry": entries,
    "fuzz_files": files,
    "fuzz_session": sessions,
}


def write(folder):
    for target, seeds in SEEDS.items():
        os.makedirs(f"{folder}/{target}", exist_ok=True)
        for number, seed in enumerate(seeds()):
            with open(f"{folder}/{target}/seed-{number:03}", "wb") as file:
                file.write(seed)
