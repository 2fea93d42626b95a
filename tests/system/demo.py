#!/usr/bin/env python3
"""`make demo`: one street's day through the real daemon, on a clock of its own.

Residents, riders and the hotline report over TCP, a rider platform and the cameras through Redis; acceptors, dispatchers,
handlers, checkers and the people who rate them do their part, some late, some twice. Everything a person does here is a
request any client could send; nothing is put into the database by hand. The dice are seeded, so every run tells the same
day. What is printed at the end comes from the gridloop command."""
import heapq
import os
import random
import shutil
import struct
import subprocess
import sys
import time

from harness import BUILD, CONTRACT, MONDAY_MS, SAMPLE, TOP, Daemon, Redis, Refused, Street, wait_until
from wire import chunk, varint

MINUTE = 60 * 1000
HOUR = 60 * MINUTE
DAY_START = MONDAY_MS - 3 * HOUR   # 06:00
DAY_END = MONDAY_MS + 13 * HOUR    # 22:00
REPORTS, ALARMS = 260, 40
SEED = 610404004

# What is seen on a street, how often, and in whose words.
MATTERS = [
    ("E0110", 30, ["楼下垃圾堆了两天没人收", "巷口有人乱倒垃圾", "绿化带里一袋垃圾"]),
    ("E0192", 20, ["果皮箱满了", "垃圾桶溢出来了", "分类亭旁边堆满了"]),
    ("E0410", 25, ["共享单车堵了盲道", "电动车停在单元门口", "单车倒了一片"]),
    ("E0406", 15, ["店外经营占了人行道", "水果摊摆到路上"]),
    ("E0201", 15, ["电线杆上又贴小广告", "楼道里牛皮癣"]),
    ("E0136", 8, ["装修垃圾堆在路边", "沙子堆在人行道"]),
    ("E0117", 8, ["草坪里狗屎多", "绿地没人打理"]),
    ("E0113", 6, ["路面有个坑", "井盖旁边沉下去了"]),
    ("E0506", 4, ["下穿通道积水", "雨水篦子堵了"]),
    ("C0199", 6, ["路灯不亮", "三盏路灯都坏了"]),
    ("C0101", 2, ["上水井盖不见了"]),
    ("E0496", 6, ["消防通道被车堵死", "消防通道锁了"]),
    ("E0301", 5, ["工地半夜施工", "打桩太吵"]),
    ("E9001", 4, ["楼上漏水两家吵起来了", "邻里噪音"]),
    ("E9002", 3, ["帮老人办高龄补贴"]),
]
# Who reports, how often; the door each comes by.
REPORTERS = [("resident", 24, "tcp"), ("food-rider", 18, "tcp"), ("courier", 12, "tcp"), ("ride-hail", 4, "tcp"),
             ("grid-worker", 22, "tcp"), ("part-time-worker", 6, "tcp"), ("property", 8, "tcp"), ("volunteer", 6, "tcp"),
             ("hotline", 10, "hotline"), ("platform", 20, "redis")]


class Case:
    def __init__(self, number, category, reporter, speaks):
        self.number, self.category, self.reporter, self.speaks = number, category, reporter, speaks
        self.handler_unit, self.reworked, self.whistled, self.returned = None, False, False, False
        self.handle_due, self.ended = 0, False


