#!/usr/bin/env python3
"""Every cell of the table of rights, role × action × how the asker stands to it × phase, tried on the real daemon.

The cells come from the program itself (`gridloop rights --json`). For each role there is an identity whose area holds the
case, one whose area does not, one for the whole jurisdiction, and, where the table has such a scope, one whose own the
case is and one whose unit works on it. What the table gives must not be denied: it goes through, or meets a rule that
comes after the rights. What it does not give must be denied, by the name of that right.

A new action fails here until it is tried: add it to ACTS (an act on a case), READS or REQUESTS."""
import collections
import csv
import hashlib
import json
import os
import subprocess

from harness import BUILD, CONTRACT, DAY_MS, MONDAY_MS, Client, Street, World, frame, jpeg, patient_street, run_tests

GRID, INSIDE, OUTSIDE = "610404004002001", "610404004002", "610404004001"
UNIT, LEAD, OTHER = "roads", "greening", "water"  # works on the cases, leads those it helps with, has nothing to do with them
PLAIN, READ = "E9601", "E9602"  # categories of the cases that are acted on, and of those that are looked at
CAMERAS = 150
CHUNK = 60  # requests under way on one connection
PHASES = ("discover", "handle", "feedback", "reward", "ended")
DAY_MS = 24 * 3600 * 1000

STREET = Street()

# ---- the cast ------------------------------------------------------------------------------------------------------

KINDS = {"reporter": "resident", "gateway": "hotline", "cameras": "camera"}
AREAS = {"inside": INSIDE, "whole": ""}  # everybody else acts for another community


def is_inside(role, relation):
    """Who has a grid's duty always acts for that grid."""
    return relation in AREAS or (role, relation) == ("worker", "own")


def name_of(role, relation):
    return f"m-{role}-{relation}"


def person(who, roles, area, unit=""):
    kind = next((KINDS[r] for r in roles.split("+") if r in KINDS), "")
    return {"id": who, "name": who, "kind": kind, "roles": roles, "area": area, "unit": unit,
            "token_sha256": hashlib.sha256(f"demo-{who}".encode()).hexdigest(), "trusted": "no"}


def relations_of(table, role):
    scopes = {scope for r, _, scope in table.cells if r == role}
    return ["inside", "outside", "whole"] + [s for s in ("own", "unit") if s in scopes]


def cast_of(table):
    desk = "+".join(r for r in table.roles if r not in KINDS and r not in ("handler", "operator"))
    yield person("m-desk", desk, "")
    yield person("m-unit", "handler", "", UNIT)
    yield person("m-lead", "handler", "", LEAD)
    yield person("m-somebody", "worker", INSIDE, "")
    yield person("m-another", "worker", INSIDE, "")
    for role in table.roles:
        for relation in relations_of(table, role):
            unit = UNIT if relation == "unit" else OTHER if role == "handler" else ""
            area = AREAS.get(relation, INSIDE if is_inside(role, relation) else OUTSIDE)
            yield person(name_of(role, relation), role, area, unit)


def append(path, rows):
    with open(path, encoding="utf-8", newline="") as file:
        columns = next(csv.reader(line for line in file if not line.startswith("#")))
    with open(path, "a", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, columns, restval="", extrasaction="ignore").writerows(rows)


def change(path, old, new):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert old in text, f"{path} has no {old}"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))


def category(code):
    return {"category": code, "name": code, "limit": "10d", "points": 200, "sure": "no", "after_photo": "no",
            "merge_m": 0, "merge_hours": 0, "near_far": "no", "before_photo": "no"}


def make_street(folder, table):
    """A copy of the sample in which nothing happens by itself, with the cast."""
    patient_street(folder)
    place = STREET.place([g["grid"] for g in STREET.grids].index(GRID))
    camera = name_of("cameras", "own")

    def path(name):
        return os.path.join(folder, name)

    append(path("people.csv"), cast_of(table))
    append(path("categories.csv"), [category(PLAIN), category(READ)])
    append(path("cameras.csv"), [{"camera": f"m-{i}", "name": f"m-{i}", "gateway": camera, "grid": GRID, **place}
                                 for i in range(CAMERAS)])
    append(path("camera_labels.csv"), [{"camera": camera, "label": "plain", "category": PLAIN},
                                       {"camera": camera, "label": "read", "category": READ}])
    change(path("posts.csv"), f"{GRID},full-time,{STREET.worker_of(GRID)}", f"{GRID},full-time,{name_of('worker', 'own')}")
    change(path("policy.conf"), "auto_file = yes", "auto_file = no")
    change(path("policy.conf"), "auto_dispatch = yes", "auto_dispatch = no")
    return place


