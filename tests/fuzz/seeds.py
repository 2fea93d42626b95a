"""Seeds for the fuzzing targets: our own messages, made from the contract, and the sample's own files. A fuzzer that begins
with what is nearly right gets deep sooner. write(folder) makes one folder a target in it."""
import glob
import os
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
    {"get_policy": {}}, {"put_chunk": {}}, {"get_evidence": {}},
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
         "contracts.csv", "policy.conf", "overlays.csv", "default_points.csv", "grids.geojson", "overlays.geojson"]


def files():
    for number, name in enumerate(FILES):
        for path in glob.glob(f"config/{name}") + glob.glob(f"config/jurisdiction/{name}"):
            with open(path, "rb") as file:
                lines = [line for line in file.read().split(b"\n") if not line.startswith(b"#")]
            # The outlines once with all that follows from them, once by themselves.
            yield bytes([number + (len(FILES) if number > 16 else 0)]) + b"\n".join(lines[:12])[:3000]
    yield bytes([17 + len(FILES)]) + (b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"grid":'
                         b'"610404004001001"},"geometry":{"type":"Polygon","coordinates":[[[108.1,34.1],[108.2,34.1],'
                         b'[108.2,34.2],[108.1,34.1]]]}}]}')


def sessions():
    every = list(bodies())
    for who in range(10):
        yield bytes([who, 0]) + b"".join(struct.pack("<H", len(b)) + b for b in every)
        for body in every[::3]:
            yield bytes([who, 0]) + struct.pack("<H", len(body)) + body
    yield bytes([0, 1]) + b"".join(frame(b) for b in every)


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
