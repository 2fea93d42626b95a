#!/usr/bin/env python3
"""A frame of every type of message that proto/gridloop.proto knows, cut at every byte: in two writes, cut and ended, cut
and reset, byte by byte, all glued together; plain and by TLS, where records are cut too. A frame that came whole gets its
one answer, one that did not gets none and has no effect.

The types are read from the contract, so a new one is cut from the day it is written there."""
import os
import select
import socket
import ssl
import struct
import subprocess
import threading

import ledger as books
from harness import CONTRACT, MONDAY_MS, PATIENCE, World, free_port, read_varint, uuid7
from load import RESIDENT, new_report
from wire import frame

AT_ONCE = 48  # connections side by side: what one waits for the others use
RESET = struct.pack("ii", 1, 0)
BUFFERED, REST = 5000, 3000  # more than 4 KiB wait already when the rest comes together with the end
SENT = {}  # key of each report whose frame was cut or whole: whether it came whole


# ---- one of each ----

def sample(kind, depth=0):
    """A message of this type with every field that is not itself too deep."""
    return {f.name: [value_of(f, depth)] if f.repeated else value_of(f, depth) for f in CONTRACT.messages[kind]
            if f.kind not in CONTRACT.messages or depth < 2}


def value_of(field, depth):
    if field.kind in CONTRACT.messages:
        return sample(field.kind, depth + 1)
    if field.kind in CONTRACT.enums:
        return 1
    if field.kind == "bytes":
        return uuid7(MONDAY_MS) if field.name == "key" else bytes(range(32))
    return {"string": "x", "double": 1.5}.get(field.kind, 1)


def types():
    return [f for f in CONTRACT.messages["ClientFrame"] if f.kind in CONTRACT.messages]


def message_of(field, seq, whole):
    """The frame of a message of this type. A report is a good one, so that it would have an effect."""
    if field.name == "login":
        values = {"who": RESIDENT, "token": f"demo-{RESIDENT}"}
    elif field.name == "submit":
        values = new_report()
        SENT[values["key"]] = whole
    else:
        values = sample(field.kind)
    return frame(CONTRACT.encode("ClientFrame", {"seq": seq, field.name: values}))


def ping(seq, size=1):
    return frame(CONTRACT.encode("ClientFrame", {"seq": seq, "ping": {"payload": b"p" * size}}))


def login(seq):
    return frame(CONTRACT.encode("ClientFrame", {"seq": seq, "login": {"who": RESIDENT, "token": f"demo-{RESIDENT}"}}))


# ---- a connection ----

class Link:
    """One connection, plain or by TLS; with TLS the bytes pass through our hands, so that they can be held and cut, and
    so that what was said before our goodbye is still heard after it."""

    def __init__(self, port, context=None):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data, self.seqs, self.is_tls, self.is_over = b"", [], context is not None, False
        if context:
            self.into, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
            self.tls = context.wrap_bio(self.into, self.out, server_hostname="localhost")
            self.shake()

    def shake(self):
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.socket.sendall(self.out.read())
                self.into.write(self.socket.recv(65536))
        self.socket.sendall(self.out.read())

    def wrapped(self, data):
        """What goes over the wire for these bytes."""
        if not self.is_tls:
            return data
        self.tls.write(data)
        return self.out.read()

    def goodbye(self):
        """close_notify, as bytes; it does not wait for the other's."""
        if not self.is_tls:
            return b""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        return self.out.read()

    def send(self, data):
        self.socket.sendall(self.wrapped(data))

    def end(self, goodbye=True):
        """No more from this side. By TLS with close_notify before it, or without."""
        if goodbye:
            self.socket.sendall(self.goodbye())
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.socket.close()

    def take(self):
        """Reads once; False at the end."""
        try:
            more = self.socket.recv(65536)
        except ConnectionResetError:
            more = b""
        self.data += self.unwrapped(more) if self.is_tls else more
        while True:
            length, start = read_varint(self.data, 0)
            if length is None or len(self.data) < start + length:
                return bool(more) and not self.is_over
            got = CONTRACT.decode("ServerFrame", self.data[start:start + length])
            self.data = self.data[start + length:]
            if got.get("seq", 0):
                self.seqs.append(got["seq"])

    def unwrapped(self, more):
        data = b""
        self.into.write(more)
        try:
            while part := self.tls.read(65536):
                data += part
            self.is_over = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self.is_over = True
        return data

    def take_until(self, seq):
        while seq not in self.seqs:
            if not self.take():
                return False
        return True

    def take_all(self):
        while self.take():
            pass
        self.socket.close()
        return self.seqs

    def is_quiet(self):
        return not select.select([self.socket], [], [], 0)[0]