# ---- the table -----------------------------------------------------------------------------------------------------

class Table:
    """What the program says: phases by (role, action, scope)."""

    def __init__(self, folder):
        told = json.loads(subprocess.run([os.path.join(BUILD, "gridloop"), "rights", folder, "--json"], check=True,
                                         capture_output=True, text=True).stdout)
        self.roles = told["roles"]
        self.actions = {a["action"]: a for a in told["actions"]}
        self.cells = {(r["role"], r["action"], r["scope"]): set(r["phases"]) for r in told["rights"]}

    def gives(self, role, action, scopes, phase):
        return any(phase in self.cells.get((role, action, scope), ()) for scope in scopes)


# ---- connections ---------------------------------------------------------------------------------------------------

class Pipeline(Client):
    def ask_all(self, requests):
        """Each request's reply, in order; many are under way at once."""
        replies = []
        for start in range(0, len(requests), CHUNK):
            replies += self._ask_some(requests[start:start + CHUNK])
        return replies

    def _ask_some(self, requests):
        first = self.seq + 1
        sent = b""
        for body, values in requests:
            self.seq += 1
            sent += frame(CONTRACT.encode("ClientFrame", {"seq": self.seq, body: values}))
        self.send_bytes(sent)
        replies = {}
        while len(replies) < len(requests):
            got = self.receive()
            assert got is not None, "the daemon closed the connection"
            if got.get("seq", 0):
                replies[got["seq"]] = got
        return [replies[first + i] for i in range(len(requests))]


class Crowd:
    """A connection for each identity, made when it is first needed, and the cameras that have not seen anything yet."""

    def __init__(self, daemon):
        self.daemon, self.lines, self.cameras = daemon, {}, iter(range(CAMERAS))

    def __getitem__(self, who):
        if who not in self.lines:
            self.lines[who] = Pipeline(self.daemon.port)
            self.lines[who].login(who)
        return self.lines[who]

    def close(self):
        for line in self.lines.values():
            line.close()


# ---- cases ---------------------------------------------------------------------------------------------------------

DESK = "m-desk"
REASONS = {r["act"]: r["code"] for r in reversed(STREET.reasons)}
TO_HANDLING = ("file", "dispatch", "sign")
PATHS = {
    "ALARM_PENDING": (), "REPORTED": (), "VERIFYING": ("verify",), "REJECTED": ("reject",), "FILED": ("file",),
    "DISPATCHED": ("file", "dispatch"), "HANDLING": TO_HANDLING, "RETURNED": TO_HANDLING + ("return",),
    "SUSPENDED": TO_HANDLING + ("ask-suspension", "suspend"), "WHISTLED": TO_HANDLING + ("whistle",),
    "HANDLED": TO_HANDLING + ("handled",), "CHECKING": TO_HANDLING + ("handled", "check"),
    "CLOSED": TO_HANDLING + ("handled", "check", "pass"),
    "REVIEWED": TO_HANDLING + ("handled", "check", "pass", "review"),
}
WHERE = {"discover": "REPORTED", "handle": "HANDLING", "feedback": "CLOSED", "reward": "REVIEWED", "ended": "REJECTED"}
WITH_HANDLER = {"DISPATCHED", "HANDLING", "SUSPENDED", "RETURNED", "WHISTLED", "HANDLED", "CHECKING", "CLOSED", "REVIEWED"}
BY_HANDLER = {"sign", "return", "ask-extension", "ask-suspension", "handled"}


class Case:
    def __init__(self, state, origin, helped=False, before=(), read=False, asked=False):
        self.state, self.origin, self.helped, self.read = state, origin, helped, read
        self.category = READ if read else PLAIN
        self.number = self.digest = None
        first = ("confirm",) if origin == "cameras" and state != "ALARM_PENDING" else ()
        looked = ("verify", "verified") if asked and state != "VERIFYING" else ()
        self.steps = first + looked + PATHS[state] + before

    def values(self, act, maker):
        """What a sound client sends with this act on this case."""
        return {"key": maker.crowd[DESK].new_key(), "case_number": self.number,
                "act": "ACT_" + act.upper().replace("-", "_"), **maker.particulars(self, act)}


