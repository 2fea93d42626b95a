// A small client of gridloopd: the contract read by protobufjs, frames over a socket, and one promise a question.
// It knows nothing that docs/protocol.md does not say.
import { createHash, randomBytes } from "node:crypto";
import net from "node:net";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";

const root = await protobuf.load(fileURLToPath(new URL("../../../proto/gridloop.proto", import.meta.url)));
const ClientFrame = root.lookupType("gridloop.v1.ClientFrame");
const ServerFrame = root.lookupType("gridloop.v1.ServerFrame");
const READABLE = { longs: Number, enums: String, defaults: true, arrays: true, oneofs: true };

/** Cuts a stream of bytes into the messages it carries, however the network has cut it before. */
export class FrameReader {
  #held = Buffer.alloc(0);

  /** The whole frames that are there now; what is left of the last one is kept. */
  push(bytes) {
    this.#held = Buffer.concat([this.#held, bytes]);
    const messages = [];
    for (let frame = this.#next(); frame; frame = this.#next()) messages.push(ServerFrame.decode(frame));
    return messages;
  }

  #next() {
    const reader = protobuf.Reader.create(this.#held);
    let length;
    try {
      length = reader.uint32();
    } catch (error) {
      if (error instanceof RangeError) return null; // even the length is still under way
      throw error;
    }
    const end = reader.pos + length;
    if (end > this.#held.length) return null;
    const frame = this.#held.subarray(reader.pos, end);
    this.#held = this.#held.subarray(end);
    return frame;
  }
}

export class Refused extends Error {
  constructor(refusal) {
    super(`${refusal.code} (${refusal.rule}): ${refusal.sentence}`);
    Object.assign(this, refusal);
  }
}

/** A UUIDv7 for this time: what makes a resend the same report. */
export function newKey(nowMs) {
  const key = randomBytes(16);
  key.writeUIntBE(nowMs, 0, 6);
  key[6] = 0x70 | (key[6] & 0x0f);
  key[8] = 0x80 | (key[8] & 0x3f);
  return key;
}

export class Client {
  #socket;
  #reader = new FrameReader();
  #waiting = new Map(); // seq → [resolve, reject]
  #seq = 0;
  #pushes = [];
  #pushTaker = null;
  #ended = null;

  static connect(port, host = "127.0.0.1") {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ port, host, noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new Client(socket));
      });
    });
  }

  constructor(socket) {
    this.#socket = socket;
    socket.on("data", (bytes) => this.#take(bytes));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(new Error("the daemon closed the connection")));
  }

  #take(bytes) {
    for (const message of this.#reader.push(bytes)) {
      const frame = ServerFrame.toObject(message, READABLE);
      if (frame.seq === 0) this.#takePush(frame);
      else this.#settle(frame);
    }
  }

  #settle(frame) {
    const [resolve, reject] = this.#waiting.get(frame.seq) ?? [() => {}, () => {}];
    this.#waiting.delete(frame.seq);
    if (frame.body === "refusal") reject(new Refused(frame.refusal));
    else resolve(frame[frame.body]);
  }

  #takePush(frame) {
    this.#pushes.push(frame.body === "push" ? frame.push : frame);
    this.#pushTaker?.();
  }

  #end(error) {
    this.#ended ??= error;
    for (const [, reject] of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
    this.#pushTaker?.();
  }

  /** The bytes of one frame, for those who want to send them in their own way. */
  frame(body, extra = {}) {
    this.#seq += 1;
    const object = { seq: this.#seq, ...extra, ...body };
    return { seq: this.#seq, bytes: Buffer.from(ClientFrame.encodeDelimited(ClientFrame.fromObject(object)).finish()) };
  }

  reply(seq) {
    return new Promise((resolve, reject) => {
      if (this.#ended) reject(this.#ended);
      else this.#waiting.set(seq, [resolve, reject]);
    });
  }

  write(bytes) {
    this.#socket.write(bytes);
  }

  /** Sends one message ({ getCase: { caseNumber } }) and gives its reply; a refusal rejects with Refused. */
  ask(body, extra) {
    const { seq, bytes } = this.frame(body, extra);
    const promise = this.reply(seq);
    this.write(bytes);
    return promise;
  }

  login(who, token = `demo-${who}`) {
    return this.ask({ login: { who, token, client: "client-js" } });
  }

  /** Uploads a photo or clip, going on where an earlier connection was cut; its digest is how it is named from then on. */
  async upload(bytes) {
    const sha256 = createHash("sha256").update(bytes).digest();
    let state = await this.ask({ beginEvidence: { sha256, size: bytes.length } });
    while (!state.complete) {
      const part = bytes.subarray(state.have, state.have + state.chunkMax);
      state = await this.ask({ putChunk: { sha256, offset: state.have, bytes: part } });
    }
    return sha256;
  }

  async fetchEvidence(sha256) {
    const parts = [];
    let had = 0;
    for (let size = 1; had < size;) {
      const part = await this.ask({ getEvidence: { sha256, offset: had } });
      parts.push(part.bytes);
      had += part.bytes.length;
      size = part.size;
    }
    return Buffer.concat(parts);
  }

  /** The next thing the daemon says unasked. */
  async nextPush() {
    while (this.#pushes.length === 0) {
      if (this.#ended) throw this.#ended;
      await new Promise((resolve) => { this.#pushTaker = resolve; });
      this.#pushTaker = null;
    }
    return this.#pushes.shift();
  }

  close() {
    this.#socket.destroy();
  }
}
