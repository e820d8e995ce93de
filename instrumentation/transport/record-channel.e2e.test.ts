import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRecordChannel, type RecordChannel } from "./record-channel.ts";
import { startCollector, type LoopbackCollector } from "./testing/loopback-collector.ts";
import { sampleRecord, sampleRun, sampleSpanId } from "./testing/sample-records.ts";

const REFUSED = "http://127.0.0.1:9/v1/traces";

describe("a record channel", () => {
  let directory: string;
  let collector: LoopbackCollector;
  const channels: RecordChannel[] = [];
  const children: ChildProcess[] = [];
  const channelTo = (
    endpoint: string | null,
    spoolDirectory: string | null = directory,
    deadlineMillis = 10_000,
  ): RecordChannel => {
    const channel = createRecordChannel({
      endpoint,
      spoolDirectory,
      deadlineMillis,
      resource: { attributes: { "service.name": "t" } },
      onDiagnostic: () => {
        throw new Error("a broken diagnostic sink");
      },
    });
    channels.push(channel);
    return channel;
  };
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "runproof-channel-"));
    collector = await startCollector();
  });
  afterEach(async () => {
    for (const channel of channels.splice(0)) channel.close();
    for (const child of children.splice(0)) child.kill("SIGKILL");
    await collector.close();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Runs a script with `channel`, `record` and `run` in scope, in a process of its own. */
  const spawnAgent = (endpoint: string, script: string): ChildProcess => {
    const at = (file: string): string => JSON.stringify(join(import.meta.dirname, file));
    const source = `
      import { createRecordChannel } from ${at("record-channel.ts")};
      import { sampleRecord as record, sampleRun as run } from ${at("testing/sample-records.ts")};
      const channel = createRecordChannel({ endpoint: ${JSON.stringify(endpoint)}, deadlineMillis: 2_000,
        spoolDirectory: ${JSON.stringify(directory)}, resource: { attributes: { "service.name": "child" } } });
      ${script}`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    children.push(child);
    return child;
  };
  const output = async (child: ChildProcess): Promise<string> => String((await once(child.stdout!, "data"))[0]).trim();
  const ended = async (child: ChildProcess): Promise<number | null> => (await once(child, "exit"))[0] as number | null;
  const killAgent = async (endpoint: string, script: string): Promise<void> => {
    const child = spawnAgent(endpoint, `${script}; console.log("ready"); setInterval(() => {}, 1000);`);
    expect(await output(child)).toBe("ready");
    child.kill("SIGKILL");
    await ended(child);
  };
  const events = (): unknown[] =>
    collector.spans.map((span) => span.attributes.find(({ key }) => key === "runproof.event")?.value["stringValue"]);

  it("is acknowledged at once and leaves nothing behind", async () => {
    expect(await channelTo(collector.url).send(sampleRecord(1))).toBe("acknowledged");
    expect(collector.spanIds).toEqual([sampleSpanId(1)]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it("spools when the collector is away, does not wait for it again, and delivers when it is back", async () => {
    const { url, port } = collector;
    await collector.close();
    const channel = channelTo(url);
    expect(await channel.send(sampleRecord(1))).toBe("spooled");
    const start = performance.now();
    for (let n = 2; n <= 50; n++) expect(await channel.send(sampleRecord(n))).toBe("spooled");
    expect(performance.now() - start).toBeLessThan(60_000); // 49 deadlines would be far longer.
    collector = await startCollector(port);
    await channel.flush(3_000);
    expect(new Set(collector.spanIds).size).toBe(50);
    expect(readdirSync(directory)).toEqual([]);
    expect(await channel.send(sampleRecord(51))).toBe("acknowledged");
  });

  it("delivers in the background without being asked", async () => {
    collector.answer = (response) => response.writeHead(503).end();
    const channel = channelTo(collector.url);
    expect(await channel.send(sampleRecord(1))).toBe("spooled");
    collector.answer = undefined;
    await expect.poll(() => collector.spanIds).toEqual([sampleSpanId(1)]);
    await expect.poll(() => readdirSync(directory)).toEqual([]);
  });

  it("waits for a hanging collector no longer than the deadline, and takes a late acknowledgement", async () => {
    let late: (() => void) | undefined;
    collector.answer = (response) => void (late ??= () => response.end("{}"));
    const channel = channelTo(collector.url, directory, 200);
    const start = performance.now();
    expect(await channel.send(sampleRecord(1))).toBe("spooled");
    expect(performance.now() - start).toBeLessThan(20_000);
    expect(readdirSync(directory)).toHaveLength(1);
    late?.();
    await expect.poll(() => readdirSync(directory)).toEqual([]);
  });

  it("drops what the collector will never take, and everything when it is off", async () => {
    collector.answer = (response) => response.writeHead(400).end();
    expect(await channelTo(collector.url).send(sampleRecord(1))).toBe("dropped");
    const off = channelTo(null);
    off.runOpened(sampleRun(1));
    expect(await off.send(sampleRecord(1))).toBe("dropped");
    expect(await channelTo(REFUSED, null).send(sampleRecord(1))).toBe("dropped");
    expect(readdirSync(directory)).toEqual([]);
  });

  it("sends on what a killed process spooled, and reports its open runs", async () => {
    await killAgent(
      REFUSED,
      "channel.runOpened(run(1)); channel.runOpened(run(2)); channel.runClosed('run-2'); await channel.send(record(1))",
    );
    const counts = await channelTo(collector.url).resendPrevious();
    expect(counts).toEqual({ files: 1, filesLeft: 0, records: 1, deaths: 1, quarantined: 0 });
    expect(collector.spanIds[0]).toBe(sampleSpanId(1));
    expect(events()[1]).toBe("process_died");
    expect(readdirSync(directory)).toEqual([]);
  });

  it("reports the death of a run whose start was acknowledged", async () => {
    await killAgent(
      collector.url,
      "channel.runOpened(run(1)); if (await channel.send(record(1)) !== 'acknowledged') throw 1",
    );
    expect(await channelTo(collector.url).resendPrevious()).toMatchObject({ records: 0, deaths: 1 });
    const died = collector.spans[1];
    expect(died?.name).toBe("runproof.run process_died");
    expect(died?.attributes).toContainEqual({ key: "runproof.run.id", value: { stringValue: "run-1" } });
    expect(died?.attributes).toContainEqual({ key: "gen_ai.agent.name", value: { stringValue: "tester" } });
  });

  it.each([
    ["process.exit(3)", 3],
    ["throw new Error('uncaught')", 1],
    ["Promise.reject(new Error('unhandled')); await new Promise((r) => setTimeout(r, 500))", 1],
  ])("leaves a process_exit record with the exit code after %s", async (ending, code) => {
    expect(await ended(spawnAgent(collector.url, `channel.runOpened(run(1)); ${ending}`))).toBe(code);
    expect(await channelTo(collector.url).resendPrevious()).toMatchObject({ records: 1, deaths: 0 });
    expect(events()).toEqual(["process_exit"]);
    expect(collector.spans[0]?.attributes).toContainEqual({
      key: "runproof.process.exit_code",
      value: { intValue: String(code) },
    });
  });

  it("loses none of the records whose send returned before SIGKILL", async () => {
    const child = spawnAgent(
      REFUSED,
      "for (let n = 1; ; n++) { await channel.send(record(n)); process.stdout.write(`${n}\\n`); }",
    );
    let seen = "";
    child.stdout?.on("data", (chunk: Buffer) => (seen += String(chunk)));
    await expect.poll(() => seen.split("\n").length).toBeGreaterThan(200);
    child.kill("SIGKILL");
    await ended(child);
    const acknowledged = Number(seen.slice(0, seen.lastIndexOf("\n")).split("\n").at(-1));
    await channelTo(collector.url).resendPrevious();
    const stored = new Set(collector.spanIds);
    for (let n = 1; n <= acknowledged; n++) expect(stored.has(sampleSpanId(n)), `record ${n}`).toBe(true);
  });

  it("lets exactly one of several processes send a file on", async () => {
    for (const n of [1, 2, 3]) await killAgent(REFUSED, `await channel.send(record(${n}))`);
    const race = Array.from({ length: 3 }, () =>
      spawnAgent(
        collector.url,
        "const c = await Promise.race([channel.resendPrevious(), new Promise((r) => setTimeout(r, 20_000))]); console.log(c.records); process.exit(0)",
      ),
    );
    const sent = (await Promise.all(race.map(output))).map(Number);
    expect(sent.reduce((a, b) => a + b)).toBe(3);
    expect(collector.spanIds.toSorted()).toEqual([1, 2, 3].map(sampleSpanId));
  });

  it("takes over from a process that died while it sent a file on", async () => {
    await killAgent(REFUSED, "await channel.send(record(1))");
    collector.answer = () => {};
    const stuck = spawnAgent(collector.url, "void channel.resendPrevious(); setInterval(() => {}, 1000)");
    await expect.poll(() => collector.requests).toBe(1);
    expect(await channelTo(collector.url).resendPrevious()).toMatchObject({ files: 0 });
    stuck.kill("SIGKILL");
    await ended(stuck);
    collector.answer = undefined;
    expect(await channelTo(collector.url).resendPrevious()).toMatchObject({ files: 1, records: 1 });
  });

  it("leaves the files when the collector is away, and quarantines what nobody can read", async () => {
    await killAgent(REFUSED, "await channel.send(record(1))");
    const [name = ""] = readdirSync(directory);
    appendFileSync(join(directory, name), 'garbage\n{"type":"record","span":{"tra');
    expect(await channelTo(REFUSED).resendPrevious()).toMatchObject({ files: 1, filesLeft: 1, records: 0 });
    expect(readdirSync(directory)).toEqual([name]);
    expect(await channelTo(collector.url).resendPrevious()).toMatchObject({ records: 1, quarantined: 2 });
    expect(readdirSync(directory)).toEqual([`${name}.quarantine`]);
  });

  it("does not keep a process alive that has nothing else to do", async () => {
    collector.answer = () => {};
    const start = performance.now();
    const child = spawnAgent(
      collector.url,
      "channel.runOpened(run(1)); await channel.send(record(1)); void channel.resendPrevious();",
    );
    expect(await ended(child)).toBe(0);
    expect(performance.now() - start).toBeLessThan(20_000); // The hanging collector would keep it for ever.
  });

  it("removes its exit hook when it is closed", () => {
    const before = process.listenerCount("exit");
    const channel = channelTo(collector.url);
    channel.runOpened(sampleRun(1));
    channel.runOpened(sampleRun(2));
    expect(process.listenerCount("exit")).toBe(before + 1);
    channel.close();
    expect(process.listenerCount("exit")).toBe(before);
  });
});