class Maker:
    """Brings cases where they are wanted, step by step for all of them at once."""

    def __init__(self, crowd, place):
        self.crowd, self.place = crowd, place
        self.wanted, self.shared = [], {}
        self.proof = {"sha256": crowd[name_of("worker", "own")].upload(jpeg(300))}
        self.master = self.want("REPORTED", "reporter")

    def want(self, *args, **options):
        case = Case(*args, **options)
        self.wanted.append(case)
        return case

    def share(self, *args, **options):
        key = (args, tuple(sorted(options.items())))
        if key not in self.shared:
            self.shared[key] = self.want(*args, **options)
        return self.shared[key]

    def make(self):
        todo, self.wanted = self.wanted, []
        for case in todo:
            if case.read:
                case.digest = self.crowd[name_of(case.origin, "own")].upload(jpeg(300))
        self._each([(name_of(c.origin, "own"), self._report(c), c) for c in todo])
        for step in range(max(len(c.steps) for c in todo)):
            self._each([(self._who(c, c.steps[step]), ("action", c.values(c.steps[step], self)), c)
                        for c in todo if len(c.steps) > step])

    def _each(self, jobs):
        for who, mine in by_asker(jobs):
            replies = self.crowd[who].ask_all([request for _, request, _ in mine])
            for (_, request, case), got in zip(mine, replies):
                assert "answer" in got, f"{who} could not bring a case to {case.state}: {request} was answered {got}"
                case.number = got["answer"]["case_number"]

    def _report(self, case):
        key = self.crowd[DESK].new_key()
        if case.origin == "cameras":
            named = {"snapshot": "sha256:" + case.digest.hex()} if case.digest else {}
            return "alarm", {"key": key, "camera": f"m-{next(self.crowd.cameras)}", "label": "read" if case.read else "plain",
                             "confidence": 1.0, **named}
        named = {"evidence": [{"sha256": case.digest}]} if case.digest else {}
        speaks = {"reporter": {"id": "p1", "kind": 1}} if case.origin == "gateway" else {}
        return "submit", {"key": key, "category": case.category, "place": self.place, **named, **speaks}

    @staticmethod
    def _who(case, act):
        if act == "verified":
            return name_of("worker", "own")
        return DESK if act not in BY_HANDLER else "m-lead" if case.helped else "m-unit"

    def particulars(self, case, act):
        return {
            "dismiss": {"reason": REASONS["dismiss"]}, "reject": {"reason": REASONS["reject"]},
            "return": {"reason": REASONS["return"]}, "rework": {"reason": REASONS["rework"]},
            "exempt": {"reason": REASONS["exempt"]}, "verify": {"unit": name_of("worker", "own")},
            "verified": {"finding": "EXISTS", "place": self.place, "evidence": [self.proof]},
            "merge": {"master": self.master.number}, "locate": {"grid": GRID},
            "dispatch": {"unit": LEAD, "units": [UNIT]} if case.helped else {"unit": UNIT},
            "ask-extension": {"extend_ms": DAY_MS},
            "ask-suspension": {"reason": REASONS["suspend"], "until_ms": MONDAY_MS + 30 * DAY_MS},
            "whistle": {"units": [UNIT]}, "answer": {"text": "We come."}, "handled": {"text": "Done."},
            "co-handled": {"text": "Our part is done."}, "supervise": {"text": "Please."}, "reply": {"text": "Soon."},
            "review": {"rating": "SATISFIED"},
        }.get(act, {})


def by_asker(jobs):
    groups = collections.defaultdict(list)
    for job in jobs:
        groups[job[0]].append(job)
    return groups.items()


# ---- how each action is tried --------------------------------------------------------------------------------------

# elsewhere: by the same scopes the table gives the act in another phase
# first: a right that this one presupposes and that the table does not give either; None: none is missing
Try = collections.namedtuple("Try", "who request action expected cell ok elsewhere first", defaults=(False, None))


def went_through(got):
    return "refusal" not in got


def scopes_that_hold(role, relation, standing=frozenset()):
    """By which scopes an identity may hope for something, standing to it like that."""
    return {"all"} | ({"area"} if is_inside(role, relation) else set()) | ({relation} & standing)


