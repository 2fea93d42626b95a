// A stranger's client against the real daemon: protobufjs and docs/protocol.md, nothing of ours in between.
// GRIDLOOP_PORT and GRIDLOOP_CAST (who plays which part, as JSON) come from tests/system/test_client_js.py.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { randomBytes } from "node:crypto";
import { Client, FrameReader, Refused, newKey } from "./client.js";

const port = Number(process.env.GRIDLOOP_PORT);
const cast = JSON.parse(process.env.GRIDLOOP_CAST);
const clients = {};
const open = [];
const limit = { timeout: 60_000 };

async function as(who) {
  if (!clients[who]) {
    clients[who] = await Client.connect(port);
    await clients[who].login(who);
  }
  return clients[who];
}

async function stranger() {
  const client = await Client.connect(port);
  open.push(client);
  return client;
}

const jpeg = (size) => Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), randomBytes(size - 4)]);
let nowMs = cast.mondayMs;
const key = () => newKey(nowMs);
const report = (more = {}) => ({ key: key(), category: cast.category, place: cast.place, description: "垃圾没人收", ...more });
const submit = async (more) => (await as(cast.reporter)).ask({ submit: report(more) });
const act = async (who, caseNumber, name, more = {}) =>
  (await as(who)).ask({ action: { key: key(), caseNumber, act: name, ...more } });
const look = async (caseNumber) => (await as(cast.supervisor)).ask({ getCase: { caseNumber } });
const refusedWith = (...codes) => (error) => error instanceof Refused && codes.includes(error.code);

after(() => {
  for (const client of [...Object.values(clients), ...open]) client.close();
});

test("login: says who one is, which roles one has, and what time it is", limit, async () => {
  const client = await stranger();
  const welcome = await client.login(cast.acceptor);
  assert.equal(welcome.who, cast.acceptor);
  assert.ok(welcome.roles.includes("acceptor"));
  assert.match(welcome.server, /^gridloopd/);
  assert.equal(welcome.nowMs, nowMs);
  assert.equal(welcome.maxFrame, 32 * 1024);
});

test("a wrong token, and an unknown name, are refused in the same words", limit, async () => {
  const sentences = [];
  for (const [who, token] of [[cast.acceptor, "wrong"], ["nobody-of-that-name", "wrong"]]) {
    const client = await stranger();
    await assert.rejects(client.login(who, token), (error) => {
      sentences.push(error.sentence);
      return refusedWith("BAD_CREDENTIALS")(error);
    });
  }
  assert.equal(sentences[0], sentences[1]);
});

test("nothing is answered before a login", limit, async () => {
  for (const body of [{ submit: report() }, { listCases: {} }, { getStats: { by: "BY_ALL" } }]) {
    await assert.rejects((await stranger()).ask(body), refusedWith("NOT_LOGGED_IN"));
  }
});

test("ping gives its payload back", limit, async () => {
  const payload = Buffer.from([0, 1, 2, 255]);
  const pong = await (await as(cast.reporter)).ask({ ping: { payload } });
  assert.deepEqual(Buffer.from(pong.payload), payload);
});

test("a report gets a number; the same key again gets the same number", limit, async () => {
  const client = await as(cast.reporter);
  const one = report();
  const first = await client.ask({ submit: one });
  assert.ok(first.caseNumber.startsWith(cast.category));
  assert.equal(first.again, false);
  const again = await client.ask({ submit: one });
  assert.equal(again.caseNumber, first.caseNumber);
  assert.equal(again.again, true);
  await assert.rejects(client.ask({ submit: { ...one, description: "something else" } }), refusedWith("KEY_REUSED"));
});

test("a case goes through all four phases, and the clock's settling rewards it", limit, async () => {
  const { caseNumber } = await submit({ place: cast.elsewhere });
  let answer = await act(cast.acceptor, caseNumber, "ACT_FILE");
  if (answer.state === "FILED") {
    const unit = Object.keys(cast.handlers)[0];
    answer = await act(cast.dispatcher, caseNumber, "ACT_DISPATCH", { unit });
  }
  assert.equal(answer.state, "DISPATCHED");
  const { handler } = (await look(caseNumber)).summary;
  const worker = cast.handlers[handler];
  assert.ok(worker, `nobody in the sample can act for ${handler}`);
  assert.equal((await act(worker, caseNumber, "ACT_SIGN")).state, "HANDLING");
  const photo = jpeg(100_000);
  const sha256 = await (await as(worker)).upload(photo);
  const evidence = [{ sha256, role: "AFTER" }];
  assert.equal((await act(worker, caseNumber, "ACT_HANDLED", { text: "清理完毕", evidence })).state, "HANDLED");
  assert.deepEqual(await (await as(cast.reporter)).fetchEvidence(sha256), photo);
  assert.equal((await act(cast.supervisor, caseNumber, "ACT_CHECK")).state, "CHECKING");
  assert.equal((await act(cast.supervisor, caseNumber, "ACT_PASS", { text: "现场已核查" })).state, "CLOSED");
  const reviewed = await act(cast.reporter, caseNumber, "ACT_REVIEW", { rating: "SATISFIED" });
  assert.ok(["REVIEWED", "REWARDED"].includes(reviewed.state));
  await (await as(cast.operator)).ask({ advanceClock: { settle: true } });
  nowMs = (await (await stranger()).login(cast.reporter)).nowMs;

  const view = await look(caseNumber);
  assert.equal(view.summary.state, "REWARDED");
  assert.ok(view.summary.endedMs > 0);
  assert.equal(view.rating, "SATISFIED");
  const acts = view.history.map((event) => event.act);
  for (const name of ["SUBMIT", "FILE", "DISPATCH", "SIGN", "HANDLED", "CHECK", "PASS", "REVIEW", "REWARD"]) {
    assert.ok(acts.includes(`ACT_${name}`), `no ${name} in ${acts}`);
  }
  const stages = view.discoverMs + view.handleMs + view.feedbackMs + view.pausedMs;
  assert.equal(stages, view.summary.endedMs - view.summary.reportedMs);
});

