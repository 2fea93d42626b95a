#!/usr/bin/env python3
"""The runner of the torture harnesses: it believes nobody who lost something, said nothing or let a control pass."""
import json
import os
import subprocess
import tempfile

from harness import run_tests

GOOD = {"harness": "it", "seed": 1, "runs": 3, "acknowledged": 10, "lost": 0, "doubled": 0, "integrity_errors": 0,
        "crashes": 0, "controls": [{"name": "planted", "failed_as_it_must": True, "found": 2}], "seconds": 1.0}


def torture(rows, *arguments):
    """The exit code, the sum and the output of a run over these rows."""
    with tempfile.NamedTemporaryFile("w", suffix=".table") as table:
        table.write("# a comment\n\n" + "".join("\t".join(row) + "\n" for row in rows))
        table.flush()
        run = subprocess.run(["tests/fault/run", *arguments], capture_output=True, text=True, check=False,
                             env={**os.environ, "TORTURE_TABLE": table.name})
    last = run.stdout.splitlines()[-1:] or ["{}"]
    return run.returncode, json.loads(last[0]) if last[0].startswith("{") else {}, run.stdout + run.stderr


def saying(report, code=0, name="it"):
    script = f"echo working; echo '{json.dumps(report)}'; exit {code}"
    return [name, f'sh -c "{script.replace(chr(34), chr(92) + chr(34))}" {{BUILD}}', "false"]


def test_sums_what_is_well():
    code, sums, _ = torture([saying(GOOD), saying({**GOOD, "harness": "other"}, name="other")], "--short")
    assert code == 0
    assert (sums["acknowledged"], sums["lost"], sums["runs"]) == (20, 0, 6)
    assert (sums["controls_failed"], sums["controls"]) == (2, 2)


def test_forgives_nothing():
    for fault in ("lost", "doubled", "integrity_errors", "crashes"):
        code, sums, text = torture([saying({**GOOD, fault: 1})], "--short")
        assert (code, sums[fault]) == (1, 1), text
        assert "working" in text, text


def test_a_control_that_passes_is_a_failure():
    blind = {**GOOD, "controls": [{"name": "planted", "failed_as_it_must": False, "found": 0}]}
    code, sums, text = torture([saying(blind)], "--short")
    assert (code, sums["controls_failed"], sums["controls"]) == (1, 0, 1), text


def test_believes_neither_silence_nor_an_exit_code():
    for row in (["it", "true", "true"], saying(GOOD, code=3), ["it", "no-such-program", "true"],
                ["it", "echo '{\"harness\": broken'", "true"]):
        code, sums, text = torture([row], "--short")
        assert (code, sums["harnesses_failed"]) == (1, 1), text


def test_takes_the_long_command_and_the_seed():
    code, _, text = torture([["it", "true", "echo long"]], "--seed", "42")
    assert code == 1 and "long --seed 42" in text, text


def test_names_what_there_is():
    code, _, text = torture([saying(GOOD)], "--only", "nothing")
    assert code != 0 and "there are: it" in text, text


def test_refuses_a_row_that_is_none():
    code, _, text = torture([["it", "true"]], "--short")
    assert code != 0 and "divided by tabs" in text, text


run_tests(globals())
