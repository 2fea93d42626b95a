#!/usr/bin/env python3
"""Photos and clips in chunks over the same connection: cut and gone on with, named by reports and actions, fetched by
who may see the case, refused by name whatever is wrong with them; and a kill in the middle loses nothing."""
import hashlib
import json
import os
import socket
import subprocess
import threading

from harness import BUILD, MONDAY_MS, PATIENCE, Refused, Street, World, jpeg, run_tests, uuid7, verify, wait_until

STREET = Street()
WORLD = World(with_redis=False, changes={"evidence_image_max": "2m", "evidence_clip_max": "3m",
                                         "evidence_partials_max": "60", "evidence_day_max": "200m"})
FOLDER = os.path.join(WORLD.folder, "evidence")
RESIDENTS = STREET.all_with("reporter", kind="resident")
ALICE, BOB, CAROL = RESIDENTS[:3]
ACCEPTOR = STREET.one_with("acceptor")


def refusal(rule, act):
    try:
        got = act()
    except Refused as why:
        assert why.rule == rule, f"refused by {why.rule} instead of {rule}: {why}"
        return why
    raise AssertionError(f"{rule} was not enforced; came {got}")


def report(client, evidence, **values):
    return client.ask("submit", {"key": uuid7(MONDAY_MS), "category": "E9005", "place": STREET.place(),
                                 "description": "有照片", "evidence": evidence, **values})


def path_of(digest):
    name = digest.hex()
    return os.path.join(FOLDER, name[:2], name[2:4], name)


def partials():
    return os.listdir(os.path.join(FOLDER, "partial"))


def test_an_upload_is_cut_and_gone_on_with():
    WORLD.daemon.start().set_time(MONDAY_MS)
    data = jpeg(500_000)
    with WORLD.daemon.client(ALICE) as client:
        client.upload(data, until=200_000)
    with WORLD.daemon.client(ALICE) as client:
        state = client.begin_upload(data)
        assert state["have"] == 200_000 and not state.get("complete"), state
        digest = client.upload(data)
        assert client.begin_upload(data) == {"sha256": digest, "size": 500_000, "have": 500_000, "complete": True,
                                             "type": "image/jpeg", "chunk_max": state["chunk_max"]}
        with open(path_of(digest), "rb") as file:
            assert file.read() == data
        wait_until(lambda: not partials(), "the partial to go")
        number = report(client, [{"sha256": digest, "role": "NEAR"}])["case_number"]
        view = client.ask("get_case", {"case_number": number})
        assert [(e["sha256"], e["role"], e["type"], e["size"], e["sender"]) for e in view["evidence"]] == [
            (digest, "NEAR", "image/jpeg", 500_000, ALICE)], view
        assert client.fetch(digest) == data


def test_who_may_fetch():
    with WORLD.daemon.client(ALICE) as alice, WORLD.daemon.client(BOB) as bob, WORLD.daemon.client(ACCEPTOR) as staff:
        data = jpeg(70_000)
        digest = alice.upload(data)
        nobody = refusal("evidence-is-yours-to-see", lambda: bob.fetch(b"\x07" * 32))
        stranger = refusal("evidence-is-yours-to-see", lambda: bob.fetch(digest))
        assert str(nobody) == str(stranger), "a stranger learns that somebody has it"
        refusal("evidence-is-yours-to-see", lambda: staff.fetch(digest))  # no case names it yet
        report(alice, [{"sha256": digest}])
        assert staff.fetch(digest) == data
        refusal("evidence-is-yours-to-see", lambda: bob.fetch(digest))
        refusal("evidence-is-uploaded", lambda: report(bob, [{"sha256": digest}]))


def test_the_same_content_from_two_people_lies_once_and_tells_nothing():
    data = jpeg(90_000)
    with WORLD.daemon.client(ALICE) as alice, WORLD.daemon.client(BOB) as bob:
        digest = alice.upload(data)
        state = bob.begin_upload(data)
        assert state.get("have", 0) == 0 and not state.get("complete"), f"Bob learns that somebody has it: {state}"
        bob.upload(data)
        report(bob, [{"sha256": digest}])
        wait_until(lambda: not partials(), "the partials to go")
        assert os.stat(path_of(digest)).st_nlink == 1


def test_what_is_refused():
    with WORLD.daemon.client(ALICE) as client:
        data = jpeg(1000)
        digest = hashlib.sha256(data).digest()
        put = lambda offset, part, of=digest: client.ask("put_chunk", {"sha256": of, "offset": offset, "bytes": part})
        refusal("upload-is-begun", lambda: put(0, data))
        refusal("evidence-is-a-digest", lambda: client.ask("begin_evidence", {"sha256": b"short", "size": 9}))
        refusal("file-is-small-enough", lambda: client.begin_upload(data, size=0))
        refusal("file-is-small-enough", lambda: client.begin_upload(data, size=3 << 20 | 1))
        refusal("file-is-small-enough", lambda: client.begin_upload(data, size=2 << 20 | 1, kind="IMAGE"))
        client.begin_upload(data)
        refusal("chunk-is-within-the-file", lambda: put(0, b""))
        refusal("chunk-is-within-the-file", lambda: put(0, data + b"x"))
        refusal("chunk-is-within-the-file", lambda: put(-1, data))
        refusal("chunk-follows-what-is-here", lambda: put(500, data[500:]))
        assert put(0, data[:600])["have"] == 600
        assert put(0, data[:600])["have"] == 600  # sent again
        refusal("evidence-is-uploaded", lambda: report(client, [{"sha256": digest}]))
        assert put(300, data[300:])["complete"]  # overlapping
        assert put(300, data[300:])["complete"]  # and again, behind the end


