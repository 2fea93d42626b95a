#!/usr/bin/env python3
"""Cameras as they are: their own messages through `gridloop camera-bridge` and a real Redis become alarms, a person
confirms or dismisses them, and one that posts 4,268 times is one case with that count."""
import glob
import os
import re
import shutil
import subprocess

from harness import BUILD, MONDAY_MS, SHARED, TOP, Skip, World, run_tests, verify, wait_until

DATA = os.path.join(SHARED, "data", "camera")
OWN = os.path.join(TOP, "tests", "system", "data")
MINUTE = 60000
DEVICES = ("4f:e4:2f:81:cd:1b", "E0:2C:37:93:D9:54", "1e:70:fe:e0:b2:be/1", "ac:b9:2f:49:44:75", "a6:63:9e:f8:01:09",
           "a6:60:9e:f8:01:09/2", "DS-7608NXI-I0/0P/S0000000000CCRRJ00000000WCVU/34", "Bedroom", "front_door", "CAMERA_001")
LABELS = (("IO", "E0136"), ("fielddetection/human", "E0401"), ("fielddetection/vehicle", "E0496"), ("fielddetection", "E0406"),
          ("VMD", "E0117"), ("PIR", "E0129"), ("person", "E0401"), ("car", "E0410"))


def jurisdiction(folder):
    """The sample with the real devices standing at one crossing."""
    shutil.copytree(os.path.join(TOP, "config", "jurisdiction"), folder)
    with open(os.path.join(folder, "cameras.csv"), "a", encoding="utf-8") as file:
        for i, device in enumerate(DEVICES):
            file.write(f"real-{i},Real {i},cameras-police,,34.33532,108.69165,{device}\n")
    with open(os.path.join(folder, "camera_labels.csv"), "a", encoding="utf-8") as file:
        for label, category in LABELS:
            file.write(f"cameras-police,{label},{category},,,,\n")
    return folder


WORLD = World()
FOLDER = jurisdiction(os.path.join(WORLD.folder, "jurisdiction"))
WORLD.configure({"jurisdiction": FOLDER})
WORLD.__enter__()
REDIS, NOW = WORLD.redis, [MONDAY_MS]


def bridge(form, *files, stdin=None, gateway="cameras-police", dry=False, expect=0):
    to = ["--dry-run"] if dry else ["--redis", f"unix:{REDIS.socket}", "--token", f"demo-{gateway}"]
    done = subprocess.run([os.path.join(BUILD, "gridloop"), "camera-bridge", "--from", form, "--jurisdiction", FOLDER,
                           "--as", gateway, *to, *files], input=stdin, capture_output=True, timeout=120, check=False)
    told = done.stderr.decode()
    assert done.returncode == expect, f"ended with {done.returncode}: {told}"
    numbers = re.search(r"(\d+) sent, (\d+) no alert, (\d+) of unknown cameras, (\d+) with unknown labels, "
                        r"(\d+) not sure enough, (\d+) broken", told)
    assert numbers, told
    if not dry:
        wait_until(taken, "the daemon to take what was sent", 60)
    return [int(n) for n in numbers.groups()], told, done.stdout.decode()


def taken():
    groups = REDIS.command("XINFO", "GROUPS", "gridloop:cameras")
    words = dict(zip(groups[0][::2], groups[0][1::2]))
    newest = REDIS.command("XREVRANGE", "gridloop:cameras", "+", "-", "COUNT", "1")
    return words[b"pending"] == 0 and (not newest or words[b"last-delivered-id"] == newest[0][0])


def dead():
    return REDIS.command("XLEN", "gridloop:dead")


def wait(span_ms):
    NOW[0] += span_ms
    WORLD.daemon.set_time(NOW[0])


def ask(who, body, values=None):
    with WORLD.daemon.client(who) as client:
        return client.ask(body, values or {})


def pending():
    return ask("acceptor-01", "list_cases", {"states": ["ALARM_PENDING"], "open_only": 1, "limit": 100}).get("cases", [])