class Target:
    """Where to, and what was found wrong there."""

    def __init__(self, port, tls=None):
        self.port, self.tls, self.lost, self.doubled, self.cuts, self.said = port, tls, 0, 0, 0, 0
        self.barrier = Link(port, tls)
        self.barrier.send(login(1))
        self.barrier.take_until(1)

    def link(self):
        return Link(self.port, self.tls)

    def everything_was_read(self):
        """What had come before this was asked has been read when it is answered: the loop takes sockets in order."""
        self.barrier.seqs.clear()
        self.barrier.send(ping(7))
        self.barrier.take_until(7)

    def fault(self, kind, text):
        setattr(self, kind, getattr(self, kind) + 1)
        self.said += 1
        if self.said <= 5:
            print(f"frames: {kind}: {text}", flush=True)

    def expect(self, seqs, wanted, unwanted, what):
        for seq in wanted:
            if seqs.count(seq) != 1:
                self.fault("doubled" if seq in seqs else "lost", f"{what}: {seqs.count(seq)} answers to a whole frame")
        if unwanted in seqs:
            self.fault("doubled", f"{what}: a partial frame was answered")


def groups(numbers):
    numbers = list(numbers)
    return [numbers[at:at + AT_ONCE] for at in range(0, len(numbers), AT_ONCE)]


# ---- the cuts ----

def in_two_writes(target, field):
    """The first part is read before the second is sent; until then nothing may come."""
    length = len(message_of(field, 3, False))
    for cuts in groups(range(1, length)):
        links = [target.link() for _ in cuts]
        whole = [message_of(field, 3, True) for _ in cuts]
        for link, data, cut in zip(links, whole, cuts):
            link.send(login(1) + data[:cut])
        for link in links:
            link.take_until(1)
        target.everything_was_read()
        for link, cut in zip(links, cuts):
            if not link.is_tls and not link.is_quiet() and field.name != "subscribe":
                link.take()
                target.expect(link.seqs, [], 3, f"{field.name} at {cut}, first part")
        for link, data, cut in zip(links, whole, cuts):
            link.send(data[cut:])
        for link, cut in zip(links, cuts):
            link.take_until(3)
            target.expect(link.seqs, [1, 3], None, f"{field.name} at {cut}, two writes")
            link.socket.close()
        target.cuts += len(cuts)


def cut_and(target, field, how):
    """A login and a ping that are whole, then a part of a frame, then the end in some manner."""
    length = len(message_of(field, 3, False))
    for cuts in groups(range(0, length)):
        links = [target.link() for _ in cuts]
        for link, cut in zip(links, cuts):
            link.send(login(1) + ping(2) + message_of(field, 3, False)[:cut])
            if how != "reset":
                link.end(goodbye=how == "end")
        for link, cut in zip(links, cuts):
            if how == "reset":
                link.take_until(2)
                link.reset()
            else:
                link.take_all()
            target.expect(link.seqs, [1, 2], 3, f"{field.name} cut at {cut}, {how}")
        target.cuts += len(cuts)


def byte_by_byte(target, field):
    link, data = target.link(), message_of(field, 3, True)
    link.send(login(1))
    link.take_until(1)
    for at in range(len(data)):
        if at == len(data) - 1:
            target.everything_was_read()
            if not link.is_tls and not link.is_quiet():
                link.take()
                target.expect(link.seqs, [], 3, f"{field.name} but for its last byte")
        link.send(data[at:at + 1])
    link.take_until(3)
    target.expect(link.seqs, [1, 3], None, f"{field.name} byte by byte")
    link.socket.close()
    target.cuts += 1


def glued(target, fields):
    """One of each in one write, then the end: as many answers as frames."""
    link = target.link()
    data = login(1) + b"".join(message_of(field, 10 + n, True) for n, field in enumerate(fields))
    link.send(data)
    link.end()
    seqs = link.take_all()
    target.expect(seqs, [1] + [10 + n for n in range(len(fields))], None, "all glued together")
    target.cuts += 1


def rest_and_goodbye(target):
    """Thousands of bytes of a frame wait already when its rest, whole frames and the end come together."""
    for after in range(4):
        link, data = target.link(), ping(2, BUFFERED + REST)
        link.send(login(1) + data[:BUFFERED])
        link.take_until(1)
        target.everything_was_read()
        link.socket.sendall(link.wrapped(data[BUFFERED:] + b"".join(ping(3 + n) for n in range(after))) + link.goodbye())
        link.socket.shutdown(socket.SHUT_WR)
        target.expect(link.take_all(), [1, 2] + [3 + n for n in range(after)], None, f"rest, {after} more and goodbye")
        target.cuts += 1