def test_wrong_content_is_dropped():
    with WORLD.daemon.client(ALICE) as client:
        data = jpeg(40_000)
        digest = hashlib.sha256(data).digest()
        client.begin_upload(data)
        wrong = data[:-1] + bytes([data[-1] ^ 1])
        client.ask("put_chunk", {"sha256": digest, "offset": 0, "bytes": wrong[:30_000]})
        refusal("content-has-its-digest",
                lambda: client.ask("put_chunk", {"sha256": digest, "offset": 30_000, "bytes": wrong[30_000:]}))
        assert not partials() and not os.path.exists(path_of(digest))
        for start, type_ in ((b"%PDF-1.7" + bytes(100), None), (b"<svg xmlns=" + bytes(100), None),
                             (b"\x89PNG\r\n\x1a\n" + bytes(100), "image/png"),
                             (b"\0\0\0\x18ftypmp42" + bytes(100), "video/mp4"),
                             (b"RIFF\0\0\0\0WEBPVP8 " + bytes(100), "image/webp"),
                             (b"\0\0\0\x18ftypheic" + bytes(100), "image/heic"), (b"\xff\xd8\xff", "image/jpeg")):
            if type_:
                client.upload(start)
                assert client.begin_upload(start)["type"] == type_
            else:
                refusal("type-is-taken", lambda: client.upload(start))
        big = jpeg((2 << 20) + 1)  # as a clip it would do
        refusal("file-is-small-enough", lambda: client.upload(big))
        assert not partials()


def test_many_at_once_and_one_alone():
    """Fifty uploads at a time, and another connection's pings meanwhile."""
    files, troubles = [jpeg(200_000) for _ in range(50)], []

    def send(data):
        try:
            with WORLD.daemon.client(BOB) as client:
                client.upload(data)
        except Exception as why:  # told by the one who waits
            troubles.append(why)

    threads = [threading.Thread(target=send, args=(data,)) for data in files]
    for thread in threads:
        thread.start()
    with WORLD.daemon.client(ALICE) as client:
        while any(t.is_alive() for t in threads):
            client.ask("ping")
    for thread in threads:
        thread.join(PATIENCE)
    assert not troubles, troubles
    assert all(os.path.getsize(path_of(hashlib.sha256(d).digest())) == 200_000 for d in files)


def test_unfinished_uploads_have_a_limit():
    with WORLD.daemon.client(CAROL) as client:
        begun = []
        for _ in range(60):
            begun.append(jpeg(100))
            client.begin_upload(begun[-1])
        refusal("unfinished-uploads-at-most", lambda: client.begin_upload(jpeg(100)))
        client.upload(begun[0])
        wait_until(lambda: len(partials()) < 60, "room for another")
        client.begin_upload(jpeg(100))


def test_a_pipelining_client_gets_every_reply_in_order():
    data = jpeg(1_000_000)
    digest = hashlib.sha256(data).digest()
    with WORLD.daemon.client(BOB) as client:
        step = client.begin_upload(data)["chunk_max"]
        seqs = [client.send("put_chunk", {"sha256": digest, "offset": at, "bytes": data[at:at + step]})
                for at in range(0, len(data), step)]
        states = [client.reply_to(seq) for seq in seqs]
        assert [s["have"] for s in states] == [min((i + 1) * step, len(data)) for i in range(len(seqs))]
        assert states[-1]["complete"]


def test_a_truncated_chunk_frame_costs_only_its_connection():
    data = jpeg(50_000)
    with WORLD.daemon.client(BOB) as client:
        client.upload(data, until=10_000)
        client.send_bytes(b"\xff\xff\x01")  # a frame of 32,767 bytes that never comes
        client.socket.shutdown(socket.SHUT_WR)
        assert client.receive() is None
    with WORLD.daemon.client(BOB) as client:
        assert client.begin_upload(data)["have"] == 10_000
        client.upload(data)


def test_kill_in_the_middle_then_on():
    data, done = jpeg(1_500_000), jpeg(30_000)
    with WORLD.daemon.client(ALICE) as client:
        digest = client.upload(done)
        client.upload(data, until=700_000)
    WORLD.daemon.kill()
    WORLD.daemon.start()
    with WORLD.daemon.client(ALICE) as client:
        assert client.begin_upload(done)["complete"], "what was complete is not"
        have = client.begin_upload(data)["have"]
        assert have == 700_000, f"{have} bytes were kept"
        report(client, [{"sha256": client.upload(data), "role": "NEAR"}, {"sha256": digest, "role": "FAR"}])