class Cells:
    """All tries: first what they need is wanted, then it is made, then they are sent."""

    def __init__(self, table, crowd, place, only=None):
        self.table, self.crowd, self.maker, self.tries, self.later = table, crowd, Maker(crowd, place), [], []
        unknown = set(table.actions) - set(ACTS) - set(READS) - set(REQUESTS)
        assert not unknown, f"nobody here knows how to try {sorted(unknown)}"
        emergencies = iter(self._emergencies(table) if only is None else ())
        for action in table.actions if only is None else only:
            for role in table.roles:
                for relation in relations_of(table, role):
                    self._plan(action, role, relation, emergencies)
        self.maker.make()
        self.tries += [make() for make in self.later]

    def _emergencies(self, table):
        """As many as may be lifted, and one that stays."""
        desk = self.crowd[DESK]
        count = 1 + sum(1 for role in table.roles for relation in relations_of(table, role)
                        if table.gives(role, "lift-emergency", scopes_that_hold(role, relation), "none"))
        self.kept, *ids = [desk.ask("declare_emergency", {"area": INSIDE, "text": "matrix"})["id"] for _ in range(count)]
        return ids

    def _plan(self, action, role, relation, emergencies):
        if action in REQUESTS:
            self._plan_request(action, role, relation, emergencies)
            return
        for phase in PHASES:
            self._plan_case(action, role, relation, phase)

    def _plan_case(self, action, role, relation, phase):
        state = next((s for s in self.table.actions[action]["states"] if PHASE_OF[s] == phase), WHERE[phase])
        origin = role if relation == "own" and role in KINDS else "reporter"
        if state == "ALARM_PENDING" or (origin == "cameras" and state == "REPORTED" and action in READS):
            origin, state = "cameras", "ALARM_PENDING"
        personal = action in PERSONAL
        if personal and (role, relation) == ("reporter", "own"):
            return  # it is the one who reported: what one gave oneself one sees without these rights
        if personal:
            origin, state = "reporter", "VERIFYING" if phase == "discover" else WHERE[phase]
        standing = ({"own"} if not personal or role == "worker" else set()) | ({"unit"} if state in WITH_HANDLER else set())
        scopes = scopes_that_hold(role, relation, standing)
        expected = self.table.gives(role, action, scopes, phase)
        elsewhere = any(self.table.gives(role, action, scopes, other) for other in PHASES)
        who, cell = name_of(role, relation), (role, action, relation, phase)
        if action in READS:
            case = self.maker.share(state, origin, read=True, asked=personal)
            request, ok = READS[action](case, role, relation)
            sees = self.table.gives(role, "get-case", scopes, phase)
            self.later.append(lambda: Try(who, request(), action, expected, cell, ok,
                                          first="get-case" if personal and not sees else None))
            return
        helped = action == "co-handled" and state in self.table.actions[action]["states"]
        before = BEFORE.get(action, ()) if state == "HANDLING" else ()
        get = self.maker.want if expected else self.maker.share
        case = get(state, origin, helped=helped, before=before)
        speaks = {"reporter": {"id": "p1"}} if origin == "gateway" and role == "gateway" else {}
        self.later.append(lambda: Try(who, ("action", {**case.values(action, self.maker), **speaks}), action, expected,
                                      cell, went_through, elsewhere))

    def _plan_request(self, action, role, relation, emergencies):
        request, stands = REQUESTS[action]
        scopes = stands(role, relation)
        expected = self.table.actions[action]["before_login"] or self.table.gives(role, action, scopes, "none")
        number = next(emergencies) if action == "lift-emergency" and expected else getattr(self, "kept", 0)
        def later():
            self.asker = name_of(role, relation)
            return Try(self.asker, request(self, relation, number), action, expected,
                       (role, action, relation, "none"), went_through)
        self.later.append(later)

    def run(self):
        """(try, reply) of every one."""
        for who, mine in by_asker(self.tries):
            yield from zip(mine, self.crowd[who].ask_all([t.request for t in mine]))


PHASE_OF = {s: p for p, states in {
    "discover": ("REPORTED", "ALARM_PENDING", "VERIFYING"),
    "handle": ("FILED", "DISPATCHED", "HANDLING", "SUSPENDED", "RETURNED", "WHISTLED"),
    "feedback": ("HANDLED", "CHECKING", "CLOSED"), "reward": ("REVIEWED",)}.items() for s in states}