def records_cut(target):
    """The record that holds a frame, cut at each of its bytes."""
    length = len(target.link().wrapped(ping(3)))
    for cut in range(length + 1):
        link = target.link()
        link.socket.sendall(link.wrapped(ping(2)) + link.wrapped(ping(3))[:cut])
        link.socket.shutdown(socket.SHUT_WR)
        target.expect(link.take_all(), [2] + [3] * (cut == length), None if cut == length else 3, f"a record cut at {cut}")
        target.cuts += 1


def all_cuts(target, fields):
    for field in fields:
        in_two_writes(target, field)
        cut_and(target, field, "end")
        cut_and(target, field, "reset")
        if target.tls:
            cut_and(target, field, "end without goodbye")
        byte_by_byte(target, field)
    glued(target, fields)
    rest_and_goodbye(target)
    if target.tls:
        records_cut(target)


def flips(trial, target, fields):
    """Every byte of every frame with one bit of it turned: whatever is said to it, it is said, and the end comes."""
    for field in fields:
        for numbers in groups(range(len(message_of(field, 3, False)))):
            links = [target.link() for _ in numbers]
            for link, at in zip(links, numbers):
                data = bytearray(message_of(field, 3, False))
                data[min(at, len(data) - 1)] ^= 1 << trial.random.randrange(8)
                SENT.clear()
                link.send(login(1) + bytes(data))
                link.end()
            for link in links:
                if 1 not in link.take_all():
                    target.fault("lost", f"{field.name} with a bit turned: not even the login was answered")
            trial.add(runs=len(numbers))


# ---- what has to be found ----

class Pretender:
    """A server that answers pings and logins, wrongly: eager, before the last byte is there; hasty, and what comes
    together with the end is dropped."""

    def __init__(self, manner):
        self.manner, self.listening = manner, socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                taken, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(taken,), daemon=True).start()

    def serve(self, taken):
        data, missing = b"", 1 if self.manner == "eager" else 0
        try:
            while True:
                more = taken.recv(65536)
                if self.manner == "hasty" and more and self.ends(taken):
                    break
                data += more
                data = self.answer(taken, data, missing)
                if not more:
                    break
        except OSError:
            pass
        taken.close()

    @staticmethod
    def ends(taken):
        return bool(select.select([taken], [], [], 0.05)[0]) and taken.recv(1, socket.MSG_PEEK) == b""

    @staticmethod
    def answer(taken, data, missing):
        while True:
            length, start = read_varint(data, 0)
            if length is None or length == 0 or len(data) < start + length - missing:
                return data
            seq, _ = read_varint(data, start + 1)
            taken.sendall(frame(CONTRACT.encode("ServerFrame", {"seq": seq, "done": {}})))
            data = data[start + length:]


def controls(trial):
    one = [f for f in types() if f.name == "ping"]
    for manner, name, check in (("eager", "answers-a-partial-frame", lambda t: cut_and(t, one[0], "end")),
                                ("hasty", "drops-what-comes-with-the-end", rest_and_goodbye)):
        pretender = Pretender(manner)
        target = Target(pretender.port)
        check(target)
        pretender.listening.close()
        trial.control(name, target.lost + target.doubled)


# ---- all of it ----

def certificate(folder):
    paths = os.path.join(folder, "street.crt"), os.path.join(folder, "street.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", paths[0], "-keyout", paths[1]],
                   check=True, capture_output=True)
    return paths


def secure_world():
    world = World(with_redis=False)
    port, (own, key) = free_port(), certificate(world.folder)
    world.configure({"listen_tls": f"127.0.0.1:{port}", "tls_certificate": own, "tls_key": key})
    return world, port, ssl.create_default_context(cafile=own)


def judge_effects(trial, world):
    """Reports whose frame never came whole are not there; the others are, once."""
    ledger = books.Ledger()
    trial.add(doubled=ledger.read(world.daemon.database))
    trial.add(lost=sum(1 for key, whole in SENT.items() if whole and key not in ledger.found),
              integrity_errors=sum(1 for key, whole in SENT.items() if not whole and key in ledger.found),
              acknowledged=sum(SENT.values()))


def body(trial):
    controls(trial)
    world, port, context = secure_world()
    fields = types()
    try:
        world.daemon.start().set_time(MONDAY_MS)
        for target in (Target(world.daemon.port), Target(port, context)):
            all_cuts(target, fields)
            trial.add(runs=target.cuts, lost=target.lost, doubled=target.doubled)
            target.barrier.socket.close()
        judge_effects(trial, world)
        if trial.options.flips:
            flips(trial, Target(world.daemon.port), fields)
        if not world.daemon.is_alive():
            trial.complain("crashes", world.daemon.log_tail(10))
        world.daemon.stop()
        trial.verify(world.daemon)
        trial.note(types=len(fields))
    finally:
        world.close()


if __name__ == "__main__":
    books.Trial("frames", 1, flips=0).run(body)
