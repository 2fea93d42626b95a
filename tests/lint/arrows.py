#!/usr/bin/env python3
"""Proves from the #include lines that the arrows between the folders point one way, and that a library's types stay
in the rooms that may know it. The two tables below are the law; everything else here only applies it."""
import re
import subprocess
import sys

# Who may include whom. A folder may always include itself.
BELOW_WORKFLOW = ("base", "jurisdiction")
BELOW_STORE = BELOW_WORKFLOW + ("workflow",)
BELOW_ENGINE = BELOW_STORE + ("store",)
BELOW_DOORS = BELOW_ENGINE + ("engine", "net")
ARROWS = {
    "base": (),
    "net": ("base",),
    "jurisdiction": ("base",),
    "workflow": BELOW_WORKFLOW,
    "store": BELOW_STORE,
    "engine": BELOW_ENGINE,
    "outbox": BELOW_DOORS,
    "intake": BELOW_DOORS + ("outbox",),
    "desk": BELOW_DOORS,
    "serve": BELOW_DOORS + ("intake", "outbox", "desk"),
    "main": ("base", "serve"),
    "cli": ("base", "net", "jurisdiction", "workflow", "store"),
    "bench": BELOW_ENGINE + ("engine",),
}

# Which files may see which library: (its headers, the only paths that may include them).
LIBRARIES = (
    (r"(event2/|evhttp|event\.h)", r"(daemon|include)/(net|intake|outbox|desk|serve)/|bench/"),
    (r"sqlite3\.h", r"(daemon|include)/store/|bench/"),
    (r"hiredis/", r"daemon/intake/redis|daemon/outbox/|cli/(replay_redis|redis_connect|camera_send|doctor_service)|bench/"),
    (r".*\.pb-c\.h", r"(daemon|include)/(intake|outbox)/|cli/|bench/"),
    (r"openssl/ssl\.h", r"(daemon|include)/net/tls"),
    (r"openssl/", r"daemon/base/|(daemon|include)/net/|daemon/serve/|bench/"),
    (r"jpeglib\.h|png\.h", r"daemon/store/look_"),
    (r"jansson\.h", r"daemon/(jurisdiction/geojson|serve/memory)\.c|cli/frigate\.c"),
    (r"expat\.h", r"cli/hikvision\.c"),
    (r"geos_c\.h", r"(daemon|include)/jurisdiction/map"),
    # The one clock, the one log: what reads time or writes lines on its own cannot be tested with a fake.
    (r"syslog\.h", r"daemon/base/log\.c"),
)

INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^">]+)[">]', re.M)


def room_of(path):
    parts = path.split("/")
    if parts[0] in ("daemon", "include"):
        return parts[1] if len(parts) > 2 else "main"
    return parts[0]


def complaints_about(path, text):
    room = room_of(path)
    for match in INCLUDE.finditer(text):
        target = match[1]
        line = text.count("\n", 0, match.start(1)) + 1
        other = target.split("/")[0]
        if room not in ARROWS:
            yield f"{path}:{line}: no row of the table of arrows names the folder {room}"
        elif "/" in target and other in ARROWS and other != room and other not in ARROWS[room]:
            yield f"{path}:{line}: {room} may not know {other} ({target})"
        elif target.startswith("../"):
            yield f"{path}:{line}: includes go by full path ({target})"
        for headers, allowed in LIBRARIES:
            if re.match(headers, target) and not re.match(allowed, path):
                yield f"{path}:{line}: {target} may not be seen here, only in {allowed}"


# What the check must find; a check that cannot fail proves nothing.
CONTROLS = (
    ("daemon/workflow/x.c", "#include <event2/event.h>\n"),
    ("daemon/engine/x.c", "#include <sqlite3.h>\n"),
    ("include/store/x.h", '#include "engine/engine.h"\n'),
    ("daemon/base/x.c", '# include "net/frame.h"\n'),
    ("daemon/store/x.c", '#include "gridloop.pb-c.h"\n'),
    ("daemon/intake/session.c", "#include <hiredis/hiredis.h>\n"),
    ("daemon/serve/x.c", "#include <openssl/ssl.h>\n"),
    ("daemon/attic/x.c", '#include "base/log.h"\n'),
)


def main():
    for path, text in CONTROLS:
        if not list(complaints_about(path, text)):
            print(f"arrows: the control {path} with {text.strip()} passed; the check is blind")
            return 1
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", "daemon", "include", "cli", "bench"],
                            check=True, capture_output=True, text=True).stdout.split()
    found = 0
    for path in sorted(p for p in listed if p.endswith((".c", ".h"))):
        with open(path, encoding="utf-8") as file:
            for complaint in complaints_about(path, file.read()):
                print(complaint)
                found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