ACTS = """confirm dismiss verify verified file reject merge withdraw dispatch sign return take-back ask-extension extend
refuse-extension ask-suspension suspend refuse-suspension resume whistle answer handled co-handled check pass rework review
reopen reward locate supervise reply exempt""".split()
# What must have been asked for before it can be granted.
BEFORE = {"extend": ("ask-extension",), "refuse-extension": ("ask-extension",), "suspend": ("ask-suspension",),
          "refuse-suspension": ("ask-suspension",)}


def read_list(case, role, relation):
    """By the filter that suits how the asker stands to it: the case must be on the page, or not."""
    account = name_of(role, relation) + ("/p1" if role == "gateway" else "")
    others = {"reporter": name_of("reporter", "own")} if role == "gateway" else {"area": INSIDE}
    narrow = {"own": {"reporter": account}, "unit": {"handler": UNIT}}.get(relation, others)
    # What a worker was asked to do, or a camera saw, it did not report.
    listed = not (relation == "own" and role in ("worker", "cameras"))

    def ok(got):
        numbers = [row["number"] for row in got.get("case_list", {}).get("cases", [])]
        return "refusal" not in got and (case.number in numbers or not listed)
    return lambda: ("list_cases", {"states": [case.state], "category": READ, "limit": 100, **narrow}), ok


REPORTER = name_of("reporter", "own")
PERSONAL = ("see-reporter", "unmask")  # of a case that one may see

READS = {
    "see-reporter": lambda case, *_: (lambda: ("get_case", {"case_number": case.number}),
                                      lambda got: got.get("case_view", {}).get("summary", {}).get("reporter") == REPORTER),
    "unmask": lambda case, *_: (lambda: ("get_case", {"case_number": case.number, "purpose": "matrix"}),
                                lambda got: "refusal" not in got and not got["case_view"].get("masked")),
    "get-case": lambda case, *_: (lambda: ("get_case", {"case_number": case.number}), went_through),
    "get-evidence": lambda case, *_: (lambda: ("get_evidence", {"sha256": case.digest}), went_through),
    "list-cases": read_list,
    "events": lambda *_: (lambda: ("subscribe", {"events": True, "events_after": -1, "area": INSIDE}), went_through),
}


def of_oneself(*_):
    return {"own", "all"}


def anywhere(*_):
    return {"area", "all"}


def whole(_, relation):
    return {"area", "all"} if relation == "whole" else {"all"}


def own_or_all(_, relation):
    return {"own", "all"} if relation == "own" else {"all"}


def anywhere_inside(role, relation):
    return scopes_that_hold(role, relation)


def own_or_inside(role, relation):
    return scopes_that_hold(role, relation, {"own"} if relation == "own" else frozenset())


# Whose credentials are given out and renewed, and whose are revoked: people of the area inside.
SOMEBODY, ANOTHER = "m-somebody", "m-another"


def credential_of(cells, person):
    """The id of one that lives, made by an administrator of everything; renewed with an overlap it lives on."""
    made = cells.__dict__.setdefault("credentials", {})
    if person not in made:
        made[person] = cells.crowd[name_of("administrator", "whole")].ask("issue_credential", {
            "key": cells.crowd[DESK].new_key(), "person": person, "label": "to be renewed",
            "expires_ms": MONDAY_MS + 30 * DAY_MS})["id"]
    return made[person]


def digest():
    return hashlib.sha256(os.urandom(8)).digest()


