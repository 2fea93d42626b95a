#!/usr/bin/env python3
"""Holds functions, files and headers to a length a reader can keep in mind."""
import re
import subprocess
import sys

FUNCTION_MOST = 70  # lines, braces included
FILE_MOST = 600
HEADER_MOST = 120
HEADERS_LONGER = {
    # Vocabularies and tables: lists with no logic, more useful in one place than in two.
    "include/workflow/domain.h": 155,
    "include/jurisdiction/policy.h": 125,
    "include/workflow/command.h": 150,
    "include/workflow/facts.h": 130,
    "include/store/writer.h": 125,
}
FOLDERS = ("daemon", "include", "cli", "bench", "tests/unit", "tests/scenario", "tests/fault", "tests/fuzz", "tests/simulate")


def run(*argv, text=None):
    return subprocess.run(argv, input=text, capture_output=True, text=True, check=True).stdout


def long_functions(files):
    tags = run("ctags", "--languages=C", "--kinds-C=f", "--fields=+ne", "-f", "-", "-L", "-", text="\n".join(files))
    for line in tags.splitlines():
        start, end = re.search(r"\bline:(\d+)", line), re.search(r"\bend:(\d+)", line)
        if not start or not end:
            continue
        name, path = line.split("\t")[:2]
        length = int(end[1]) - int(start[1]) + 1
        if length > FUNCTION_MOST:
            yield f"{path}:{start[1]}: {name} has {length} lines; {FUNCTION_MOST} is the most"


def long_files(files):
    for path in files:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        most = HEADERS_LONGER.get(path, HEADER_MOST) if path.endswith(".h") else FILE_MOST
        if len(lines) > most:
            yield f"{path}: {len(lines)} lines; {most} is the most"


def main():
    listed = run("git", "ls-files", "-co", "--exclude-standard", "--", *FOLDERS).split()
    files = sorted(p for p in listed if p.endswith((".c", ".h")))
    complaints = [*long_functions(files), *long_files(files)]
    print("".join(c + "\n" for c in complaints), end="")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
