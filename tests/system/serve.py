#!/usr/bin/env python3
"""`make serve`: the daemon in the foreground on the sample jurisdiction, a real Redis beside it, on loopback only.
What it takes in stays in build/serve until `make clean`."""
import os
import signal
import socket
import subprocess
import sys

from harness import BUILD, SAMPLE, TOP, Daemon, Redis, Street

PORT = int(os.environ.get("PORT", "7311"))
SHOWN = (("resident", "reporter"), ("food-rider", "reporter"), ("grid-worker", "worker"), ("", "acceptor"),
         ("", "dispatcher"), ("", "handler"), ("", "supervisor"), ("", "visitor"), ("", "station"), ("", "operator"))


def is_taken(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def print_credentials(street):
    print(f"gridloopd on 127.0.0.1:{PORT}; the token of every demo identity is demo-<its id>")
    for kind, role in SHOWN:
        found = street.all_with(role, kind=kind)
        if found:
            print(f"  {kind or role:12} {found[0]:16} demo-{found[0]}")
    who = street.reporter()
    print(f"try: GRIDLOOP_ID={who} GRIDLOOP_TOKEN=demo-{who} {os.path.relpath(BUILD, TOP)}/gridloop help", flush=True)


def main():
    if is_taken(PORT):
        print(f"port {PORT} is taken; PORT=… make serve takes another", file=sys.stderr)
        return 1
    folder = os.path.join(TOP, BUILD, "serve")
    os.makedirs(folder, exist_ok=True)
    redis = Redis(folder).start()
    daemon = Daemon(folder, redis, {"clock": "system", "jurisdiction": SAMPLE}, port=PORT)
    print_credentials(Street())
    process = subprocess.Popen([os.path.join(BUILD, "gridloopd"), "-c", daemon.config], cwd=TOP)
    # Ctrl-C reaches the daemon too, which then ends in its own order; this waits for it.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        return process.wait()
    finally:
        redis.stop()


if __name__ == "__main__":
    sys.exit(main())
