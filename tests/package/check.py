#!/usr/bin/env python3
"""The Debian package of `make deb`: lintian finds no error, what is in it is whole and hardened, and, in the long form, a
clean Debian made by debootstrap takes it and boots with it: nothing is served before there is a street; the steps of
README.Debian, each as it stands there, make one, its first administrator and a resident's token; a report survives a
restart, an upgrade and a removal, and a purge leaves only what people reported and what the operator wrote. Wants root for
that. The last line is JSON.

"short" leaves the clean Debian out."""
import ctypes
import glob
import hashlib
import json
import os
import re
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
UNITS = ("gridloopd.socket", "gridloopd-local.socket", "gridloopd.service")
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
    for unit in UNITS:
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

TOKEN = re.compile(r"glt_[0-9a-f]{64}")


class Machine:
    """The clean Debian with a systemd of its own, in namespaces where nobody else is."""

    def __init__(self):
        self.log = os.path.join(WORK, "systemd.log")
        with open(self.log, "wb") as log:
            self.unshare = subprocess.Popen(
                ["unshare", "--kill-child", "--mount", "--pid", "--fork", "--cgroup", "--net", "--uts", "--ipc", "bash",
                 os.path.join(TOP, "tests", "package", "boot.sh"), ROOT],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL))
        try:
            self.init = wait_until(self.first_process, "the namespaces")
            wait_until(lambda: self.state("multi-user.target") == "active", "systemd to be up", 120)
        except BaseException:
            self.end()
            raise

    def first_process(self):
        assert self.unshare.poll() is None, read(self.log)
        return int((read(f"/proc/{self.unshare.pid}/task/{self.unshare.pid}/children").split() or ["0"])[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        """With the first process everything in there goes."""
        self.unshare.kill()
        self.unshare.wait()

    def sh(self, command, good=True, typed=""):
        argv = ["nsenter", "-t", str(self.init), "-a", "sh", "-c", command]
        done = subprocess.run(argv, input=typed, capture_output=True, text=True, check=False, timeout=300,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
                                   "DEBIAN_FRONTEND": "noninteractive"})
        assert done.returncode == 0 or not good, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}{self.journal()}"
        return done.stdout + done.stderr

    def state(self, unit):
        assert self.unshare.poll() is None, read(self.log)
        return self.sh(f"systemctl is-active {unit}", good=False).split("\n")[0]

    def pid(self):
        return self.sh("systemctl show -P MainPID gridloopd.service").strip()

    def journal(self):
        done = subprocess.run(["nsenter", "-t", str(self.init), "-a", "journalctl", "--no-pager", "-n", "40"],
                              capture_output=True, text=True, check=False, timeout=60)
        return done.stdout


def steps():
    """The commands of README.Debian, in their order."""
    return re.findall(r"^     (\S.*)$", read(ROOT, "usr/share/doc/gridloop/README.Debian"), re.M)


def follow_readme(machine):
    """Each step as it stands there; what is shown once is typed where the next ones ask for it. The resident's token."""
    token = ""
    for step in steps():
        command = step.replace("TOKEN", token)
        said = machine.sh(command, good=not command.startswith("gridloop doctor"), typed=token + "\n")
        shown = TOKEN.search(said)
        token = shown[0] if shown else token
        if step == "gridloop doctor":
            assert " 0 problems" in said and "administrator-01 can log in" in said, said
            assert "answers at unix:/run/gridloop/gridloopd.sock" in said and "answers at 127.0.0.1:7311" in said, said
    assert f"{RESIDENT} --token TOKEN" in step, "the last step tries what a person was given"
    FOUND["steps"] = len(steps())
    return token


def sockets_are_right(machine):
    for unit in UNITS:
        assert machine.sh(f"systemctl is-enabled {unit}").strip() == "enabled" and machine.state(unit) == "active", unit
    assert machine.sh("stat -c '%a %U %G' /run/gridloop/gridloopd.sock").split() == ["660", "root", "gridloop"]
    assert machine.sh(f"stat -c %U /proc/{machine.pid()}").strip() == "gridloop"


def as_resident(machine, token, words):
    return machine.sh(f"GRIDLOOP_ID={RESIDENT} GRIDLOOP_TOKEN={token} gridloop {words}")


def upgrade(machine):
    """The package once more while its daemon serves: another process, the same sockets."""
    before = machine.pid()
    machine.sh("rm /usr/sbin/policy-rc.d; apt-get -y -q install --reinstall /srv/package/gridloop.deb")
    assert machine.pid() not in ("0", before), "an upgrade has not replaced the daemon"
    sockets_are_right(machine)


def work():
    with Machine() as machine:
        token = follow_readme(machine)
        sockets_are_right(machine)
        made = json.loads(as_resident(machine, token, f"report E0110 --at {PLACE} --json 'rubbish beside the bins, 三天了'"))
        number = made["number"]
        machine.sh("systemctl reload gridloopd.service")
        wait_until(lambda: "reload end=unchanged" in machine.journal(), "the reload to be over")
        machine.sh("systemctl restart gridloopd.service")
        assert number in as_resident(machine, token, f"case show {number}")
        upgrade(machine)
        assert number in as_resident(machine, token, f"case show {number}")
        machine.sh("apt-get -y -q remove gridloop")
        assert not os.path.exists(ROOT + "/usr/bin/gridloopd")
        assert machine.sh("ls /run/gridloop", good=False).count(".sock") == 0, "a removal leaves the socket"
    assert os.path.exists(ROOT + "/etc/gridloop/gridloop.conf"), "a removal took the configuration"
    return token, number


def the_case_is_there(token, number):
    """After a removal and another installation: what was enabled is, and the token is as good as ever."""
    with Machine() as machine:
        assert number in as_resident(machine, token, f"case show {number}")
        sockets_are_right(machine)
        machine.sh("systemctl stop gridloopd-local.socket")
        said = machine.sh("gridloop doctor", good=False)
        assert "gridloopd.sock: No such file" in said and "systemctl enable --now gridloopd-local.socket" in said, said
        machine.sh("systemctl stop gridloopd.socket gridloopd.service")
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
    token, FOUND["report"] = work()
    apt("install", "--no-install-recommends", "/srv/package/gridloop.deb")
    the_case_is_there(token, FOUND["report"])
    kept = inside("find", "/var/lib/gridloop").stdout.split()
    shutil.rmtree(ROOT + "/root/.config")
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
