import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createJournal } from "./journal.ts";
import { createOutboxLedger, type OutboxEntry } from "./outbox-ledger.ts";

const CHILD = fileURLToPath(new URL("testing/outbox-child.ts", import.meta.url));
const LONG = process.env["RUNPROOF_LONG_TESTS"] === "1";
const KILLS = LONG ? 60 : 8;
const ITEMS = LONG ? 600 : 80;

let directory: string;
let server: Server;
let received: string[];
let url: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-outbox-"));
  received = [];
  server = createServer((request, response) => {
    void request.toArray().then((chunks) => {
      // Most are refused at first: at every kill some are durable and not delivered.
      const takes = Math.random() < 0.4;
      if (takes) received.push(Buffer.concat(chunks as Buffer[]).toString());
      response.writeHead(takes ? 200 : 503).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true, force: true });
});

interface Child {
  /** Highest item that was durable. */
  readonly put: number;
  readonly finished: boolean;
}

/** Runs the outbox, which puts what comes from `from` on, and kills it as soon as it printed so many lines. */
async function run(from: number, killAfterLines: number): Promise<Child> {
  const what = [directory, url, String(from), String(ITEMS)];
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", CHILD, ...what], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = once(child, "exit");
  let lines = 0;
  let put = -1;
  let finished = false;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === "done") finished = true;
    const [, index] = /^put (\d+)$/.exec(line) ?? [];
    if (index !== undefined) put = Math.max(put, Number(index));
    if (++lines >= killAfterLines) child.kill("SIGKILL");
  }
  await exit;
  return { put, finished };
}

/** Keys whose delivery the journal says was made. */
async function recordedAsDelivered(): Promise<Set<string>> {
  const journal = createJournal({ directory, name: "outbox.journal" });
  const ledger = createOutboxLedger();
  const entries = (await journal.open()) as OutboxEntry[];
  await journal.close();
  for (const entry of entries) ledger.apply(entry);
  return new Set(entries.map(({ key }) => key).filter((key) => ledger.has(key) && !ledger.open.has(key)));
}

describe("an outbox whose process is killed at random points", () => {
  it(`loses nothing that was durable, and repeats nothing that was recorded as delivered, in ${KILLS} kills`, async () => {
    let durable = -1;
    for (let kill = 0; kill < KILLS; kill++) {
      const settled = await recordedAsDelivered();
      const before = received.length;
      const { put } = await run(durable + 1, 1 + Math.floor((Math.random() * ITEMS * 2) / KILLS));
      durable = Math.max(durable, put);
      const repeated = received.slice(before).filter((key) => settled.has(key));
      expect(repeated).toEqual([]);
    }
    expect(durable).toBeGreaterThanOrEqual(0);
    const settled = await recordedAsDelivered();
    const before = received.length;
    expect((await run(durable + 1, Infinity)).finished).toBe(true);
    expect(received.slice(before).filter((key) => settled.has(key))).toEqual([]);
    expect(new Set(received).size).toBe(ITEMS);
    expect((await recordedAsDelivered()).size).toBe(ITEMS);
  });
});
