/**
 * Entry of a process that runs the escaping agent and prints what came of it, as JSON: so that a test can choose the
 * user. Its first argument is the input: `{"mode":"strict","native":true,"names":["fetch"]}`.
 */
import { createPlayer } from "../cassette/player.ts";
import type { Fixture } from "../fixture/fixture-format.ts";
import { runChild, type ReplayMode } from "../sandbox/run-child.ts";
import { openWitness } from "../sandbox/strict/witness.ts";
import { builtFixture, failedFacts } from "./facts.ts";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface EscapeRunInput {
  readonly mode: ReplayMode;
  readonly native: boolean;
  readonly names: readonly string[];
}

const { mode, native, names } = JSON.parse(process.argv[2] ?? "") as EscapeRunInput;
let signals = 0;
for (const signal of ["SIGWINCH", "SIGUSR2"] as const) process.on(signal, () => signals++);
const witness = await openWitness();
try {
  const fixture = withInput({ witness: { ...witness.address }, names: [...names] });
  const player = createPlayer(fixture.cassette);
  const run = await runChild({
    fixture,
    agent: {
      module: new URL("./agents/escaping-agent.ts", import.meta.url).href,
      exportName: "default",
      native,
    },
    player,
    environment: { PATH: process.env["PATH"] },
    timeoutMillis: 110_000,
    mode,
  });
  const secret = readFileSync(join(witness.address.folder, "secret"), "utf8");
  const hits = [
    ...(await witness.hits()),
    ...(signals > 0 ? ["signal"] : []),
    ...(secret === "outside" ? [] : ["secret changed"]),
  ];
  const results = run.rows.find((row) => row.SpanName === "escapes")?.SpanAttributes["results"] ?? "{}";
  const { outcome, strict, stderr } = run;
  // HTTP that no cassette has is told by the player: it was answered before it could become an attempt.
  const missed = player.report().misses.map(({ request }) => request.arguments ?? null);
  process.stdout.write(
    JSON.stringify({ outcome, strict, hits, results: JSON.parse(results) as unknown, stderr, missed }),
  );
} finally {
  await witness.close();
}

/** The witness's address has a zero byte in it, which no stored input has; here the input goes straight to the agent. */
function withInput(input: object): Fixture {
  const fixture = builtFixture(failedFacts());
  return { ...fixture, input: { ...fixture.input, input: input as Fixture["input"]["input"] } };
}
