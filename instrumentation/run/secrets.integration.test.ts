import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { PLANTED_SECRETS, type PlantedSecret } from "../capture/testing/planted-secrets.ts";
import { defineContract } from "../contract/contract.ts";
import { recordArtifact } from "./record-artifact.ts";
import { recordEvent } from "./record-event.ts";
import { startRecorder, type Recorder } from "./testing/recorder.ts";
import { withRun } from "./with-run.ts";
import { wrapModel, wrapTool } from "./wrap-tool.ts";

let recorder: Recorder | undefined;
afterEach(async () => {
  await recorder?.close();
  recorder = undefined;
});

/** A run that carries one secret wherever text can come from. */
async function runWith(secret: string, seen: Recorder): Promise<void> {
  const folder = join(seen.folder, "work");
  await mkdir(folder, { recursive: true });
  const contract = defineContract({
    agent: "writer",
    answer: { required: [{ contains: secret }] },
    sideEffects: { expected: [{ tool: "send", arguments: { note: secret } }] },
    verification: { command: [process.execPath, "-e", "console.log(process.argv[1]); process.exit(1)", secret] },
    evidencePaths: { paths: ["notes/", `x ${secret.replaceAll("\0", "")}`.slice(0, 200)] },
    state: { to: [secret] },
  });
  await writeFile(join(folder, "notes"), "x");
  const tool = wrapTool(
    { name: "send", errorOf: () => `E ${secret}`, referenceOf: () => secret },
    (args: unknown) => args,
  );
  const failing = wrapTool({ name: secret }, () => {
    throw new Error(`failed for ${secret}`);
  });
  const work = async (run: Parameters<Parameters<typeof withRun>[1]>[0]): Promise<void> => {
    await tool({ note: secret, nested: [JSON.stringify({ secret })] }, { callId: secret });
    await wrapModel({ model: secret }, () => ({ text: secret }))({ prompt: secret });
    await failing(undefined).catch(() => {});
    await recordEvent(run, secret, { secret });
    await recordArtifact(run, { name: "a", path: `out/${secret}` });
    await recordArtifact(run, {
      name: "b",
      kind: "message",
      ref: secret,
      probe: () => ({ present: true, detail: secret }),
    });
    run.setAnswer(`the answer: ${secret}`);
    run.claim("done", secret);
    throw Object.assign(new Error(secret), { name: "AgentError" });
  };
  const given = { input: { text: secret }, state: { s: secret }, taskId: secret, readState: () => secret, cwd: folder };
  await withRun(contract, work, given).catch(() => {});
}

describe.each([false, true])("with an SDK: %s", (sdk) => {
  it.each(PLANTED_SECRETS.map((secret): [string, PlantedSecret] => [secret.kind, secret]))(
    "no span and no request holds a planted secret: %s",
    async (_, { text, raw }) => {
      recorder = await startRecorder({ sdk });
      await runWith(text, recorder);
      await recorder.flush();
      const spans = JSON.stringify(recorder.all(), (_key, value: unknown) => (typeof value === "bigint" ? "" : value));
      expect(recorder.all().length).toBeGreaterThan(6);
      const events = JSON.stringify(recorder.sdkEvents());
      const written = JSON.stringify(raw).slice(1, -1);
      for (const sent of [...recorder.bodies, spans, events]) {
        expect(
          sent.includes(raw) || sent.includes(written) || sent.includes(JSON.stringify(written).slice(1, -1)),
        ).toBe(false);
      }
    },
  );
});