def the_new_one(others):
    new = {c["number"] for c in pending()} - {c["number"] for c in others}
    assert len(new) == 1, new
    return new.pop()


def view(number):
    return ask("acceptor-01", "get_case", {"case_number": number})


def act(number, name, **more):
    return ask("acceptor-01", "action", {"case_number": number, "act": name, **more})


def received():
    return ask("supervisor-01", "get_stats", {"by": "BY_ALL"})["total"].get("received", 0)


def alert(count, kind="VMD", state="active"):
    with open(os.path.join(OWN, "hikvision_alert.xml"), "rb") as file:
        text = file.read()
    return text.replace(b"@COUNT@", str(count).encode()).replace(b"@TYPE@", kind.encode()).replace(b"@STATE@", state.encode())


def multipart(alerts):
    """As a camera's alertStream sends them, a picture among them."""
    head = b"--boundary\r\nContent-Type: application/xml; charset=\"UTF-8\"\r\nContent-Length: 1\r\n\r\n"
    picture = b"--boundary\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8<Event\x00{\"<EventNotif\xff\xd9\r\n"
    return b"".join(head + one + b"\r\n" + (picture if i % 100 == 0 else b"") for i, one in enumerate(alerts))


def test_the_real_hikvision_messages():
    files = sorted(glob.glob(os.path.join(DATA, "hikvision", "*.xml")))
    if not files:
        raise Skip(f"{DATA} is not here")
    assert len(files) == 9, files
    numbers, told, _ = bridge("hikvision", *files)
    assert numbers == [9, 0, 0, 0, 0, 0], told
    cases = pending()
    # Nine messages of eight devices: one device saw a human and a vehicle. PIR had been posted 4,268 times by then.
    assert len(cases) == 9, cases
    counts = sorted(view(c["number"]).get("alarm_count", 0) for c in cases)
    assert counts == [1] * 7 + [174, 4268], counts
    bridge("hikvision", *files)
    assert sorted(view(c["number"]).get("alarm_count", 0) for c in pending()) == counts, "the same messages counted again"
    answer = act(cases[0]["number"], "ACT_CONFIRM", text="看过画面, 属实")
    assert answer["state"] != "ALARM_PENDING", answer
    assert dead() == 0


def test_the_real_frigate_and_deepstream_messages():
    path = os.path.join(DATA, "frigate", "events_update.jsonc")
    if not os.path.exists(path):
        raise Skip(f"{DATA} is not here")
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"//.*", "", file.read())
    before = received()
    numbers, told, _ = bridge("frigate", stdin=text.encode())
    assert numbers == [1, 0, 0, 0, 0, 0], told
    assert received() == before + 1
    numbers, told, out = bridge("deepstream", *sorted(glob.glob(os.path.join(DATA, "deepstream", "*.json"))))
    assert numbers == [3, 0, 0, 0, 0, 0], told + out
    assert received() == before + 3, "a car of two messages, and a person"


def test_what_is_not_in_the_registry_is_told_once():
    before = received()
    numbers, told, _ = bridge("hikvision", stdin=multipart([alert(n, "linedetection") for n in range(1, 300)]), expect=1)
    assert numbers == [0, 0, 0, 299, 0, 0] and told.count("camera_labels.csv") == 1, told
    numbers, told, _ = bridge("hikvision", stdin=multipart([alert(n, "garbage") for n in range(1, 300)]))
    assert numbers == [0, 0, 0, 0, 299, 0] and told.count("gives no confidence") == 1, told
    numbers, told, _ = bridge("hikvision", stdin=alert(0, "videoloss", "inactive"))
    assert numbers == [0, 1, 0, 0, 0, 0], told
    assert received() == before


def test_four_thousand_posts_are_one_case():
    before, others = received(), pending()
    mad = [alert(n, "IO") for n in range(1, 4269)]
    assert bridge("hikvision", stdin=multipart(mad[:2000]))[0][0] == 2000
    number = the_new_one(others)
    assert act(number, "ACT_CONFIRM")["state"] != "ALARM_PENDING"
    bridge("hikvision", stdin=multipart(mad))
    wait(2 * MINUTE)
    assert received() == before + 1
    assert view(number)["alarm_count"] == 4268, view(number)
    history = view(number)["history"]
    assert len(history) < 30, f"{len(history)} events"
    assert dead() == 0


