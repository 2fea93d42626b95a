#!/usr/bin/env python3
"""The Debian package of `make deb`: lintian finds no error, what is in it is whole and hardened, and, in the long form, a
clean Debian made by debootstrap takes it: nothing is served before there is a street, the shipped unit's ExecStart then
serves one made as README.Debian says, a report survives a restart and an upgrade, and a purge leaves only what people
reported and what the operator wrote. Wants root for that. The last line is JSON.

"short" leaves the clean Debian out."""
import ctypes
import glob
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "system"))
from harness import wait_until  # noqa: E402

DEB = os.path.join(TOP, "build", "deb")
WORK = os.path.join(TOP, "build", "package")
BASE, ROOT, EXTRACTED = (os.path.join(WORK, name) for name in ("base.tar", "root", "extracted"))
SUITE = "bookworm"
IN_ESSENTIAL = {"gcc", "libc6-dev", "make"}  # build-essential has them
EXAMPLE = "usr/share/gridloop/example/jurisdiction"
PAGES = ("man1/gridloop.1", "man5/gridloop.conf.5", "man5/gridloop-policy.conf.5", "man8/gridloopd.8")
RESIDENT, PLACE = "resident-03", "34.3354,108.6917"
EXIT_WRONG_CONFIG = 78
FOUND = {}


def run(*argv, good=True, **options):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=900,
                          **options)
    assert done.returncode == 0 or not good, f"{' '.join(argv)}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def package():
    found = glob.glob(os.path.join(DEB, "gridloop_*.deb"))
    assert len(found) == 1, f"make deb first: {found}"
    return found[0]


# ---- what is in it ----

def lintian():
    changes = glob.glob(os.path.join(DEB, "*.changes"))
    said = run("lintian", "--allow-root", "--fail-on", "error", *changes).stdout.splitlines()
    FOUND.update(lintian_errors=sum(line.startswith("E:") for line in said),
                 lintian_warnings=[line for line in said if line.startswith("W:")])


def extracted(*path):
    return os.path.join(EXTRACTED, *path)


def versions_agree():
    version = re.search(r'VERSION "(.*)"', read(TOP, "include/base/version.h"))[1]
    assert run("dpkg-deb", "--field", package(), "Version").stdout.strip() == version
    for name in ("gridloop", "gridloopd"):
        assert run(extracted("usr/bin", name), "--version").stdout.split() == [name, version]
    FOUND["version"] = version


def build_depends_agree():
    listed = re.search(r"^BUILD_PACKAGES = (.*?[^\\])$", read(TOP, "Makefile"), re.M | re.S)[1].replace("\\\n", " ").split()
    field = re.search(r"^Build-Depends:(.*?)^\S", read(TOP, "debian/control"), re.M | re.S)[1]
    named = {re.split(r"[ (]", part.strip())[0] for part in field.split(",")}
    assert named - {"debhelper-compat"} == set(listed) - IN_ESSENTIAL, (named, listed)


def programs_are_hardened():
    for name in ("gridloop", "gridloopd"):
        path = extracted("usr/bin", name)
        about = run("readelf", "--wide", "--file-header", "--dynamic", "--program-headers", "--dyn-syms", path).stdout
        for wanted in (r"Type: +DYN", r"BIND_NOW", r"GNU_RELRO", r"GNU_STACK.* RW ", r"__stack_chk_fail", r"__\w+_chk@"):
            assert re.search(wanted, about), f"{name} is built without {wanted}"


def pages_are_there():
    for page in PAGES:
        text = run("zcat", extracted("usr/share/man", page + ".gz")).stdout
        assert "@" + "VERSION@" not in text and ".\\\" table" not in text, f"{page} is not filled in"


def nobody_has_a_public_token():
    text = read(extracted(EXAMPLE, "people.csv"))
    people = [line.split(",")[0] for line in text.splitlines() if line and not line.startswith("#")]
    assert len(people) > 50
    digests = {hashlib.sha256(f"demo-{who}".encode()).hexdigest() for who in people}
    assert not digests & set(re.findall(r"[0-9a-f]{64}", text))
    assert not os.path.exists(extracted("etc/gridloop/jurisdiction")), "a street comes with the package"


def units_start_what_is_there():
    for unit in ("gridloopd.service", "gridloopd.socket"):
        assert os.path.isfile(extracted("lib/systemd/system", unit)), unit
    assert os.access(extracted(exec_start(EXTRACTED)[0].lstrip("/")), os.X_OK)


def exec_start(root):
    line = re.search(r"^ExecStart=(.*)$", read(root, "lib/systemd/system/gridloopd.service"), re.M)
    return line[1].split()