class Day:
    def __init__(self, folder, redis, daemon):
        self.dice = random.Random(SEED)
        self.street, self.redis, self.daemon, self.folder = Street(), redis, daemon, folder
        self.clients, self.queue, self.order, self.now = {}, [], 0, DAY_START
        self.asked, self.refused, self.cases, self.resent, self.uploaded = 0, {}, {}, 0, 0
        self.event_cursor, self.awaited = "0-0", 0
        self.limits = {c["category"]: c for c in self.street.categories}
        self.workers = {p["id"]: p for p in self.street.people}

    # ---- time and talk ----

    def at(self, when, what, *args):
        self.order += 1
        heapq.heappush(self.queue, (when, self.order, what, args))

    def run(self, until):
        while self.queue and self.queue[0][0] <= until:
            when, _, what, args = heapq.heappop(self.queue)
            self.now = max(self.now, when)
            what(*args)
        self.now = until
        self.says("operator-01").ask("advance_clock", {"to_ms": until})

    def says(self, who):
        if who not in self.clients:
            self.clients[who] = self.daemon.client(who)
        return self.clients[who]

    def ask(self, who, body, values):
        """Asks at the demo's own time; a refusal is part of the day and is counted by its rule."""
        self.asked += 1
        try:
            return self.says(who).ask(body, values, replay_at_ms=self.now)
        except Refused as why:
            self.refused[why.rule] = self.refused.get(why.rule, 0) + 1
            return None

    def new_key(self):
        bits = self.dice.getrandbits(74)
        return (self.now << 80 | 7 << 76 | (bits >> 62) << 64 | 2 << 62 | bits & (1 << 62) - 1).to_bytes(16, "big")

    def act(self, who, case, act, **more):
        return self.ask(who, "action", {"key": self.new_key(), "case_number": case.number, "act": act, **more})

    def photos(self, who, *roles):
        """Small photos, uploaded by who names them."""
        taken = []
        for role in roles:
            taken.append({"sha256": self.says(who).upload(b"\xff\xd8\xff\xe0" + self.dice.randbytes(400)), "role": role})
            self.uploaded += 1
        return taken

    def later(self, least, most):
        return self.now + self.dice.randint(least, most) * MINUTE

    # ---- 发现: reports by TCP, through the hotline, and from the riders' platform by Redis ----

    def report(self, kind, door):
        category, _, words = self.dice.choices(MATTERS, [m[1] for m in MATTERS])[0]
        body = {"key": self.new_key(), "category": category, "description": self.dice.choice(words),
                "place": self.street.place(self.dice.randrange(len(self.street.grids)), self.dice.uniform(-0.9, 0.9))}
        if door == "redis":
            body["evidence"] = self.photos("rider-platform", "NEAR", "FAR")
            self.report_by_redis(body)
            return
        who, speaks = self.reporter(kind, body) if door == "tcp" else self.caller(body)
        if door == "tcp":  # a caller has no photos
            body["evidence"] = self.photos(who, "NEAR", "FAR")
        answer = self.ask(who, "submit", body)
        if answer and self.dice.random() < 0.08:  # the answer was lost on a bad network, so the phone sends it again
            again = self.ask(who, "submit", body)
            assert again["again"] and again["case_number"] == answer["case_number"]
            self.resent += 1
        if answer:
            self.follow(answer, category, who, speaks)

    def reporter(self, kind, body):
        people = [p["id"] for p in self.street.people if p["kind"] == kind and "reporter" in p["roles"].split("+")]
        who = self.dice.choice(people)
        if kind == "resident" and self.dice.random() < 0.1:
            body["anonymous"] = 1
            return who, None
        return who, {}

    def caller(self, body):
        body["reporter"] = {"id": f"caller-{self.dice.randrange(30):02}", "kind": "RESIDENT"}
        return "hotline-12345", {"reporter": body["reporter"]}

    def report_by_redis(self, body):
        body["reporter"] = {"id": f"rider-{self.dice.randrange(25):02}", "kind": "FOOD_RIDER"}
        entry = {"gateway": "rider-platform", "token": "demo-rider-platform", "replay_at_ms": self.now, "report": body}
        self.redis.command("XADD", "gridloop:reports", "*", "entry", CONTRACT.encode("StreamEntry", entry))
        self.asked += 1
        for event in self.wait_for_events("submit"):
            if event.get("reporter") == f"rider-platform/{body['reporter']['id']}":
                answer = {"case_number": event["case"], "state": event["to"]}
                self.follow(answer, body["category"], "rider-platform", {"reporter": body["reporter"]})

    def wait_for_events(self, act):
        """What the platform reads to learn what became of its reports: the stream of events."""
        limit = time.monotonic() + 20
        while time.monotonic() < limit:
            found = []
            got = self.redis.command("XREAD", "COUNT", 1000, "BLOCK", 1000, "STREAMS", "gridloop:events", self.event_cursor)
            for entry_id, words in got[0][1] if got else []:
                self.event_cursor = entry_id.decode()
                pairs = [word.decode() for word in words]
                event = dict(zip(pairs[::2], pairs[1::2]))
                if event.get("act") == act and int(event.get("at", self.now)) == self.now:
                    found.append(event)
            if found:
                return found
        raise AssertionError("the events stream said nothing of a report")

    # ---- 发现: cameras, by Redis, as gateways and as NVIDIA DeepStream send them ----

    def alarm(self, camera, event, again):
        if camera["gateway"] == "cameras-police":
            self.deepstream(camera, event)
        else:
            alarm = {"key": self.new_key(), "camera": camera["camera"], "label": camera["label"], "event": event,
                     "confidence": self.dice.uniform(0.55, 0.99), "seen_at_ms": self.now}
            entry = {"gateway": camera["gateway"], "token": "demo-" + camera["gateway"], "replay_at_ms": self.now, "alarm": alarm}
            self.show(b"entry", CONTRACT.encode("StreamEntry", entry))
        self.asked += 1
        if again > 0:
            self.at(self.now + 2 * MINUTE, self.alarm, camera, event, again - 1)

    def deepstream(self, camera, event):
        thing = chunk(1, event.encode()) + chunk(3, camera["label"].encode()) + b"\x25" + struct.pack("<f", self.dice.uniform(0.7, 0.99))
        when = varint(1 << 3) + varint(self.now // 1000)
        frame = (chunk(1, b"4.0") + chunk(2, str(self.order).encode()) + chunk(3, when) +
                 chunk(4, camera["camera"].encode()) + chunk(5, thing))
        self.show(b"metadata", frame)

    def show(self, field, entry):
        """Adds to the cameras' stream and waits until it is dealt with, so that the day comes out the same every time."""
        added = self.redis.command("XADD", "gridloop:cameras", "*", field, entry)

        def taken():
            group = self.redis.command("XINFO", "GROUPS", "gridloop:cameras")[0]
            words = dict(zip(group[::2], group[1::2]))
            return words[b"last-delivered-id"] == added and words[b"pending"] == 0

        wait_until(taken, "the daemon to take a camera's entry")

    def look_at_alarms(self):
        """The acceptor goes through what the cameras saw: right, wrong, or not looked at in time."""
        listed = self.ask("acceptor-01", "list_cases", {"states": ["ALARM_PENDING"], "open_only": 1, "limit": 100})
        for row in listed["cases"]:
            dice = self.dice.random()
            case = Case(row["number"], row["category"], None, None)
            if dice < 0.55:
                answer = self.act("acceptor-01", case, "ACT_CONFIRM", text="看过画面, 属实")
                if answer:
                    self.follow(answer, row["category"], None, None)
            elif dice < 0.8:
                self.act("acceptor-01", case, "ACT_DISMISS", reason=self.reason("dismiss"))
        if self.now + 12 * MINUTE < DAY_END:
            self.at(self.now + 12 * MINUTE, self.look_at_alarms)

    # ---- from state to state: whoever's turn it is, after the time it takes ----

    def follow(self, answer, category, reporter, speaks):
        case = self.cases.setdefault(answer["case_number"], Case(answer["case_number"], category, reporter, speaks))
        self.go_on(case, answer["state"])

    def go_on(self, case, state):
        state = str(state)
        steps = {"REPORTED": (self.accept, 2, 14), "VERIFYING": (self.verified, 5, 25), "FILED": (self.dispatch, 1, 10),
                 "DISPATCHED": (self.sign, 2, 40), "RETURNED": (self.take_back, 2, 10), "HANDLING": (self.handle, 0, 0),
                 "WHISTLED": (self.answer_whistle, 3, 40), "HANDLED": (self.check, 3, 28), "CHECKING": (self.judge, 2, 20),
                 "CLOSED": (self.rate, 30, 600)}
        if state in steps:
            step, least, most = steps[state]
            self.at(self.later(least, most), step, case)

    def done(self, case, answer):
        if answer:
            self.go_on(case, answer["state"])

    def reason(self, act):
        return self.dice.choice([r["code"] for r in self.street.reasons if r["act"] == act])

    def view(self, case):
        return self.ask("supervisor-01", "get_case", {"case_number": case.number})

    def grids_worker(self, view):
        return self.street.worker_of(view["summary"]["grid"])

    def accept(self, case):
        dice = self.dice.random()
        if dice < 0.06:
            self.done(case, self.act("acceptor-02", case, "ACT_REJECT", reason=self.reason("reject"), text="不属于受理范围"))
        elif dice < 0.14:
            self.done(case, self.act("acceptor-01", case, "ACT_VERIFY"))
        else:
            self.done(case, self.act(self.dice.choice(["acceptor-01", "acceptor-02", "acceptor-03"]), case, "ACT_FILE"))

    def verified(self, case):
        view = self.view(case)
        place = {"lat": view["lat"], "lon": view["lon"]}
        answer = self.act(self.grids_worker(view), case, "ACT_VERIFIED", finding="EXISTS", place=place,
                          evidence=self.photos(self.grids_worker(view), "NEAR", "FAR"))
        if answer:
            self.at(self.later(1, 5), lambda: self.done(case, self.act("acceptor-01", case, "ACT_FILE")))

    def dispatch(self, case):
        more = {"unit": self.dice.choice(["enforcement", "police"]), "units": ["volunteers"]} if case.category == "E0496" else {}
        if case.category == "E0301":
            more = {"unit": "enforcement"}
        self.done(case, self.act("dispatcher-01", case, "ACT_DISPATCH", **more))

    def take_back(self, case):
        self.done(case, self.act("dispatcher-02", case, "ACT_TAKE_BACK"))

    def sign(self, case):
        view = self.view(case)
        case.handler_unit = view["summary"]["handler"]
        case.staff = self.dice.choice(self.street.all_with("handler", unit=case.handler_unit))
        if self.dice.random() < 0.03 and not case.returned:
            case.returned = True
            self.done(case, self.act(case.staff, case, "ACT_RETURN", reason=self.reason("return"), text="不在本单位职责内"))
        else:
            self.done(case, self.act(case.staff, case, "ACT_SIGN"))

    def handle(self, case):
        """Work begins; it takes part of what is left of the limit, or all of it and more."""
        view = self.view(case)
        due = view["summary"].get("handle_due_ms", 0)
        left = max(due - self.now, 20 * MINUTE)
        dice = self.dice.random()
        if dice < 0.02 and not case.whistled:
            case.whistled = True
            self.done(case, self.act("convener-street", case, "ACT_WHISTLE", units=["enforcement", "police"], text="需要联合处置"))
            return
        if dice < 0.05 and left > 30 * MINUTE:
            asked = self.act(case.staff, case, "ACT_ASK_EXTENSION", extend_ms=left // 2, text="缺材料")
            if asked:
                self.act("supervisor-01", case, self.dice.choice(["ACT_EXTEND", "ACT_REFUSE_EXTENSION"]))
        elif dice < 0.06:
            self.suspend(case)
            return
        late = self.dice.random() < 0.07
        self.at(self.now + int(left * self.dice.uniform(1.05, 1.6) if late else left * self.dice.uniform(0.15, 0.9)), self.settle, case)

    def suspend(self, case):
        asked = self.act(case.staff, case, "ACT_ASK_SUSPENSION", reason=self.reason("suspend"), until_ms=self.now + 30 * 24 * HOUR)
        if asked and self.act("supervisor-02", case, "ACT_SUSPEND"):
            self.at(self.now + 30 * 24 * HOUR + MINUTE, self.settle, case)

    def answer_whistle(self, case):
        for who in ("enforcement-01", "police-01"):
            self.act(who, case, "ACT_ANSWER", text="已到场")
        self.at(self.later(10, 40), self.settle, case)

    def settle(self, case):
        if case.category == "E0496":
            self.act("volunteer-01", case, "ACT_CO_HANDLED", text="已劝离")
        self.done(case, self.act(case.staff, case, "ACT_HANDLED", text="现场已处理",
                                 evidence=self.photos(case.staff, "BEFORE", "AFTER")))

    def check(self, case):
        case.checker = self.grids_worker(self.view(case))
        answer = self.act(case.checker, case, "ACT_CHECK")
        if not answer:  # it was the worker who reported through the unit that handled it
            case.checker = "supervisor-01"
            answer = self.act(case.checker, case, "ACT_CHECK")
        self.done(case, answer)

    def judge(self, case):
        if self.dice.random() < 0.05 and not case.reworked:
            case.reworked = True
            self.done(case, self.act(case.checker, case, "ACT_REWORK", reason=self.reason("rework"), text="没清干净"))
        else:
            self.done(case, self.act(case.checker, case, "ACT_PASS", text="核查属实"))

    def rate(self, case):
        if case.speaks is None or self.dice.random() < 0.35:
            return  # anonymous, a camera, or silent
        rating = self.dice.choices(["SATISFIED", "FAIRLY", "UNSATISFIED"], [82, 13, 5])[0]
        self.done(case, self.act(case.reporter, case, "ACT_REVIEW", rating=rating, **case.speaks))

    # ---- the plan of the day ----

    def plan(self):
        for _ in range(REPORTS):
            kind, _, door = self.dice.choices(REPORTERS, [r[1] for r in REPORTERS])[0]
            when = DAY_START + int(self.dice.triangular(0, DAY_END - DAY_START - 2 * HOUR, 4 * HOUR))
            self.at(when, self.report, kind, door)
        for i in range(ALARMS):
            camera = self.dice.choice(self.street.cameras)
            when = DAY_START + self.dice.randrange(DAY_END - DAY_START - HOUR)
            self.at(when, self.alarm, camera, f"event-{i}", self.dice.choice([0, 0, 1, 3, 8]))
        self.at(DAY_START + 10 * MINUTE, self.look_at_alarms)

    def redeem(self):
        """A rider with enough points has lunch at the station."""
        people = [p["id"] for p in self.street.people if p["kind"] in ("food-rider", "courier", "ride-hail") and "reporter" in p["roles"]]
        balances = {who: self.ask(who, "get_points", {}).get("balance", 0) for who in people}
        winner = max(people, key=balances.get)
        self.ask("station-01", "points_entry", {"key": self.new_key(), "person": winner, "points": 30, "text": "餐券一张"})
        return winner


# ---- what is printed ----

def title(text):
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)


def gridloop(day, who, *words):
    env = {**os.environ, "TZ": "Asia/Shanghai", "GRIDLOOP_SERVER": f"127.0.0.1:{day.daemon.port}", "GRIDLOOP_ID": who, "GRIDLOOP_TOKEN": f"demo-{who}"}
    print(f"$ gridloop {' '.join(words)}", flush=True)
    subprocess.run([os.path.join(BUILD, "gridloop"), *words], env=env, cwd=TOP, check=True)


def print_evening(day):
    title("22:00  the day as the street's leader sees it")
    gridloop(day, "supervisor-01", "stats", "--by", "kind")
    print()
    gridloop(day, "supervisor-01", "stats", "--by", "state")


def print_month(day):
    title("Five weeks later: every limit, answer and reward has run its course")
    gridloop(day, "supervisor-01", "stats", "--by", "kind")
    print()
    winner = day.redeem()
    gridloop(day, winner, "points")
    named = next((c for c in day.cases.values() if c.reworked and c.speaks), None)
    if named:
        print()
        gridloop(day, "supervisor-01", "case", "show", named.number)


def print_books(day):
    title("The books")
    database = os.path.relpath(day.daemon.database, TOP)
    print(f"$ gridloop verify {database}", flush=True)
    subprocess.run([os.path.join(BUILD, "gridloop"), "verify", day.daemon.database], cwd=TOP, check=True)
    print(f"""
The database stays in {database}; look at it with

  sqlite3 -readonly {database} "
    SELECT category, count(*) AS cases, sum(late) AS late, round(avg(closed_ms - reported_ms) / 3600000.0, 1) AS hours
    FROM closed_case WHERE closed_ms > 0 GROUP BY category ORDER BY cases DESC"
""")


def open_street(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    redis = Redis(folder).start()
    daemon = Daemon(folder, redis, {"redis_cameras_gateway": "cameras-police", "jurisdiction": SAMPLE}).start()
    return redis, daemon


def main():
    folder = os.path.join(TOP, BUILD, "demo")
    began = time.monotonic()
    redis, daemon = open_street(folder)
    try:
        day = Day(folder, redis, daemon)
        print(f"渭阳街道 610404004: 21 communities, {len(day.street.grids)} grids, {len(day.street.people)} identities; a real gridloopd and a real redis-server.")
        print("Residents, riders, grid workers, property and the hotline report over TCP,\na rider platform and the cameras through Redis. The clock is the demo's own.")
        day.says("operator-01").ask("advance_clock", {"to_ms": DAY_START})
        day.plan()
        day.run(DAY_END)
        print_evening(day)
        day.run(DAY_END + 35 * 24 * HOUR)
        day.says("operator-01").ask("advance_clock", {"settle": 1})
        print_month(day)
        daemon.stop()
        print_books(day)
        worst = sorted(day.refused.items(), key=lambda item: -item[1])[:4]
        print(f"{day.asked} requests in {time.monotonic() - began:.1f} s, {day.resent} of them sent again after a lost answer and answered the same; {day.uploaded} photos;")
        print(f"{sum(day.refused.values())} refused by a rule, most often " + ", ".join(f"{rule} ({count})" for rule, count in worst) + ".")
    finally:
        if daemon.is_alive():
            daemon.kill()
        redis.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
