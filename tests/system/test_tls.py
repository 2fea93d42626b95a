#!/usr/bin/env python3
"""TLS against others' clients and real certificates: both versions serve and nothing older does, whoever has expired or
is a stranger is refused by either side, a certificate is another way to be someone, a reload swaps the daemon's own
while connections live, and a thousand handshakes cut anywhere leave nothing behind."""
import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

from harness import BUILD, CONTRACT, PATIENCE, TOP, Client, Refused, Street, World, frame, free_port, jpeg, patient_street, run_tests
from harness import wait_until

STREET = Street()
WORLD = World(with_redis=False)
PKI = os.path.join(WORLD.folder, "pki")
FOLDER = os.path.join(WORLD.folder, "jurisdiction")
TLS_PORT = free_port()
RESIDENT, OPERATOR = STREET.reporter(), STREET.one_with("operator")
ADMIN, GATEWAY = "administrator-01", STREET.one_with("gateway")
LOGIN_SECONDS = 3
CUTS, ROUNDS = 500, 3  # of the rounds the first only warms up: what is kept for ever (pools, a sanitizer's shadow) is taken in it
RESET = struct.pack("ii", 1, 0)
GROWTH_KIB = 4096  # of a process after a thousand cut handshakes more; one that leaked 16 KiB a time would need four times it


# ---- certificates ----

CONF = """
[ca]
default_ca = here
[here]
database = {index}
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = none
[none]
[authority]
basicConstraints = critical,CA:TRUE
[server]
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = {names}
[client]
basicConstraints = CA:FALSE
extendedKeyUsage = clientAuth
"""


def pem(name):
    return os.path.join(PKI, name)


def openssl(*argv):
    done = subprocess.run(["openssl", *argv], capture_output=True, text=True, timeout=3 * PATIENCE, check=False)
    assert done.returncode == 0, f"openssl {argv[0]} ended with {done.returncode}:\n{done.stderr}"


def utc(days):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400))


def certificate(name, authority, kind, names="DNS:localhost,IP:127.0.0.1", days=(-10, 90)):
    """name.crt and name.key, signed by the authority (itself when that is its own name)."""
    conf, key, request = pem(f"{name}.conf"), pem(f"{name}.key"), pem(f"{name}.csr")
    open(pem("index.txt"), "w", encoding="ascii").close()
    with open(conf, "w", encoding="ascii") as file:
        file.write(CONF.format(index=pem("index.txt"), folder=PKI, names=names))
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-config", conf, "-keyout", key, "-out", request)
    signer = ["-selfsign", "-keyfile", key] if authority == name else \
        ["-cert", pem(f"{authority}.crt"), "-keyfile", pem(f"{authority}.key")]
    openssl("ca", "-batch", "-notext", "-config", conf, "-extensions", kind, "-startdate", utc(days[0]),
            "-enddate", utc(days[1]), "-in", request, "-out", pem(f"{name}.crt"), *signer)


def fingerprint(name):
    with open(pem(f"{name}.crt"), encoding="ascii") as file:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read())).hexdigest()


def make_certificates():
    os.mkdir(PKI)
    certificate("authority", "authority", "authority")
    certificate("stranger", "stranger", "authority")
    certificate("street", "authority", "server")
    certificate("renewed", "authority", "server")
    certificate("expired", "authority", "server", days=(-10, -1))
    certificate("elsewhere", "authority", "server", names="DNS:elsewhere.example")
    certificate("strange", "stranger", "server")
    certificate("resident", "authority", "client")
    certificate("box", "authority", "client")
    certificate("box-next", "authority", "client")
    certificate("late", "authority", "client", days=(-10, -1))
    certificate("foreign", "stranger", "client")
    use("street")


def use(name):
    for end in ("crt", "key"):
        shutil.copy(pem(f"{name}.{end}"), pem(f"now.{end}"))


# ---- the daemon ----

