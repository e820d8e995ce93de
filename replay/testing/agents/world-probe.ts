/** Prints what a process of a replay takes for the world, and what the threads and processes it starts do. */
import childProcess from "node:child_process";
import crypto, { randomUUID } from "node:crypto";
import { once } from "node:events";
import { performance as clock } from "node:perf_hooks";
import { promisify } from "node:util";
import { isMainThread, parentPort, Worker } from "node:worker_threads";

const self = new URL(import.meta.url);

const times = () => ({
  now: Date.now(),
  date: new Date().toISOString(),
  text: Date(),
  subclass: new (class extends Date {})().getTime(),
  given: new Date(2020, 1, 3, 4, 5).toISOString(),
  isDate: new Date() instanceof Date && new Date().constructor === Date,
  performance: [clock.now() + clock.timeOrigin, performance.now(), performance.mark("m").startTime],
  measured: [performance.measure("to m", "m").duration, performance.measure("all").duration],
  hrtime: [process.hrtime(), process.hrtime([5, 0]), String(process.hrtime.bigint()), process.uptime()],
  intl: [new Intl.DateTimeFormat().format(), new Intl.DateTimeFormat("de", { timeStyle: "long" }).formatToParts()],
  zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  temporal: temporalNow(),
});

function temporalNow(): string[] | null {
  const { Temporal: temporal } = globalThis as { Temporal?: { Now: Record<string, () => unknown> } };
  const { instant, zonedDateTimeISO, plainDateTimeISO, plainDateISO, plainTimeISO } = temporal?.Now ?? {};
  return temporal === undefined
    ? null
    : [instant, zonedDateTimeISO, plainDateTimeISO, plainDateISO, plainTimeISO].map((now) => String(now?.()));
}

const filled = promisify(crypto.randomFill) as unknown as (view: Uint8Array, ...rest: number[]) => Promise<Uint8Array>;
const integer = promisify(crypto.randomInt) as (min: number, max: number) => Promise<number>;

const random = async () => ({
  number: [Math.random(), Math.random()],
  uuid: [crypto.randomUUID(), randomUUID(), globalThis.crypto.randomUUID()],
  bytes: [crypto.randomBytes(5).toString("hex"), (await promisify(crypto.randomBytes)(5)).toString("hex")],
  integer: [crypto.randomInt(1_000_000), crypto.randomInt(5, 7), await integer(10, 2 ** 40)],
  filled: [crypto.randomFillSync(new Uint16Array(4), 1, 2).join(), (await filled(new Uint8Array(6), 2, 3)).join()],
  web: [globalThis.crypto.getRandomValues(new Uint32Array(2)).join(), crypto.getRandomValues(new Uint8Array(3)).join()],
});

async function worker(options: object = {}): Promise<unknown> {
  const thread = new Worker(self, options);
  const [told] = (await once(thread, "message")) as [unknown];
  return told;
}

async function evaluated(): Promise<unknown> {
  const code = `require("node:worker_threads").parentPort.postMessage([Date.now(), Math.random()])`;
  const [told] = (await once(new Worker(code, { eval: true }), "message")) as [unknown];
  return told;
}

const brief = "console.log(JSON.stringify([Date.now(), Math.random()]))";

async function processes(): Promise<unknown[]> {
  const execFile = promisify(childProcess.execFile);
  const bare = { env: { PATH: process.env["PATH"] } };
  const { stdout: asynchronous } = await execFile(process.execPath, ["-e", brief]);
  const { stdout: withoutEnvironment } = await execFile(process.execPath, ["-e", brief], bare);
  const synchronous = childProcess.spawnSync(process.execPath, ["-e", brief]).stdout;
  const bareSynchronous = childProcess.execFileSync(process.execPath, ["-e", brief], bare);
  return [asynchronous, withoutEnvironment, synchronous, bareSynchronous].map(
    (text) => JSON.parse(String(text)) as unknown,
  );
}

const own = async () => ({ times: times(), random: await random() });

if (!isMainThread) parentPort?.postMessage(await own());
else {
  const started = [await worker(), await worker(), await worker({ env: {}, execArgv: [] }), await evaluated()];
  process.stdout.write(JSON.stringify({ ...(await own()), started, processes: await processes() }));
}
