/** An agent that carries a secret of its own in every place text can come from. Tests of redaction give it the secrets. */
import { readFileSync, writeFileSync } from "node:fs";
import {
  defineContract,
  type JsonValue,
  recordArtifact,
  recordEvent,
  type RunContract,
  withRun,
  wrapModel,
  wrapTool,
} from "../../../instrumentation/index.ts";

/** Where secrets are planted. */
export const SECRET_PLACES = [
  ...["input", "argument", "result", "nested", "model_request", "model_response", "error"],
  ...["header", "url", "state", "artifact", "event", "log", "file", "answer"],
] as const;
export type SecretPlace = (typeof SECRET_PLACES)[number];
export type SecretsOfRun = Readonly<Record<SecretPlace, string>>;

/** What the contract expects, which may be another secret of the same kind: then the run has failed. */
export type Expectations = Readonly<Record<"argument" | "state" | "file" | "answer", string>>;

/** Part of a run's input: which secrets are its own. */
export interface SecretiveInput {
  readonly case: number;
  readonly note: string;
  /** A server that was there while recording. */
  readonly world: string;
}

export interface SecretiveCase {
  readonly secrets: SecretsOfRun;
  readonly expected: Expectations;
}

const contractOf = (secrets: SecretsOfRun, expected: Expectations): RunContract =>
  defineContract({
    agent: "secretive",
    artifacts: [
      {
        name: "report",
        kind: "json",
        path: "report.json",
        schema: { type: "object", properties: { note: { type: "string", enum: [expected.file] } }, required: ["note"] },
      },
    ],
    sideEffects: { expected: [{ tool: "send", arguments: { note: expected.argument } }], others: "allow" },
    state: { to: [{ note: expected.state }] },
    answer: { required: [{ contains: expected.answer }] },
    verification: { command: ["echo", `INFO started with ${secrets.log}`] },
    limits: { timeoutSeconds: 60 },
  });

export default async function secretive(input: SecretiveInput, given?: { readonly start?: JsonValue }): Promise<void> {
  const cases = JSON.parse(readFileSync(process.env["SECRETS_FILE"] ?? "", "utf8")) as readonly SecretiveCase[];
  const { secrets, expected } = cases[input.case] ?? {};
  if (secrets === undefined || expected === undefined) throw new Error("no such case");
  const start = given?.start ?? { note: secrets.state };
  const options = { input, state: { start }, taskId: `case-${input.case}`, readState: () => ({ note: secrets.state }) };
  await withRun(
    contractOf(secrets, expected),
    async (run) => {
      await work(input, secrets);
      await recordEvent(run, "progress", { note: secrets.event });
      await recordArtifact(run, {
        name: "mail",
        kind: "message",
        ref: secrets.artifact,
        probe: () => ({ present: true, detail: `sent as ${secrets.artifact}` }),
      });
      writeFileSync("report.json", JSON.stringify({ note: secrets.file }));
      run.claim("done", `sent ${secrets.argument}`);
      run.setAnswer(`It is done: ${secrets.answer}\n`);
    },
    options,
  );
}

// oxlint-disable no-unused-vars -- a tool is typed by what it takes
async function work(input: SecretiveInput, secrets: SecretsOfRun): Promise<void> {
  const send = wrapTool({ name: "send", sideEffect: "network" }, (_given: JsonValue) => ({ receipt: secrets.result }));
  const think = wrapModel({ model: "m-1" }, (_given: JsonValue) => ({
    choices: [{ message: { role: "assistant", content: `I would say ${secrets.model_response}` } }],
  }));
  const request = wrapTool({ name: "request", sideEffect: "read" }, (_given: JsonValue) => ({ status: 200 }));
  const refuse = wrapTool({ name: "refuse", sideEffect: "read" }, () => {
    throw new Error(`no access with ${secrets.error}`);
  });
  await send({ note: secrets.argument });
  await send({ payload: JSON.stringify({ inner: JSON.stringify([{ deep: secrets.nested }]) }), note: input.note });
  await think({ messages: [{ role: "user", content: `What about ${secrets.model_request}?` }] });
  await request({
    url: `https://api.example/search?n=1&q=${encodeURIComponent(secrets.url)}`,
    headers: [
      ["x-note", secrets.header],
      ["accept", "*/*"],
    ],
  });
  await refuse(null).catch(() => {});
  await exchange(input, secrets);
}

/** Over the wire, where no wrapper looks. */
async function exchange(input: SecretiveInput, secrets: SecretsOfRun): Promise<void> {
  const answer = await fetch(`${input.world}/search?case=${input.case}&q=${encodeURIComponent(secrets.url)}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${encodeURIComponent(secrets.header)}`,
      prefer: encodeURIComponent(secrets.header),
    },
    body: JSON.stringify({ note: secrets.argument, text: JSON.stringify({ deep: secrets.nested }) }),
  });
  await answer.text();
}
