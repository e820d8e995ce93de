import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { safeJson, safeLine } from "../safe-text.ts";
import { githubError, withoutCommands } from "../suite/github-annotations.ts";
import { EXIT } from "../worker/exit-codes.ts";
import type { CommandContext } from "./context.ts";
import { askOperations, errorOf, type OperationsAnswer } from "./operations-client.ts";
import { UsageError } from "./run-command-line.ts";

export interface GateFlags {
  readonly url?: string;
  readonly project?: string;
  readonly wait?: string;
  readonly github?: true;
  readonly json?: true;
}

const reason = z.looseObject({ code: z.string(), message: z.string().default("") });
const decision = z.looseObject({
  open: z.boolean(),
  reasons: z.array(reason),
  overridden: z.array(reason).default([]),
});
type Decision = z.output<typeof decision>;

const ASK_AGAIN_MILLIS = 2_000;

/** `runproof gate`: 0 open, 1 closed, 3 nobody answers, which is closed too. */
export async function gateCommand(flags: GateFlags, context: CommandContext): Promise<number> {
  const deadline = Date.now() + waitMillisFrom(flags.wait);
  for (;;) {
    const answer = await askOperations(
      { url: flags.url, path: "/v1/gate", query: { project: flags.project } },
      context,
    );
    const asked = decisionFrom(answer);
    const isOpen = "decision" in asked && asked.decision.open;
    const pause = Math.min(ASK_AGAIN_MILLIS, deadline - Date.now());
    if (isOpen || pause <= 0) return tell(asked, { flags, context });
    await sleep(pause, undefined, { signal: context.signal });
  }
}

type Asked = { readonly decision: Decision } | { readonly nobody: string };

/** Open is only what says so twice: by its status and by its body. */
function decisionFrom(answer: OperationsAnswer): Asked {
  if (answer.kind === "nobody") return { nobody: answer.message };
  const parsed = decision.safeParse(answer.body);
  if (!parsed.success) return { nobody: errorOf(answer) };
  const { open, reasons } = parsed.data;
  return { decision: { ...parsed.data, open: open && answer.status === 200 && reasons.length === 0 } };
}

interface Telling {
  readonly flags: GateFlags;
  readonly context: CommandContext;
}

function tell(asked: Asked, { flags, context }: Telling): number {
  const { stdout, stderr } = context;
  if ("nobody" in asked) {
    const message = `the gate is closed: nobody answers for it (${safeLine(asked.nobody)})`;
    if (flags.json) stdout.write(safeJson({ open: false, status: "closed", error: asked.nobody, reasons: [] }));
    stderr.write(`error: ${message}\n`);
    if (flags.github) (flags.json ? stderr : stdout).write(githubError("runproof gate", message));
    return EXIT.environment;
  }
  const { decision: decided } = asked;
  if (flags.json) stdout.write(safeJson(decided));
  else stdout.write(flags.github ? withoutCommands(gateText(decided)) : gateText(decided));
  if (flags.github && !decided.open) {
    const errors = decided.reasons.map((one) =>
      githubError(`runproof gate: ${safeLine(one.code)}`, safeLine(one.message)),
    );
    (flags.json ? stderr : stdout).write(errors.join(""));
  }
  return decided.open ? EXIT.ok : EXIT.finding;
}

function gateText({ open, reasons, overridden }: Decision): string {
  const line = (one: { code: string; message: string }, note = ""): string =>
    `  ${safeLine(one.code).padEnd(18)} ${safeLine(one.message)}${note}`;
  return [
    open ? "the gate is open" : "the gate is closed",
    ...reasons.map((one) => line(one)),
    ...overridden.map((one) => line(one, " (overridden)")),
    "",
  ].join("\n");
}

function waitMillisFrom(text: string | undefined): number {
  if (text === undefined) return 0;
  const seconds = Number(text);
  if (!(seconds >= 0 && seconds <= 86_400)) throw new UsageError("--wait must be 0 to 86400 seconds");
  return seconds * 1_000;
}

export interface OverrideFlags {
  readonly url?: string;
  readonly code: string[];
  readonly for: string;
  readonly reason: string;
  readonly by?: string;
  readonly fixture?: string;
  readonly json?: true;
}

/** `runproof gate override` */
export async function overrideGate(flags: OverrideFlags, context: CommandContext): Promise<number> {
  const { url, code: codes, for: duration, reason: why, fixture } = flags;
  const body = { reason: why, by: personFrom(flags.by, context), codes, for: duration, ...(fixture && { fixture }) };
  const answer = await askOperations({ url, path: "/v1/gate/overrides", body }, context);
  return told(answer, {
    flags,
    context,
    done: (granted) => `override ${String(granted["id"])} until ${String(granted["expires_at"])}`,
  });
}

export interface RevokeFlags {
  readonly url?: string;
  readonly by?: string;
  readonly json?: true;
}

/** `runproof gate revoke <id>` */
export async function revokeOverride(id: string, flags: RevokeFlags, context: CommandContext): Promise<number> {
  const body = { id, by: personFrom(flags.by, context) };
  const answer = await askOperations({ url: flags.url, path: "/v1/gate/overrides/revoke", body }, context);
  return told(answer, { flags, context, done: () => `override ${id} is revoked` });
}

/** Whoever answers for it has a name. */
export function personFrom(by: string | undefined, { env }: CommandContext): string {
  const name = by ?? (env["GITHUB_ACTOR"] || env["USER"] || env["USERNAME"]);
  if (!name) throw new UsageError("--by <name>: say who answers for this");
  return name;
}

interface Told {
  readonly flags: { readonly json?: true };
  readonly context: CommandContext;
  readonly done: (body: Readonly<Record<string, unknown>>) => string;
}

/** Tells what became of a request that changes something: 0 done, 2 refused as it was asked, 1 otherwise, 3 nobody. */
export function told(answer: OperationsAnswer, { flags, context, done }: Told): number {
  if (answer.kind === "nobody") {
    context.stderr.write(`error: nobody answers at ${safeLine(answer.message)}\n`);
    return EXIT.environment;
  }
  if (answer.status >= 200 && answer.status < 300) {
    context.stdout.write(flags.json ? safeJson(answer.body) : `${safeLine(done(answer.body))}\n`);
    return EXIT.ok;
  }
  context.stderr.write(`error: ${safeLine(errorOf(answer))}\n`);
  return answer.status === 400 ? EXIT.usage : EXIT.finding;
}
