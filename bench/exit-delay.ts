import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createAgentBench, type AgentBench } from "../processor/register/testing/registered-agent.ts";
import { median } from "./figures.ts";

export interface ExitDelay {
  readonly trouble: string;
  /** How much later than without us the process ends when its work is done; median. */
  readonly delayMillis: number;
}

/** Works in a run of its own, then has nothing left to do. */
const AGENT = `
  import { defineContract, withRun, wrapTool } from "${new URL("../dist/instrumentation/index.js", import.meta.url).href}";
  const tool = wrapTool({ name: "t" }, async () => "fine");
  if (process.env.BARE !== "1") for (let n = 0; n < 20; n++) await tool({ n });
  console.log("work is done");`;

const TROUBLES: Readonly<Record<string, (bench: AgentBench) => unknown>> = {
  well: () => {},
  away: ({ collector }) => collector.close(),
  hangs: ({ collector }) => (collector.answer = () => {}),
  "answers garbage": ({ collector }) => (collector.answer = (response) => response.socket?.end("garbage\0\r\n\r\n")),
  "refuses all": ({ collector }) => (collector.answer = (response) => response.writeHead(500).end()),
};

/** In turns, each with a bare process beside it. */
export async function measureExits(rounds: number): Promise<ExitDelay[]> {
  const delays = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [trouble, make] of Object.entries(TROUBLES)) {
      delays.set(trouble, [...(delays.get(trouble) ?? []), await delayWith(make)]);
      process.stderr.write(".");
    }
    const swallowed = await delayWhereNobodyAccepts();
    if (swallowed !== undefined) delays.set("swallows packets", [...(delays.get("swallows packets") ?? []), swallowed]);
  }
  return Array.from(delays, ([trouble, all]) => ({ trouble, delayMillis: median(all) }));
}

const delayWith = (make: (bench: AgentBench) => unknown): Promise<number> =>
  withBench(async (bench) => {
    await make(bench);
    return await delay(bench, {});
  });

async function delay(bench: AgentBench, env: Readonly<Record<string, string>>): Promise<number> {
  const bare = await bench.run("agent.mjs", { isBare: true, env: { BARE: "1" } });
  const ours = await bench.run("agent.mjs", { env: { RUNPROOF_BOUNDARY: "process", ...env } });
  return ours.exitMillis - bare.exitMillis;
}

async function withBench(work: (bench: AgentBench) => Promise<number>): Promise<number> {
  const bench = await createAgentBench();
  try {
    await bench.write("agent.mjs", AGENT);
    return await work(bench);
  } finally {
    await bench.remove();
  }
}

/** A listener that is stopped, with its queue full: Linux then drops whatever asks for a connection. */
async function delayWhereNobodyAccepts(): Promise<number | undefined> {
  if (process.platform !== "linux") return undefined;
  const listen = `const s = require("net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log(s.address().port));`;
  const listener = spawn(process.execPath, ["-e", listen], { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = (await once(listener.stdout, "data")) as [Buffer];
  listener.kill("SIGSTOP");
  const sockets = Array.from({ length: 8 }, () => connect(Number(port), "127.0.0.1").on("error", () => {}));
  await new Promise((resolve) => setTimeout(resolve, 200));
  try {
    return await withBench((bench) => delay(bench, { RUNPROOF_ENDPOINT: `http://127.0.0.1:${Number(port)}` }));
  } finally {
    leave(listener, sockets);
  }
}

function leave(listener: ChildProcess, sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.destroy();
  listener.kill("SIGKILL");
}