# action: (what is asked, by which scopes the asker may hope)
REQUESTS = {
    "submit": (lambda c, r, n: ("submit", {"key": c.crowd[DESK].new_key(), "category": PLAIN, "place": c.maker.place}), scopes_that_hold),
    "alarm": (lambda c, r, n: ("alarm", {"key": c.crowd[DESK].new_key(), "confidence": 1.0,
                                         **({"camera": f"m-{next(c.crowd.cameras)}", "label": "plain"} if r == "own"
                                            else {"camera": "police-01", "label": "stall"})}), own_or_all),
    "notices": (lambda c, r, n: ("list_notices", {}), of_oneself),
    "get-stats": (lambda c, r, n: ("get_stats", {"area": INSIDE}), scopes_that_hold),
    "get-points": (lambda c, r, n: ("get_points", {} if r == "own" else {"person": "resident-01"}), own_or_all),
    "board": (lambda c, r, n: ("get_points", {"board": True}), scopes_that_hold),
    "where": (lambda c, r, n: ("where", {"place": c.maker.place}), scopes_that_hold),
    "list-emergencies": (lambda c, r, n: ("list_emergencies", {}), anywhere),
    "get-policy": (lambda c, r, n: ("get_policy", {}), scopes_that_hold),
    "send-evidence": (lambda c, r, n: ("begin_evidence", {"sha256": digest(), "size": 300}), scopes_that_hold),
    "redeem": (lambda c, r, n: ("points_entry", {"key": c.crowd[DESK].new_key(), "person": "resident-01", "points": 1}), scopes_that_hold),
    "correct": (lambda c, r, n: ("points_entry", {"key": c.crowd[DESK].new_key(), "person": "resident-01", "points": 1,
                                                  "correction": True, "text": "matrix"}), scopes_that_hold),
    "declare-emergency": (lambda c, r, n: ("declare_emergency", {"area": INSIDE, "text": "matrix"}), scopes_that_hold),
    "lift-emergency": (lambda c, r, n: ("lift_emergency", {"id": n}), scopes_that_hold),
    "reload": (lambda c, r, n: ("reload", {}), whole),
    "issue-credential": (lambda c, r, n: ("issue_credential", {"key": c.crowd[DESK].new_key(), "person": SOMEBODY, "label": "matrix"}), anywhere_inside),
    "rotate-credential": (lambda c, r, n: ("rotate_credential", {"key": c.crowd[DESK].new_key(), "overlap_ms": 3600_000,
                                                                 "id": credential_of(c, c.asker if r == "own" else SOMEBODY)}), own_or_inside),
    "revoke-credential": (lambda c, r, n: ("revoke_credential", {"key": c.crowd[DESK].new_key(),
                                                                 "person": c.asker if r == "own" else ANOTHER}), own_or_inside),
    "list-credentials": (lambda c, r, n: ("list_credentials", {"person": c.asker if r == "own" else SOMEBODY}), own_or_inside),
    "first-administrator": (lambda c, r, n: ("ping", {}), scopes_that_hold),  # only on the machine: test_identity.py
    "read-audit": (lambda c, r, n: ("get_audit", {"limit": 1}), scopes_that_hold),
    "export-person": (lambda c, r, n: ("export_person", {"person": c.asker if r == "own" else "m-gone", "purpose": "matrix"}),
                      own_or_all),
    "erase-person": (lambda c, r, n: ("erase_person", {"key": c.crowd[DESK].new_key(), "why": "matrix",
                                                       "person": c.asker if r == "own" else "m-gone"}), own_or_all),
    "advance-clock": (lambda c, r, n: ("advance_clock", {"to_ms": MONDAY_MS}), scopes_that_hold),
    "login": (lambda c, r, n: ("ping", {}), scopes_that_hold),  # every identity here has logged in
    "ping": (lambda c, r, n: ("ping", {}), scopes_that_hold),
}

# ---- the tests -----------------------------------------------------------------------------------------------------

WORLD = World(with_redis=False)
FOLDER = os.path.join(WORLD.folder, "street")
TABLE = Table(STREET.folder)
PLACE = make_street(FOLDER, TABLE)
WORLD.configure({"jurisdiction": FOLDER})
WORLD.__enter__()
CROWD = Crowd(WORLD.daemon)


def is_elsewhere(tried, refusal):
    """Who has the act in another phase is told that the case is not there, of an archived one only that it is over."""
    if refusal.get("code") != "WRONG_STATE" or tried.action not in ACTS:
        return False
    role, action, _, phase = tried.cell
    if phase == "ended":
        has_it = any((r, a) == (role, action) for r, a, _ in TABLE.cells)
        return has_it and refusal["rule"] == "case-is-open" and "REJECTED" not in refusal["sentence"]
    return tried.elsewhere and refusal["rule"] == "transition-table"