test("points are what the ledger's rows add up to", limit, async () => {
  const points = await (await as(cast.reporter)).ask({ getPoints: { limit: 100 } });
  assert.equal(points.balance, points.rows.reduce((sum, row) => sum + row.points, 0));
  assert.ok(points.rows.every((row) => row.rule !== ""));
});

test("an offline queue goes up in one frame and is answered in its order", limit, async () => {
  const reports = [report(), report({ category: "E9998" }), report()];
  const { outcomes } = await (await as(cast.reporter)).ask({ submitBatch: { reports } });
  assert.deepEqual(outcomes.map((outcome) => outcome.body), ["answer", "refusal", "answer"]);
  assert.equal(outcomes[1].refusal.code, "UNKNOWN_CATEGORY");
  assert.notEqual(outcomes[0].answer.caseNumber, outcomes[2].answer.caseNumber);
  const again = await (await as(cast.reporter)).ask({ submitBatch: { reports } });
  assert.equal(again.outcomes[2].answer.caseNumber, outcomes[2].answer.caseNumber);
  assert.equal(again.outcomes[2].answer.again, true);
});

test("a subscription from a cursor misses nothing and repeats nothing", limit, async () => {
  const { caseNumber } = await submit();
  const watcher = await stranger();
  await watcher.login(cast.supervisor);
  const { lastEvent } = await watcher.ask({ subscribe: { events: true, eventsAfter: -1 } });
  await act(cast.acceptor, caseNumber, "ACT_FILE");
  const push = await watcher.nextPush();
  assert.equal(push.event.caseNumber, caseNumber);
  assert.equal(push.event.event.act, "ACT_FILE");
  watcher.close();

  const late = await stranger();
  await late.login(cast.supervisor);
  await late.ask({ subscribe: { events: true, eventsAfter: lastEvent } });
  const same = await late.nextPush();
  assert.equal(same.event.event.id, push.event.event.id);
});

test("the reporter is told, once, and can say so", limit, async () => {
  const client = await stranger();
  const { lastNotice } = await client.login(cast.reporter);
  await client.ask({ subscribe: { notices: true, noticesAfter: lastNotice } });
  const { caseNumber } = await submit();
  await act(cast.acceptor, caseNumber, "ACT_REJECT", { reason: cast.reasons.reject, text: "不属于受理范围" });
  let push;
  do push = await client.nextPush(); while (push.notice.caseNumber !== caseNumber || push.notice.state !== "REJECTED");
  assert.notEqual(push.notice.text, "");
  await client.ask({ noticesSeen: { upTo: push.notice.id } });
  const { notices } = await client.ask({ listNotices: { after: 0, limit: 100, unseenOnly: true } });
  assert.ok(notices.every((notice) => notice.id > push.notice.id));
});

test("frames cut at every byte, and frames glued together, are the same frames", limit, async () => {
  const client = await as(cast.reporter);
  const pings = [1, 2, 3].map((n) => client.frame({ ping: { payload: Buffer.alloc(n, n) } }));
  const replies = pings.map((ping) => client.reply(ping.seq));
  for (const byte of pings[0].bytes) {
    client.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  client.write(Buffer.concat([pings[1].bytes, pings[2].bytes]));
  const lengths = (await Promise.all(replies)).map((pong) => pong.payload.length);
  assert.deepEqual(lengths, [1, 2, 3]);
});

test("the client puts together what the network has cut", limit, async () => {
  const reader = new FrameReader();
  const bytes = Buffer.from([5, 0x08, 7, 0x9a, 0x01]); // a length of 5, and one byte short of a Done
  assert.deepEqual(reader.push(bytes.subarray(0, 1)), []);
  assert.deepEqual(reader.push(bytes.subarray(1)), []);
  const [whole] = reader.push(Buffer.from([0]));
  assert.equal(whole.seq, 7);
  assert.equal(whole.body, "done");
});

test("two hundred questions at once get two hundred answers", limit, async () => {
  const client = await as(cast.reporter);
  const pongs = await Promise.all(Array.from({ length: 200 }, (_, i) =>
    client.ask({ ping: { payload: Buffer.from([i]) } })));
  pongs.forEach((pong, i) => assert.equal(pong.payload[0], i));
});