def the_sample_is_in_order():
    config = extracted("etc/gridloop/gridloop.conf")
    program = extracted("usr/bin/gridloopd")
    alone = run(program, "--check", "-c", config, good=False)
    assert alone.returncode == EXIT_WRONG_CONFIG and "jurisdiction" in alone.stderr, alone
    run(program, "--check", "-c", config, "--set", f"jurisdiction={extracted(EXAMPLE)}")


def look_inside():
    shutil.rmtree(EXTRACTED, ignore_errors=True)
    run("dpkg-deb", "--extract", package(), EXTRACTED)
    for check in (versions_agree, build_depends_agree, programs_are_hardened, pages_are_there, nobody_has_a_public_token,
                  units_start_what_is_there, the_sample_is_in_order):
        check()


# ---- a clean Debian ----

def host_sources():
    """Where this machine's own Debian comes from: (mirror, {file: text})."""
    texts = {path: read(path) for path in ("/etc/apt/sources.list", *glob.glob("/etc/apt/sources.list.d/*"))
             if os.path.isfile(path)}
    debian = {path: text for path, text in texts.items() if re.search(rf"\b{SUITE}\b[\s\S]*\bmain\b", text)}
    mirrors = re.findall(r"^(?:URIs:|deb(?: \[.*\])?) *(\S+/debian/?)(?:\s|$)", "\n".join(debian.values()), re.M)
    if not mirrors:
        sys.exit(f"no apt source of this machine names a mirror of {SUITE}: a clean root cannot be made")
    return mirrors[0], debian


def make_root():
    mirror, sources = host_sources()
    shutil.rmtree(ROOT, ignore_errors=True)
    os.makedirs(ROOT)
    if not os.path.exists(BASE):
        run("debootstrap", "--variant=minbase", SUITE, ROOT, mirror)
        run("tar", "-C", ROOT, "-cf", BASE + ".part", ".")
        os.rename(BASE + ".part", BASE)
    else:
        run("tar", "-C", ROOT, "-xf", BASE)
    for path, text in sources.items():
        write(path, text)
    proxies = [line for line in run("apt-config", "dump").stdout.splitlines() if "proxy" in line.lower()]
    write("/etc/apt/apt.conf.d/99host", "\n".join(proxies) + "\n")
    write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n")
    os.chmod(ROOT + "/usr/sbin/policy-rc.d", 0o755)
    shutil.copy("/etc/resolv.conf", ROOT + "/etc/resolv.conf")


def write(path, text):
    with open(ROOT + path, "w", encoding="utf-8") as file:
        file.write(text)


def inside(*argv, good=True, env=None):
    """A command in the clean Debian, with the network of here."""
    script = f'mount -t proc proc "{ROOT}/proc" && exec chroot "{ROOT}" "$@"'
    return run("unshare", "--kill-child", "--mount", "--pid", "--fork", "sh", "-c", script, "sh", *argv, good=good,
               env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive",
                    **(env or {})})


def apt(*argv):
    return inside("apt-get", "-y", "-q", "-o", "APT::Sandbox::User=root", *argv).stdout


def installed():
    return set(inside("dpkg-query", "-W", "-f", "${Package}\n").stdout.split())


def named_after_us():
    """Every path of the clean Debian that is ours by name or by owner."""
    owner = inside("id", "-u", "gridloop", good=False).stdout.strip()
    by_owner = ["-o", "-uid", owner] if owner else []
    return sorted(inside("find", "/", "-xdev", "(", "-path", "/proc", "-o", "-path", "/srv/package", ")", "-prune", "-o", "(",
                         "-name", "*gridloop*", *by_owner, ")", "-print").stdout.split())


def install():
    before, since = installed(), time.monotonic()
    os.makedirs(ROOT + "/srv/package", exist_ok=True)
    shutil.copy(package(), ROOT + "/srv/package/gridloop.deb")
    apt("update")
    said = apt("install", "--no-install-recommends", "/srv/package/gridloop.deb")
    assert "there is no street yet" in said, said
    FOUND.update(install_seconds=round(time.monotonic() - since, 1), packages_with_it=len(installed() - before) - 1)


def nothing_is_served_yet():
    for wants in glob.glob(ROOT + "/etc/systemd/system/*.wants/*"):
        assert "gridloop" not in wants, f"{wants}: the package enables itself"
    refused = inside("gridloopd", "--check", good=False)
    assert refused.returncode == EXIT_WRONG_CONFIG and "/etc/gridloop/jurisdiction" in refused.stderr, refused


def purge_leaves(expected):
    apt("purge", "gridloop")
    left = named_after_us()
    assert left == expected, f"a purge left {left}; expected {expected}"


# ---- a street, as README.Debian makes one ----

