#!/usr/bin/env python3
"""The runner itself: a test that did not run must never look like one that passed."""
import importlib.machinery
import importlib.util
import os
import shutil
import tempfile

from harness import TOP, run_tests

FOLDER = tempfile.mkdtemp(prefix="gridloop-run-", dir=os.environ.get("TMPDIR", "/tmp"))


def load_runner():
    loader = importlib.machinery.SourceFileLoader("runner", os.path.join(TOP, "tests", "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("runner", loader))
    loader.exec_module(module)
    return module


RUNNER = load_runner()


def counts_of(script):
    path = os.path.join(FOLDER, "program")
    with open(path, "w", encoding="ascii") as file:
        file.write("#!/bin/sh\n" + script)
    os.chmod(path, 0o755)
    _, counts, _, complaint, _ = RUNNER.run_one(path)
    return (counts["passed"], counts["failed"], counts["skipped"]), complaint


def test_each_kind_of_summary():
    assert counts_of("echo '3 passed, 0 failed, 2 skipped'") == ((3, 0, 2), "")
    cmocka = "echo '[  PASSED  ] 4 test(s).'; echo '[  SKIPPED ] 1 test(s), listed below:'; echo '[  PASSED  ] 2 test(s).'"
    assert counts_of(cmocka) == ((6, 0, 1), "")
    assert counts_of("echo '# pass 5'; echo '# fail 0'; echo '# skipped 1'") == ((5, 0, 1), "")
    failed = "echo '[  PASSED  ] 1 test(s).'; echo '[  FAILED  ] 1 test(s), listed below:'; echo '[  FAILED  ] b'; exit 1"
    assert counts_of(failed) == ((1, 1, 0), "")


def test_silence_is_a_failure():
    for script in ("true", "echo 'all is well'", "echo '0 passed, 0 failed, 0 skipped'"):
        counts, complaint = counts_of(script)
        assert counts == (0, 1, 0) and "no test" in complaint, (counts, complaint)


def test_a_death_after_the_count_is_a_failure():
    for ending in ("exit 1", "kill -9 $$", "kill -ABRT $$"):
        counts, complaint = counts_of("echo '3 passed, 0 failed, 0 skipped'; " + ending)
        assert counts == (3, 1, 0) and complaint, (counts, complaint)


def test_failures_with_a_good_exit_code_are_failures():
    counts, complaint = counts_of("echo '3 passed, 2 failed, 0 skipped'")
    assert counts == (3, 2, 0) and "failures" in complaint


def test_what_never_ends_is_a_failure():
    RUNNER.SECONDS_MOST = 0.2
    try:
        counts, complaint = counts_of("echo '3 passed, 0 failed, 0 skipped'; exec sleep 60")
    finally:
        RUNNER.SECONDS_MOST = 300
    assert counts == (3, 1, 0) and "none within" in complaint, (counts, complaint)


run_tests(globals(), finish=lambda: shutil.rmtree(FOLDER, ignore_errors=True))