def judge(tried, got, counts, rules):
    """What is wrong with the answer to one cell, None when nothing is."""
    refusal = got.get("refusal", {})
    denied = refusal.get("code") == "NOT_ALLOWED"
    named = denied and refusal.get("right") in (tried.action, tried.first or tried.action) and \
        f'"{refusal["right"]}" needs ' in refusal.get("sentence", "")
    seen = tried.ok(got)
    if tried.expected and denied:
        return f"{tried.cell} is given, but was denied: {refusal}"
    if tried.expected and not seen and not refusal:
        return f"{tried.cell} is given, but nothing was shown"
    if not tried.expected and is_elsewhere(tried, refusal):
        counts["elsewhere"] += 1
        return None
    if not tried.expected and (seen or (refusal and not named)):
        return f"{tried.cell} is not given, but was answered {got}"
    kind = "denied" if named else "not shown" if not tried.expected else "went through" if seen else "met a later rule"
    counts[kind] += 1
    if kind == "met a later rule":
        rules[f"{tried.action}: {refusal['rule']}"] += 1
    return None


def try_all(cells):
    counts, rules, wrong = collections.Counter(), collections.Counter(), []
    for tried, got in cells.run():
        problem = judge(tried, got, counts, rules)
        if problem:
            wrong.append((tried.cell, problem))
    return counts, rules, wrong


def test_every_cell():
    counts, rules, wrong = try_all(Cells(TABLE, CROWD, PLACE))
    print(f"{sum(counts.values()) + len(wrong)} cells tried: {counts['went through']} went through, "
          f"{counts['met a later rule']} were allowed and met a later rule, {counts['denied']} were denied by name, "
          f"{counts['elsewhere']} are given in another phase and said so, {counts['not shown']} were left out of a list")
    print("later rules: " + ", ".join(f"{rule} {n}" for rule, n in sorted(rules.items())))
    assert not wrong, f"{len(wrong)} cells are not as the table says:\n" + "\n".join(p for _, p in wrong[:20])
    assert counts["went through"] > 500 and counts["denied"] > 2000, counts


def test_a_right_taken_away_is_found_missing():
    """The control: by the built-in table, a daemon with one right less has exactly those cells wrong."""
    cells = Cells(TABLE, CROWD, PLACE, only=["dispatch", "file"])
    with open(os.path.join(FOLDER, "rights.csv"), "w", encoding="utf-8") as file:
        file.write("action,role,scope,phase\ndispatch,dispatcher,*,*\n")
    got = CROWD[name_of("operator", "inside")].ask("reload", {})
    assert "refusal" not in got and not got.get("unchanged"), got
    _, _, wrong = try_all(cells)
    assert sorted(cell for cell, _ in wrong) == [("dispatcher", "dispatch", "inside", "handle"),
                                                 ("dispatcher", "dispatch", "whole", "handle")], wrong
    os.remove(os.path.join(FOLDER, "rights.csv"))
    CROWD[name_of("operator", "inside")].ask("reload", {})
    _, _, wrong = try_all(Cells(TABLE, CROWD, PLACE, only=["dispatch", "file"]))
    assert not wrong, wrong


def test_a_right_taken_away_is_gone():
    """The program prints what rights.csv leaves, and the daemon goes by it."""
    rights = os.path.join(FOLDER, "rights.csv")
    with open(rights, "w", encoding="utf-8") as file:
        file.write("action,role,scope,phase\nsupervise,supervisor,*,feedback\nget-case,visitor,area,reward\n")
    left = Table(FOLDER)
    assert left.cells[("visitor", "get-case", "area")] == {"feedback"}, left.cells
    CROWD[name_of("operator", "inside")].ask("reload", {})
    counts, _, wrong = try_all(Cells(left, CROWD, PLACE, only=["supervise", "get-case"]))
    assert not wrong and counts["denied"] > 50, (wrong, counts)
    os.remove(rights)
    CROWD[name_of("operator", "inside")].ask("reload", {})


def test_a_right_given_on_paper_only_is_found_missing():
    """The other control: a table that says more than the daemon gives."""
    table = Table(FOLDER)
    table.cells[("visitor", "file", "area")] = {"discover"}
    _, _, wrong = try_all(Cells(table, CROWD, PLACE, only=["file"]))
    assert sorted(cell for cell, _ in wrong) == [("visitor", "file", "inside", "discover"),
                                                 ("visitor", "file", "whole", "discover")], wrong


def finish():
    CROWD.close()
    WORLD.daemon.stop()
    WORLD.close()


if __name__ == "__main__":
    run_tests(dict(globals()), finish)