def make_street():
    token = secrets.token_hex(32)
    commands = re.findall(r"^     ((?:cp|chown|chmod) .*)$", read(ROOT, "usr/share/doc/gridloop/README.Debian"), re.M)
    assert len(commands) == 3, commands
    for command in commands:
        inside("sh", "-c", command)
    people = read(ROOT, "etc/gridloop/jurisdiction/people.csv")
    head = next(line for line in people.splitlines() if line.startswith("id,")).split(",")
    lines = []
    for line in people.splitlines():
        cells = line.split(",")
        if cells[0] == RESIDENT:
            cells[head.index("token_sha256")] = hashlib.sha256(token.encode()).hexdigest()
        lines.append(",".join(cells))
    write("/etc/gridloop/jurisdiction/people.csv", "\n".join(lines) + "\n")
    said = inside("gridloopd", "--check").stdout
    assert "in order" in said, said
    return token


class Daemon:
    """The shipped ExecStart as the daemon's user, in a network where nobody else is."""

    def __init__(self, token):
        self.env = {"PATH": "/usr/bin:/bin:/usr/sbin", "LC_ALL": "C.UTF-8", "GRIDLOOP_ID": RESIDENT, "GRIDLOOP_TOKEN": token}
        script = (f'ip link set lo up && mount -t proc proc "{ROOT}/proc" && exec chroot "{ROOT}" setpriv --reuid gridloop '
                  '--regid gridloop --init-groups env -C /var/lib/gridloop sh -c \'umask 077; exec "$@"\' sh "$@"')
        self.log = os.path.join(WORK, "daemon.log")
        with open(self.log, "wb") as log:
            self.unshare = subprocess.Popen(
                ["unshare", "--kill-child", "--mount", "--pid", "--fork", "--net", "sh", "-c", script, "sh", *exec_start(ROOT)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL))
        wait_until(self.is_ready, "the daemon to be ready", 60)
        children = read(f"/proc/{self.unshare.pid}/task/{self.unshare.pid}/children").split()
        self.pid = int(children[0])
        about = read(f"/proc/{self.pid}/status")
        owner = inside("id", "-u", "gridloop").stdout.strip()
        assert re.search(rf"^Uid:\s+{owner}\s", about, re.M), about

    def is_ready(self):
        assert self.unshare.poll() is None, read(self.log)
        return "ready " in read(self.log)

    def gridloop(self, *argv):
        return run("nsenter", "-t", str(self.pid), "--mount", "--pid", "--net", f"--root={ROOT}", "gridloop", *argv,
                   env=self.env).stdout

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        assert self.unshare.wait(60) == 0, read(self.log)


def work(token):
    daemon = Daemon(token)
    daemon.gridloop("ping")
    made = json.loads(daemon.gridloop("report", "E0110", "--at", PLACE, "--json", "rubbish beside the bins, 三天了"))
    number = made["number"]
    daemon.stop()
    again = Daemon(token)
    assert number in again.gridloop("case", "show", number)
    again.stop()
    return number


def the_case_is_there(token, number):
    daemon = Daemon(token)
    assert number in daemon.gridloop("case", "show", number)
    daemon.stop()
    inside("gridloop", "verify", "/var/lib/gridloop/gridloop.db")


def in_a_clean_debian():
    since = time.monotonic()
    make_root()
    FOUND["root_seconds"] = round(time.monotonic() - since, 1)
    assert named_after_us() == []
    install()
    nothing_is_served_yet()
    purge_leaves([])
    apt("install", "--no-install-recommends", "/srv/package/gridloop.deb")
    token = make_street()
    FOUND["report"] = work(token)
    apt("install", "--reinstall", "/srv/package/gridloop.deb")
    the_case_is_there(token, FOUND["report"])
    apt("remove", "gridloop")
    assert os.path.exists(ROOT + "/etc/gridloop/gridloop.conf"), "a removal took the configuration"
    apt("install", "/srv/package/gridloop.deb")
    the_case_is_there(token, FOUND["report"])
    kept = inside("find", "/var/lib/gridloop").stdout.split()
    purge_leaves(sorted(["/etc/gridloop", *kept]))
    assert os.listdir(ROOT + "/etc/gridloop") == ["jurisdiction"], "a purge left configuration"
    FOUND["left_by_purge"] = ["/etc/gridloop/jurisdiction", "/var/lib/gridloop"]


def main():
    short = sys.argv[1:] == ["short"]
    good = True
    os.makedirs(WORK, exist_ok=True)
    try:
        lintian()
        look_inside()
        if not short:
            assert os.geteuid() == 0, "only root can make a clean Debian; SHORT=1 leaves it out"
            in_a_clean_debian()
    except Exception as why:  # whatever it is, the last line is JSON
        print(f"the package is not well: {why!r}")
        good = False
    print(json.dumps({"good": good, "short": short, **FOUND}, ensure_ascii=False))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
