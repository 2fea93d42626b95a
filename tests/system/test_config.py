#!/usr/bin/env python3
"""A mistake in the configuration is told with its file, its line, what stands there and what was expected; nothing
starts with one; and what is shipped has none."""
import csv
import os
import re
import shutil
import subprocess
import tempfile

from harness import BUILD, TOP, config_with, free_port, run_tests

FOLDER = tempfile.mkdtemp(prefix="gridloop-config-", dir=os.environ.get("TMPDIR", "/tmp"))
SAMPLE = os.path.join(TOP, "config", "jurisdiction")
MISTAKE = 78  # sysexits' EX_CONFIG: systemd must not try again


def check(changes=None, jurisdiction=SAMPLE, extra=""):
    """Runs gridloopd --check on the sample with these changes; (exit code, output, the file's text)."""
    path = os.path.join(FOLDER, "gridloop.conf")
    text = config_with({"database": os.path.join(FOLDER, "g.db"), "jurisdiction": jurisdiction, **(changes or {})}) + extra
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    done = subprocess.run([os.path.join(BUILD, "gridloopd"), "--check", "-c", path], capture_output=True, timeout=60,
                          cwd=TOP, check=False)
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace"), text


def assert_told(output, code, file, line, *words):
    """One line of the output names the file and the line, and says what was expected."""
    assert code == MISTAKE, f"exit code {code}, expected {MISTAKE}:\n{output}"
    wanted = re.compile(rf"(^|/|\s){re.escape(file)}:{line}: .*", re.M)
    told = wanted.search(output)
    assert told, f"nothing says {file}:{line}: in\n{output}"
    for word in words:
        assert word in told[0], f"{word!r} is not in {told[0]!r}"