def register(digest):
    """The sample's people, of whom the resident has this certificate, and the administrator a token."""
    token = hashlib.sha256(f"demo-{ADMIN}".encode()).hexdigest()
    source, to = os.path.join(STREET.folder, "people.csv"), os.path.join(FOLDER, "people.csv")
    with open(source, encoding="utf-8") as file:
        lines = file.read().splitlines()
    with open(to, "w", encoding="utf-8") as file:
        head = True
        for line in lines:
            if line.strip() and not line.startswith("#"):
                if line.startswith(ADMIN + ","):
                    line = line.replace(",,no", f",{token},no")
                line += ",certificate" if head else "," + (digest if line.startswith(RESIDENT + ",") else "")
                head = False
            file.write(line + "\n")


def prepare():
    make_certificates()
    patient_street(FOLDER)
    register(fingerprint("resident"))
    WORLD.configure({"listen_tls": f"127.0.0.1:{TLS_PORT}", "tls_certificate": pem("now.crt"),
                     "tls_key": pem("now.key"), "tls_client_ca": pem("authority.crt"), "jurisdiction": FOLDER,
                     "login_timeout": f"{LOGIN_SECONDS}s"})


def context(own=None, version=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(pem("authority.crt"))
    if own:
        made.load_cert_chain(pem(f"{own}.crt"), pem(f"{own}.key"))
    if version:
        made.minimum_version = made.maximum_version = version
    return made


class TlsClient(Client):
    def __init__(self, own=None, version=None):
        super().__init__(TLS_PORT)
        self.socket = context(own, version).wrap_socket(self.socket, server_hostname="localhost")

    def certificate(self):
        return hashlib.sha256(self.socket.getpeercert(binary_form=True)).hexdigest()


def s_client(*argv, said=b""):
    """What openssl's own client says of the daemon."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{TLS_PORT}", "-CAfile", pem("authority.crt"),
                           "-verify_hostname", "localhost", *argv], input=said, capture_output=True, timeout=3 * PATIENCE,
                          check=False)
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


def gridloop(*argv, server=f"localhost:{TLS_PORT}", token=f"demo-{RESIDENT}", who=RESIDENT):
    env = {k: v for k, v in os.environ.items() if not k.startswith("GRIDLOOP_")}
    env.update(GRIDLOOP_SERVER=server, GRIDLOOP_ID=who, HOME=WORLD.folder, **({"GRIDLOOP_TOKEN": token} if token else {}))
    done = subprocess.run([os.path.join(BUILD, "gridloop"), *argv], capture_output=True, text=True, timeout=3 * PATIENCE, env=env,
                          cwd=TOP, check=False)
    return done.returncode, done.stdout + done.stderr


def descriptors():
    return len(os.listdir(f"/proc/{WORLD.daemon.process.pid}/fd"))


def report(client, **changes):
    return {"key": client.new_key(), "category": STREET.category(), "place": STREET.place(),
            "description": "a report over TLS", **changes}


# ---- the protocol ----

def test_both_versions_serve_and_are_verified():
    for option, version in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
        code, said = s_client("-brief", option)
        assert code == 0 and f"Protocol version: {version}" in said and "Verification: OK" in said, said


def test_older_versions_and_weak_ciphers_are_refused():
    for argv in (("-tls1_1",), ("-tls1",), ("-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"),
                 ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")):
        if "-cipher" not in argv:
            argv += ("-cipher", "ALL:@SECLEVEL=0")
        code, said = s_client(*argv)
        assert code != 0 and "alert" in said, f"{argv}: {code}\n{said}"


def test_nobody_renegotiates_compresses_or_resumes():
    code, said = s_client("-tls1_2", "-comp", said=b"R\n")
    assert code != 0 and "RENEGOTIATING" in said and "no renegotiation" in said, said
    assert "Compression: NONE" in said, said
    assert "session ticket" not in said, said
    # In 1.3 there is nothing but a change of keys, which either side may ask for.
    code, said = s_client("-tls1_3", said=b"K\n")
    assert code == 0 and "KEYUPDATE" in said and "alert" not in said, said
    _, said = s_client("-tls1_3", said=b"")
    assert "Reused" not in said and "Post-Handshake New Session Ticket" not in said, said


# ---- a day's work over it ----

def work(client):
    client.login(RESIDENT)
    made = report(client)
    number = client.ask("submit", made)["case_number"]
    again = client.ask("submit", made)
    assert again["case_number"] == number and again.get("again"), again
    photo = jpeg(400 * 1024)
    assert client.fetch(client.upload(photo)) == photo
    seqs = [client.send("submit", report(client)) for _ in range(200)]
    replies = {client.receive()["seq"] for _ in seqs}
    assert replies == set(seqs)


def test_reports_and_photos_over_both_versions():
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with TlsClient(version=version) as client:
            work(client)


def test_gridloop_reports():
    code, said = gridloop("report", STREET.category(), "--ca", pem("authority.crt"), "--address", "by the west gate",
                          "over TLS")
    assert code == 0, said
    code, said = gridloop("ping", "--ca", pem("authority.crt"), server=f"127.0.0.1:{TLS_PORT}")
    assert code == 0, said


def test_bytes_cut_into_crumbs():
    """Records that come a few bytes at a time, and two that come in one packet."""
    link = Wire()
    link.shake()
    link.say(login_frame() + login_frame(seq=2))
    data = link.out.read()
    for at in range(0, len(data), 3):
        link.socket.sendall(data[at:at + 3])
    assert len(link.frames(2)) == 2
    link.socket.close()


# ---- half-closed ----

class Wire:
    """A client whose bytes pass through our hands."""

    def __init__(self, version=None, most=None, hears=None):
        self.socket = socket.create_connection(("127.0.0.1", TLS_PORT), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.into, self.out, self.sent, self.most = ssl.MemoryBIO(), ssl.MemoryBIO(), 0, most
        self.heard, self.hears = 0, hears
        self.tls = context(version=version).wrap_bio(self.into, self.out, server_hostname="localhost")

    def flush(self):
        """false: the bytes we may send are used up."""
        data = self.out.read()
        part = data if self.most is None else data[:self.most - self.sent]
        self.socket.sendall(part)
        self.sent += len(part)
        return len(part) == len(data)

    def pull(self):
        data = self.socket.recv(65536 if self.hears is None else min(65536, self.hears - self.heard))
        self.heard += len(data)
        if data:
            self.into.write(data)
        else:
            self.into.write_eof()
        return data

    def shake(self):
        while True:
            try:
                self.tls.do_handshake()
                return self.flush()
            except ssl.SSLWantReadError:
                if not self.flush() or self.heard == self.hears:
                    return False
                self.pull()

    def say(self, data):
        self.tls.write(data)

    def read(self):
        while True:
            try:
                return self.tls.read(65536)
            except ssl.SSLWantReadError:
                self.pull()
            except ssl.SSLZeroReturnError:
                return b""

    def frames(self, count):
        data = b""
        while True:
            found, at = [], 0
            while at < len(data) and at + 1 + data[at] <= len(data) and data[at] < 128:
                found.append(CONTRACT.decode("ServerFrame", data[at + 1:at + 1 + data[at]]))
                at += 1 + data[at]
            if len(found) >= count:
                return found
            more = self.read()
            assert more, f"{len(found)} of {count} frames came"
            data += more


def login_frame(seq=1):
    return frame(CONTRACT.encode("ClientFrame", {"seq": seq, "ping": {"payload": b"hello"}}))


def test_half_closed_peers_get_their_answers():
    for goodbye in ("close_notify", "end of bytes"):
        link = Wire()
        link.shake()
        link.say(login_frame() * 3)
        if goodbye == "close_notify":
            try:
                link.tls.unwrap()
            except ssl.SSLWantReadError:
                pass
        link.flush()
        link.socket.shutdown(socket.SHUT_WR)
        assert len(link.frames(3)) == 3, goodbye
        assert link.read() == b"", f"after {goodbye} the daemon said more"
        link.socket.close()


def test_a_daemon_that_has_said_its_last_still_hears():
    """It ends its own direction first; what still comes then is no reset that could eat its last words."""
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        link = Wire(version)
        link.shake()
        link.say(login_frame() + b"\x02\xff\xff" + random.randbytes(200000))  # two answers: a pong, and what is malformed
        link.flush()
        got = link.frames(2)
        assert "pong" in got[0] and got[1]["refusal"]["code"] == "MALFORMED", got
        assert link.read() == b"", "there is no goodbye"  # close_notify, not a mere end of bytes
        link.say(random.randbytes(1000))
        link.flush()
        link.socket.shutdown(socket.SHUT_WR)
        assert link.socket.recv(1) == b""
        link.socket.close()


# ---- what is cut, slow or no TLS at all ----

def whole_length(version):
    """Bytes that go to the daemon until a request is out, and that come until it is answered."""
    link = Wire(version)
    link.shake()
    link.say(login_frame())
    link.flush()
    assert link.frames(1)
    link.socket.close()
    return link.sent, link.heard


def cut(version, how, most=None, hears=None):
    link = Wire(version, most, hears)
    try:
        if link.shake():
            link.say(login_frame())
            link.flush()
            while hears is not None and link.heard < hears and link.pull():
                pass
        if how == "garbage":
            link.socket.sendall(random.randbytes(random.randint(1, 600)))
        if how == "reset":
            link.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    except (BrokenPipeError, ConnectionResetError):
        pass
    link.socket.close()


def cut_everywhere(version):
    """Handshakes, each cut after another number of bytes, every one of the whole of it and a request at least once: of ours,
    and of the daemon's, whose rest then goes to nobody."""
    out, back = whole_length(version)
    assert out < CUTS
    for i in range(CUTS):
        cut(version, ("end", "reset", "garbage")[i % 3], most=i * (out + 1) // CUTS)
    for i in range(0, back + 1, 5):
        cut(version, ("end", "reset")[i % 2], hears=i)
    return out, back


def test_a_thousand_cut_handshakes_leave_nothing_behind():
    before, memory, lengths = descriptors(), [], []
    for _ in range(ROUNDS):
        lengths = [cut_everywhere(v) for v in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)]
        wait_until(lambda: descriptors() <= before, f"the daemon to be back at {before} descriptors")
        memory.append(WORLD.daemon.memory_kib())
    assert memory[-1] - memory[1] < GROWTH_KIB * (ROUNDS - 2), f"memory grew: {memory} KiB"
    with TlsClient() as client:
        work(client)
    print(f"{ROUNDS} x {2 * CUTS} handshakes cut within {lengths} bytes; memory {memory} KiB; {before} descriptors")


def test_flipped_bytes_never_reach_a_session():
    for i in range(150):
        link = Wire(most=0)
        try:
            link.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        hello = bytearray(link.out.read())
        hello[i * len(hello) // 150] ^= 1 << random.randrange(8)
        link.socket.sendall(hello)
        link.socket.close()
    with TlsClient() as client:
        client.login(RESIDENT)


def test_a_slow_handshake_ends():
    for start in (b"", b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01"):
        with socket.create_connection(("127.0.0.1", TLS_PORT), PATIENCE) as s:
            s.sendall(start)
            since = time.monotonic()
            assert s.recv(1) == b"", "the daemon spoke first"
            assert time.monotonic() - since < LOGIN_SECONDS + 4


def test_plain_bytes_are_told_so():
    code, said = gridloop("ping")
    assert code != 0 and "give --tls" in said, said
    code, said = gridloop("ping", "--ca", pem("authority.crt"), server=f"localhost:{WORLD.daemon.port}")
    assert code != 0 and "no safe connection" in said, said


# ---- who is believed ----

class Answerer:
    """Somebody else's TLS server that shows the certificate and no more."""

    def __init__(self, name):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pem(f"{name}.crt"), pem(f"{name}.key"))
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        taken, _ = self.listening.accept()
        try:
            with self.context.wrap_socket(taken, server_side=True) as s:
                s.recv(1)
        except OSError:
            taken.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.thread.join(PATIENCE)
        self.listening.close()


def test_gridloop_trusts_only_whom_it_should():
    for name, words in (("expired", "expired on"), ("elsewhere", "is for elsewhere.example, not for localhost"),
                        ("strange", "--ca FILE")):
        with Answerer(name) as other:
            code, said = gridloop("ping", "--ca", pem("authority.crt"), server=f"localhost:{other.port}")
        assert code != 0 and words in said, said
    code, said = gridloop("ping", "--tls")  # the system's authorities know none of ours
    assert code != 0 and "--ca FILE" in said, said
    for files, words in ((("--ca", pem("nowhere.crt")), "nowhere.crt"), (("--ca", pem("now.key")), "no certificate"),
                         (("--ca", pem("authority.crt"), "--cert", pem("resident.crt")), "--cert-key"),
                         (("--ca", pem("authority.crt"), "--cert", pem("resident.crt"), "--cert-key", pem("late.key")),
                          "does not belong")):
        code, said = gridloop("ping", *files)
        assert code != 0 and words in said, said


def test_a_certificate_is_another_way_to_be_someone():
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with TlsClient("resident", version) as client:
            assert client.ask("login", {"who": RESIDENT})["who"] == RESIDENT
            client.ask("submit", report(client))
    code, said = gridloop("ping", "--ca", pem("authority.crt"), "--cert", pem("resident.crt"), "--cert-key",
                          pem("resident.key"), token=None)
    assert code == 0, said
    for own, who in (("resident", OPERATOR), (None, RESIDENT), ("street", RESIDENT)):
        try:
            with TlsClient(own) as client:
                client.ask("login", {"who": who})
            raise AssertionError(f"{own} became {who}")
        except Refused as why:
            assert why.rule == "identity-and-token-match", why
        except (ConnectionError, ssl.SSLError):
            assert own == "street"  # a server's certificate is none of a client's
    with WORLD.daemon.client() as plain:
        try:
            plain.ask("login", {"who": RESIDENT})
            raise AssertionError("nothing at all was enough")
        except Refused as why:
            assert why.rule == "identity-and-token-match", why
    with TlsClient() as client:  # and without one a token still does
        client.login(OPERATOR)


def administer(*argv):
    code, said = gridloop("identity", *argv, "--ca", pem("authority.crt"), "--json", who=ADMIN, token=f"demo-{ADMIN}")
    assert code == 0, said
    return json.loads(said)


def log_in_by_certificate(own, who=GATEWAY, version=None):
    client = TlsClient(own, version)
    client.ask("login", {"who": who})
    return client


def is_nobody(own, who=GATEWAY):
    """The handshake is as good as ever; what it shows is nobody."""
    with TlsClient(own) as client:
        try:
            client.ask("login", {"who": who})
        except Refused as why:
            return why.rule == "identity-and-token-match"
    return False


def is_cut(client):
    got = client.receive()
    assert got["refusal"]["rule"] == "identity-still-holds" and got.get("seq", 0) == 0, got
    assert client.receive() is None
    client.close()
    return True


def test_a_certificate_of_the_database_lives_and_ends():
    """Given out by gridloop identity, shown in a real handshake, renewed with an overlap, and revoked under an open session."""
    assert is_nobody("box")
    first = administer("certificate", GATEWAY, "--pem", pem("box.crt"), "--label", "gateway box")["id"]
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with log_in_by_certificate("box", version=version) as client:
            got = client.ask("submit", report(client, reporter={"id": "rider-1", "kind": "FOOD_RIDER"}))
            assert got["case_number"], got
    code, said = gridloop("ping", "--ca", pem("authority.crt"), "--cert", pem("box.crt"), "--cert-key", pem("box.key"),
                          token=None, who=GATEWAY)
    assert code == 0, said
    assert is_nobody("box", RESIDENT) and is_nobody("box-next") and is_nobody("resident")
    second = administer("rotate", str(first), "--pem", pem("box-next.crt"), "--overlap", "1h")["id"]
    old, new, by_token = log_in_by_certificate("box"), log_in_by_certificate("box-next"), TlsClient()
    by_token.login(GATEWAY)
    administer("revoke", str(first), "--why", "box lost")
    assert is_cut(old) and is_nobody("box")
    assert new.ask("ping", {})["now_ms"] and not is_nobody("box-next")
    administer("revoke", GATEWAY, "--why", "contract over")
    assert is_cut(new) and is_nobody("box-next")
    by_token.ask("ping", {})  # what stands in people.csv is only ended there
    by_token.close()
    listed = {c["id"]: c for c in administer("list", "--all")["credentials"] if c["person"] == GATEWAY and c["id"]}
    assert listed[first]["sha256"] == fingerprint("box") and listed[second]["replaces"] == first, listed
    assert {c["state"] for c in listed.values()} == {"revoked"}, listed
    WORLD.daemon.stop()
    WORLD.daemon.start()
    assert is_nobody("box") and is_nobody("box-next"), "a restart brought one back"


def test_s_client_is_told_whose_certificate_is_wrong():
    """Its own, which the daemon refuses by an alert, and the daemon's, which it does not believe."""
    for own, alert in (("late", "alert certificate expired"), ("foreign", "alert unknown ca")):
        for version in ("-tls1_2", "-tls1_3"):
            # The words behind the handshake make it wait for the answer, which in 1.3 is where the alert comes.
            code, said = s_client(version, "-cert", pem(f"{own}.crt"), "-key", pem(f"{own}.key"), "-ign_eof", said=b"hello")
            assert alert in said, f"{own} {version}: {code}\n{said}"
    code, said = s_client("-cert", pem("resident.crt"), "-key", pem("resident.key"), "-brief")
    assert code == 0 and "Verification: OK" in said, said
    for argv, why in ((("-CAfile", pem("stranger.crt")), "self-signed certificate in certificate chain|unable to get local"),
                      (("-verify_hostname", "elsewhere.example"), "hostname mismatch")):
        code, said = s_client("-verify_return_error", *argv)
        assert code != 0 and re.search(why, said), f"{argv}: {code}\n{said}"


def test_certificates_of_clients_that_are_refused():
    for own in ("late", "foreign"):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            try:
                with TlsClient(own, version) as client:
                    client.login(RESIDENT)
                raise AssertionError(f"{own} was believed")
            except (ssl.SSLError, ConnectionError):
                pass
    code, said = gridloop("ping", "--ca", pem("authority.crt"), "--cert", pem("foreign.crt"), "--cert-key",
                          pem("foreign.key"))
    assert code != 0 and "refused our certificate" in said, said
    code, said = gridloop("ping", "--ca", pem("authority.crt"), "--cert", pem("late.crt"), "--cert-key", pem("late.key"))
    assert code != 0 and "late.crt" in said and "expired" in said, said


# ---- another certificate ----

def hang_up(expected):
    """SIGHUP, and what came of it; the log from there on."""
    start = os.path.getsize(WORLD.daemon.log)

    def said():
        with open(WORLD.daemon.log, encoding="utf-8", errors="replace") as file:
            file.seek(start)
            text = file.read()
        return text if "reload end=" in text else None

    WORLD.daemon.process.send_signal(signal.SIGHUP)
    text = wait_until(said, "the reload to end")
    assert f"reload end={expected}" in text, text
    return text


def serves(name):
    with TlsClient() as client:
        client.login(RESIDENT)
        return client.certificate() == fingerprint(name)


def test_a_reload_swaps_the_certificate_while_connections_live():
    assert serves("street")
    with TlsClient() as old:
        old.login(RESIDENT)
        use("renewed")
        assert fingerprint("renewed") in hang_up("unchanged")
        assert serves("renewed")
        old.ask("submit", report(old))
        for name, word in (("expired", "expired on"), (None, "does not belong")):
            if name:
                use(name)
            else:
                shutil.copy(pem("street.key"), pem("now.key"))
                shutil.copy(pem("renewed.crt"), pem("now.crt"))
            text = hang_up("refused")
            assert word in text and pem("now.") in text, text
            assert serves("renewed")
        old.ask("submit", report(old))
        use("street")
        hang_up("unchanged")
        assert serves("street")
        old.ask("submit", report(old))


def test_who_loses_the_certificate_is_shut_out():
    with TlsClient("resident") as mine, TlsClient() as by_token:
        mine.ask("login", {"who": RESIDENT})
        by_token.login(RESIDENT)
        register("0" * 64)
        hang_up("in-force")
        got = mine.receive()
        assert got["refusal"]["rule"] == "identity-still-holds", got
        assert mine.receive() is None
        by_token.ask("submit", report(by_token))
    register(fingerprint("resident"))
    hang_up("in-force")
    with TlsClient("resident") as mine:
        mine.ask("login", {"who": RESIDENT})


# ---- before it serves ----

def test_check_names_the_file():
    openssl("ec", "-in", pem("street.key"), "-aes128", "-passout", "pass:secret", "-out", pem("locked.key"))
    with open(pem("text.crt"), "w", encoding="ascii") as file:
        file.write("no certificate at all\n")
    with open(pem("street.crt"), encoding="ascii") as file, open(pem("damaged.crt"), "w", encoding="ascii") as to:
        to.write(file.read().replace("MII", "M%%", 1))
    for changes, file, words in (
            ({"tls_certificate": pem("missing.crt")}, "missing.crt", "No such file"),
            ({"tls_certificate": PKI}, PKI, "directory"),
            ({"tls_certificate": pem("text.crt")}, "text.crt", "no certificate"),
            ({"tls_certificate": pem("damaged.crt")}, "damaged.crt", "certificate"),
            ({"tls_certificate": pem("expired.crt"), "tls_key": pem("expired.key")}, "expired.crt", "expired on"),
            ({"tls_key": pem("renewed.key")}, "renewed.key", "does not belong"),
            ({"tls_key": pem("missing.key")}, "missing.key", "No such file"),
            ({"tls_key": pem("locked.key")}, "locked.key", "passphrase"),
            ({"tls_client_ca": pem("missing.crt")}, "missing.crt", "No such file"),
            ({"tls_certificate": ""}, "gridloop.conf", "listen_tls"),
            ({"tls_key": ""}, "gridloop.conf", "listen_tls"),
            ({"listen_tls": "nowhere"}, "gridloop.conf", "expected"),
            ({"listen_tls": "", "listen": ""}, "gridloop.conf", "listen_tls")):
        WORLD.daemon.write_config(changes)
        done = subprocess.run([os.path.join(BUILD, "gridloopd"), "--check", "-c", WORLD.daemon.config], timeout=3 * PATIENCE,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        assert done.returncode == 78, f"{changes}: {done.returncode}\n{said}"
        assert any(file in line and words in line for line in said.splitlines()), f"{changes}:\n{said}"
    WORLD.daemon.write_config({})


def finish():
    if WORLD.daemon.process:
        WORLD.daemon.stop()
    WORLD.close()


if __name__ == "__main__":
    prepare()
    with WORLD:
        run_tests(globals(), WORLD.daemon.stop)
