/** An agent that leaves in its process what its input names, and tells how often its module was used. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { trace } from "@opentelemetry/api";
import { callInterceptor } from "../../../instrumentation/capture/call-interceptor.ts";

let uses = 0;

export default async function agent(input: { leaves: string }): Promise<void> {
  uses++;
  const env = JSON.stringify(process.env);
  const { locale } = Intl.DateTimeFormat().resolvedOptions();
  const attributes = { locale, uses, pid: process.pid, cwd: process.cwd(), env };
  trace.getTracer("leaky").startSpan("use", { attributes }).end();
  process.stdout.write(`use ${uses} leaves ${input.leaves};`);
  await leave(input.leaves);
}

async function leave(what: string): Promise<void> {
  switch (what) {
    case "nothing":
      return;
    case "a listener":
      return void process.on("beforeExit", () => {});
    case "a timer":
      return void setInterval(() => {}, 60_000);
    case "a global":
      return void Object.assign(globalThis, { leaky: 1 });
    case "a patched global":
      return void Object.assign(globalThis, { fetch: () => {} });
    case "a prototype":
      // oxlint-disable-next-line no-extend-native -- what a careless library does
      return void Object.defineProperty(Object.prototype, "leaky", { value: 1, configurable: true });
    case "a process":
      spawn("sleep", ["300"], { stdio: "ignore" }).unref();
      return;
    case "nothing but ran a program":
      return void (await once(spawn("true"), "exit"));
    case "a process behind one that ended":
      return void (await once(spawn("sh", ["-c", "sleep 300 &"], { stdio: "ignore" }), "exit"));
    case "a loop of calls":
      return void ask();
    case "an exit":
      process.exit(5);
    case "a throw":
      throw new RangeError("too far");
    case "a hang":
      return void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
    default:
      throw new Error(`nothing called ${what}`);
  }
}

/** Work that nobody awaits. */
async function ask(): Promise<never> {
  const answer = callInterceptor();
  for (;;) await answer?.({ kind: "tool", name: "ask", path: "ask#0", arguments: {} }).catch(() => {});
}