def test_dismissed_while_it_goes_on():
    before, others = received(), pending()
    bridge("hikvision", stdin=alert(1, "PIR"))
    number = the_new_one(others)
    act(number, "ACT_DISMISS", reason="false-alarm")
    for n in range(2, 13):
        wait(MINUTE)
        bridge("hikvision", stdin=alert(n, "PIR"))
    WORLD.daemon.kill()
    WORLD.daemon.start()
    bridge("hikvision", stdin=alert(13, "PIR"))
    assert received() == before + 1
    bridge("hikvision", stdin=alert(13, "PIR", "inactive"))
    bridge("hikvision", stdin=alert(14, "PIR"))
    assert received() == before + 2


def test_nobody_confirms():
    stats = ask("supervisor-01", "get_stats", {"by": "BY_ALL"})["total"]
    wait(20 * MINUTE)
    after = ask("supervisor-01", "get_stats", {"by": "BY_ALL"})["total"]
    assert not pending()
    assert after.get("expired_alarms", 0) > stats.get("expired_alarms", 0), after


def test_frigate_new_update_and_end_are_one_case():
    before = received()
    numbers, told, _ = bridge("frigate", os.path.join(OWN, "frigate_events.json"))
    assert numbers == [3, 1, 0, 0, 0, 0], told
    assert received() == before + 1
    number = pending()[0]["number"]
    assert view(number)["alarm_count"] == 3, view(number)


def test_one_owner_does_not_speak_for_the_other():
    before = received()
    numbers, told, _ = bridge("hikvision", stdin=alert(1, "IO"), gateway="cameras-property", expect=1)
    assert numbers == [0, 0, 1, 0, 0, 0] and "02:00:00:00:01:01" in told and "cameras.csv" in told, told
    assert received() == before


def test_hostile_bytes_are_passed_over():
    deep = b"<EventNotificationAlert>" + b"<a>" * 10000 + b"</EventNotificationAlert>"
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">]><EventNotificationAlert><eventType>&b;</eventType></EventNotificationAlert>'
    long = b"<EventNotificationAlert>" + b"x" * 1000000 + b"</EventNotificationAlert>"
    cut = b"<EventNotificationAlert><eventType>IO"
    numbers, told, _ = bridge("hikvision", stdin=deep + bomb + long + alert(1, "IO") + b"\xff\xfe" * 1000 + cut, dry=True, expect=1)
    assert numbers == [1, 0, 0, 0, 0, 4], told
    nested, broken = b"{" + b'"a":{' * 5000 + b"}" * 5001, b'{"type": }'
    huge = b'{"a":"' + b"x" * 1000000 + b'"}'
    with open(os.path.join(OWN, "frigate_events.json"), "rb") as file:
        good = file.read()
    numbers, told, _ = bridge("frigate", stdin=nested + broken + huge + b"]}" + good + b'{"type":', dry=True, expect=1)
    assert numbers == [3, 1, 0, 0, 0, 4], told


def test_the_bridge_says_what_is_missing():
    run = [os.path.join(BUILD, "gridloop"), "camera-bridge", "--from", "frigate", "--jurisdiction", FOLDER]
    for more, word in ((["--as", "cameras-police"], "--redis"), (["--dry-run", "--as", "resident-01"], "no gateway")):
        done = subprocess.run(run + more, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 2 and word in done.stderr, done.stderr
    done = subprocess.run(run + ["--as", "cameras-police", "--token", "x", "--redis", "127.0.0.1:1"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 3 and "Redis" in done.stderr, done.stderr


def finish():
    WORLD.daemon.stop()
    verify(WORLD.daemon)
    WORLD.close()


run_tests(globals(), finish=finish)
