#!/usr/bin/env python3
"""The manual pages say what the programs say: every option, setting and verb, no mistake of markup, and Chinese as such."""
import os
import re
import shutil
import subprocess

from harness import BUILD, TOP, Skip, run_tests

MAN = os.path.join(BUILD, "man")
PAGES = ("gridloop.1", "gridloop.conf.5", "gridloop-policy.conf.5", "gridloopd.8")


def said_by(*argv):
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True, stdin=subprocess.DEVNULL).stdout


def program(name, *argv):
    return said_by(os.path.join(BUILD, name), *argv)


def mandoc(*argv):
    if not shutil.which("mandoc"):
        raise Skip("there is no mandoc here")
    return subprocess.run(["mandoc", *argv], capture_output=True, text=True, timeout=60, check=False)


def rendered(page):
    """As a reader sees it, without the overstriking that makes bold, in lines that never end early."""
    text = mandoc("-Tutf8", "-Owidth=990", os.path.join(MAN, page)).stdout
    return re.sub(r".\x08", "", text)


def test_every_page_is_sound():
    assert sorted(os.listdir(MAN)) == sorted(PAGES)
    for page in PAGES:
        done = mandoc("-Tlint", "-Wwarning", os.path.join(MAN, page))
        assert done.returncode == 0 and not done.stdout, f"{page}:\n{done.stdout}{done.stderr}"
        assert "中文提要" in rendered(page), page


def test_every_setting_is_there():
    config = said_by(os.path.join(BUILD, "gridloopd"), "--print-config", "-c", "/dev/null")
    with open(os.path.join(TOP, "config", "jurisdiction", "policy.conf"), encoding="utf-8") as file:
        policy = file.read()
    for page, text in (("gridloop.conf.5", config), ("gridloop-policy.conf.5", policy)):
        shown = rendered(page)
        found = re.findall(r"^# (.*)\n(\w+) =", text, re.M)
        assert len(found) > 20
        for help_text, key in found:
            assert re.search(rf"^ +{key} =", shown, re.M), f"{page} lacks {key}"
            words = help_text.replace("\\", "").split()[:6]
            assert all(word in shown for word in words), f"{page}: {help_text}"


def test_every_verb_and_its_options_are_there():
    shown = rendered("gridloop.1")
    verbs = re.findall(r"^  ([a-z-]+(?: [a-z]+)?) \S*[\u4e00-\u9fff]\S*  +\S", program("gridloop", "help"), re.M)
    assert len(verbs) > 50
    for verb in verbs:
        block = re.search(rf"^     {verb}(?: [^\n]*)?\n([\s\S]*?)(?=^     \S|^   \S|^\S)", shown, re.M)
        assert block, f"gridloop(1) lacks {verb}"
        for option in re.findall(r"^  (--[a-z-]+)", program("gridloop", "help", *verb.split()), re.M):
            assert option in block[1] or re.search(rf"^     {option}\b", shown, re.M), f"gridloop(1) lacks {verb} {option}"


def test_every_option_of_the_daemon_is_there():
    shown = rendered("gridloopd.8")
    options = re.findall(r"^  (-\w), (--[a-z-]+)", program("gridloopd", "--help"), re.M)
    assert len(options) >= 6
    for short, long in options:
        assert re.search(rf"^ +{short}, {long}\b", shown, re.M), f"gridloopd(8) lacks {short}, {long}"
    for code in ("64", "71", "75", "78"):
        assert re.search(rf"^ +{code} ", shown, re.M), f"gridloopd(8) lacks exit code {code}"


if __name__ == "__main__":
    run_tests(globals())