def test_a_torn_partial_is_found_out():
    """As after a power cut: the length is there, the bytes are not."""
    data = jpeg(64_000)
    with WORLD.daemon.client(ALICE) as client:
        client.upload(data, until=32_000)
    WORLD.daemon.stop()
    name = next(n for n in partials() if hashlib.sha256(data).hexdigest() in n)
    with open(os.path.join(FOLDER, "partial", name), "r+b") as file:
        file.seek(16_000)
        file.write(bytes(4096))
    WORLD.daemon.start()
    with WORLD.daemon.client(ALICE) as client:
        refusal("content-has-its-digest", lambda: client.upload(data))
        client.upload(data)


def test_photos_of_an_action():
    with WORLD.daemon.client(ALICE) as alice, WORLD.daemon.client(ACCEPTOR) as acceptor:
        number = alice.ask("submit", {"key": uuid7(MONDAY_MS), "category": "E0304", "place": STREET.place()})["case_number"]
        act = lambda client, name, **values: client.ask("action", {"case_number": number, "act": name, **values})
        refusal("near-and-far-photos", lambda: act(acceptor, "ACT_FILE"))
        act(acceptor, "ACT_VERIFY")
        worker = acceptor.ask("get_case", {"case_number": number})["history"][-1]["ref"]
        with WORLD.daemon.client(worker) as client:
            found = {"finding": "EXISTS", "place": STREET.place()}
            refusal("verified-with-a-photo", lambda: act(client, "ACT_VERIFIED", photos=["https://x/1"], **found))
            act(client, "ACT_VERIFIED", evidence=[client.photo("NEAR"), client.photo("FAR")], **found)
        act(acceptor, "ACT_FILE")
        handler = next(p["id"] for p in STREET.people
                       if p["unit"] == alice.ask("get_case", {"case_number": number})["summary"]["handler"])
        with WORLD.daemon.client(handler) as client:
            act(client, "ACT_SIGN")
            refusal("after-photo", lambda: act(client, "ACT_HANDLED", text="洒水了", photos=["after.jpg"]))
            digest = client.upload(jpeg(5000))
            act(client, "ACT_HANDLED", text="洒水了", photos=["sha256:" + digest.hex(), "https://x/2"])
        evidence = alice.ask("get_case", {"case_number": number})["evidence"]
        assert [e["role"] for e in evidence] == ["NEAR", "FAR", "AFTER"], evidence
        assert alice.fetch(digest)[:3] == b"\xff\xd8\xff", "the reporter may see the result"


def gridloop(who, *words, code=0):
    done = subprocess.run([os.path.join(BUILD, "gridloop"), *words, "--server", f"127.0.0.1:{WORLD.daemon.port}",
                           "--as", who, "--token", f"demo-{who}"], capture_output=True, text=True, check=False,
                          timeout=PATIENCE, cwd=WORLD.folder)
    assert done.returncode == code, f"gridloop {words} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_command_line():
    files = {name: jpeg(size) for name, size in (("near.jpg", 300_000), ("far.jpg", 20), ("clip:1.jpg", 90_000))}
    for name, data in files.items():
        with open(os.path.join(WORLD.folder, name), "wb") as file:
            file.write(data)
    with WORLD.daemon.client(BOB) as client:  # an earlier try that was cut
        client.upload(files["near.jpg"], until=100_000)
    place = "{lat},{lon}".format(**STREET.place())
    number = json.loads(gridloop(BOB, "report", "E9005", "--at", place, "--photo", "near.jpg:near", "--photo",
                                 "far.jpg:far", "--photo", "clip:1.jpg", "--photo", "https://x/3", "--json",
                                 "丢了东西"))["number"]
    rows = json.loads(gridloop(ACCEPTOR, "evidence", "list", number, "--json"))
    assert [(r["shows"], r["type"], r["bytes"]) for r in rows] == [
        ("near", "image/jpeg", 300_000), ("far", "image/jpeg", 20), (None, "image/jpeg", 90_000)], rows
    gridloop(ACCEPTOR, "evidence", "get", rows[0]["reference"], "-o", "back.jpg")
    with open(os.path.join(WORLD.folder, "back.jpg"), "rb") as file:
        assert file.read() == files["near.jpg"]
    gridloop(ALICE, "evidence", "get", rows[0]["reference"], "-o", "stolen.jpg", code=1)
    assert rows[0]["reference"] in gridloop(BOB, "evidence", "put", "near.jpg")
    gridloop(BOB, "report", "E9005", "--photo", "none.jpg:near", "没有", code=2)


def test_the_database_and_the_files_prove_themselves():
    WORLD.daemon.stop()
    verify(WORLD.daemon)
    some = next(os.path.join(at, names[0]) for at, _, names in os.walk(FOLDER) if names and "partial" not in at)
    with open(some, "r+b") as file:
        file.seek(10)
        file.write(b"\0\1\2\3")
    try:
        verify(WORLD.daemon)
    except AssertionError as why:
        assert "has other bytes" in str(why), why
    else:
        raise AssertionError("a changed file was not found out")


run_tests(globals(), finish=WORLD.close)