def test_the_sample_has_no_mistake():
    done = subprocess.run([os.path.join(BUILD, "gridloopd"), "--check", "-c", os.path.join(TOP, "config", "gridloop.conf")],
                          capture_output=True, text=True, cwd=TOP, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_mistakes_in_the_file_of_settings():
    for changes in ({"listen": "nowhere"}, {"listen": "127.0.0.1:99999"}, {"listen": "127.0.0.1"}, {"clock": "sundial"},
                    {"clock": ""}):
        code, output, text = check(changes)
        assert_told(output, code, "gridloop.conf", len(text.splitlines()), "expected")


def test_lines_that_are_no_settings():
    for extra in ("colour = red", "no equals sign here", "= value without a key", "clock = replay",
                  "database = " + "x" * 5000):
        code, output, text = check({"clock": "replay"}, extra=extra + "\n")
        assert_told(output, code, "gridloop.conf", len(text.splitlines()), "expected")


def test_every_mistake_is_told_at_once():
    code, output, text = check({"clock": "sundial"}, extra="colour = red\nshape = round\n")
    for line in range(len(text.splitlines()) - 2, len(text.splitlines()) + 1):
        assert_told(output, code, "gridloop.conf", line)


def test_no_configuration_at_all():
    done = subprocess.run([os.path.join(BUILD, "gridloopd"), "--check", "-c", os.path.join(FOLDER, "none.conf")],
                          capture_output=True, text=True, timeout=60, cwd=TOP, check=False)
    assert done.returncode == MISTAKE, done.returncode
    assert "none.conf" in done.stderr + done.stdout


def test_a_daemon_does_not_start_on_a_mistake():
    path = os.path.join(FOLDER, "gridloop.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(config_with({"listen": f"127.0.0.1:{free_port()}", "clock": "sundial"}))
    done = subprocess.run([os.path.join(BUILD, "gridloopd"), "-c", path], capture_output=True, text=True, timeout=60,
                          cwd=TOP, check=False)
    assert done.returncode == MISTAKE, f"{done.returncode}\n{done.stderr}"


class Street:
    """A copy of the sample jurisdiction to spoil."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="street-", dir=FOLDER)
        shutil.copytree(SAMPLE, self.folder, dirs_exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def lines(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read().splitlines()

    def write(self, name, lines, encoding="utf-8"):
        with open(self.path(name), "w", encoding=encoding, errors="surrogateescape") as file:
            file.write("\n".join(lines) + "\n")

    def first_row(self, name):
        """(index of the header, index of the first row of data)"""
        data = [i for i, line in enumerate(self.lines(name)) if line.strip() and not line.startswith("#")]
        return data[0], data[1]

    def spoil(self, name, column, value):
        """Puts the value into the first row's column; the row's line number."""
        lines = self.lines(name)
        head, row = self.first_row(name)
        names, values = next(csv.reader([lines[head]])), next(csv.reader([lines[row]]))
        values[names.index(column)] = value
        lines[row] = ",".join(f'"{v}"' if "," in v else v for v in values)
        self.write(name, lines)
        return row + 1

    def check(self):
        return check(jurisdiction=self.folder)


SPOILED = (
    ("areas.csv", "code", "12"), ("areas.csv", "code", "61040400400x"), ("areas.csv", "parent", "999999999999"),
    ("grids.csv", "grid", "abc"), ("grids.csv", "from", "soon"), ("grids.csv", "to", "2026-02-30"),
    ("grids.csv", "community", "999999999999"),
    ("categories.csv", "category", "X0110"), ("categories.csv", "limit", "soon"), ("categories.csv", "points", "many"),
    ("categories.csv", "sure", "perhaps"), ("categories.csv", "merge_m", "-3"),
    ("units.csv", "kind", "club"), ("units.csv", "area", "12"),
    ("people.csv", "kind", "martian"), ("people.csv", "roles", "king"), ("people.csv", "unit", "no-such-unit"),
    ("people.csv", "token_sha256", "zz"), ("people.csv", "trusted", "perhaps"), ("people.csv", "id", ""),
    ("routes.csv", "category", "Q1"), ("routes.csv", "unit", "no-such-unit"), ("routes.csv", "from", "2026-02-30"),
    ("cameras.csv", "gateway", "nobody-here"), ("camera_labels.csv", "confidence", "7"), ("cameras.csv", "grid", "000000000000000"),
    ("reasons.csv", "act", "dance"),
)


def test_mistakes_in_the_tables():
    for name, column, value in SPOILED:
        street = Street()
        line = street.spoil(name, column, value)
        code, output, _ = street.check()
        try:
            assert_told(output, code, name, line)
        except AssertionError as why:
            raise AssertionError(f"{name}, column {column} = {value!r}: {why}") from why


def test_a_row_given_twice():
    for name in ("areas.csv", "grids.csv", "categories.csv", "units.csv", "people.csv", "cameras.csv", "camera_labels.csv"):
        street = Street()
        lines = street.lines(name)
        lines.append(lines[street.first_row(name)[1]])
        street.write(name, lines)
        code, output, _ = street.check()
        assert_told(output, code, name, len(lines))


def test_rows_of_the_wrong_width():
    """A row may leave out empty last columns; it may not have more than the header, nor lack what must be given."""
    for name, change in (("areas.csv", lambda row: row + ",one,more"), ("routes.csv", lambda row: row + ",one,more"),
                         ("people.csv", lambda row: row.rsplit(",", 1)[0]), ("areas.csv", lambda row: row.split(",")[0])):
        street = Street()
        lines = street.lines(name)
        row = street.first_row(name)[1]
        lines[row] = change(lines[row])
        street.write(name, lines)
        code, output, _ = street.check()
        assert_told(output, code, name, row + 1)


def test_a_header_without_its_column():
    street = Street()
    lines = street.lines("people.csv")
    head = street.first_row("people.csv")[0]
    lines[head] = lines[head].replace("roles", "rolls")
    street.write("people.csv", lines)
    code, output, _ = street.check()
    assert_told(output, code, "people.csv", head + 1)


def test_bytes_that_are_no_text():
    street = Street()
    lines = street.lines("units.csv")
    row = street.first_row("units.csv")[1]
    cells = lines[row].split(",")
    cells[1] = "\udcff\udcfe"
    lines[row] = ",".join(cells)
    street.write("units.csv", lines)
    code, output, _ = street.check()
    assert_told(output, code, "units.csv", row + 1)


def test_a_missing_file():
    for name in ("areas.csv", "grids.csv", "categories.csv", "units.csv", "people.csv", "policy.conf"):
        street = Street()
        os.unlink(street.path(name))
        code, output, _ = street.check()
        assert code == MISTAKE and name in output, f"{name}: {code}\n{output}"


def test_mistakes_in_the_rules():
    for extra in ("colour = red", "accept = soon", "reopen = -1"):
        street = Street()
        lines = street.lines("policy.conf") + [extra]
        street.write("policy.conf", lines)
        code, output, _ = street.check()
        assert_told(output, code, "policy.conf", len(lines), "expected")


run_tests(globals(), finish=lambda: shutil.rmtree(FOLDER, ignore_errors=True))
