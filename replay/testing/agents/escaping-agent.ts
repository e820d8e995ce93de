/** An agent that swallows every error and tries to get out by all the ways it knows. */
import { openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { trace } from "@opentelemetry/api";
import type { WitnessAddress } from "../../sandbox/strict/witness.ts";
import type { Escape, EscapeTarget } from "./escapes/escape.ts";
import { FILE_ESCAPES } from "./escapes/file-escapes.ts";
import { NATIVE_ESCAPES } from "./escapes/native-escapes.ts";
import { NETWORK_ESCAPES } from "./escapes/network-escapes.ts";
import { PROCESS_ESCAPES } from "./escapes/process-escapes.ts";

export interface EscapingInput {
  readonly witness: WitnessAddress;
  readonly names: readonly string[];
}

export const ESCAPES: Readonly<Record<string, Escape>> = {
  ...NETWORK_ESCAPES,
  ...PROCESS_ESCAPES,
  ...FILE_ESCAPES,
  ...NATIVE_ESCAPES,
};

/** Process ids that nobody has: an attempt to reach one marks the place in the ledger of the inner layer. */
export const FIRST_MARKER_ID = 2_000_000_000;
/** And a file that cannot be marks it in that of the layer below. */
export const MARKER_FOLDER = "/runproof-escape-marker";

const PATIENCE_MILLIS = 5_000;

export default async function agent({ witness, names }: EscapingInput): Promise<void> {
  const results: Record<string, string> = {};
  const secret = join(witness.folder, "secret");
  for (const [index, name] of names.entries()) {
    mark(index);
    const outside = join(witness.folder, `out-${index}`);
    results[name] = await resultOf(ESCAPES[name], { witness, outside, secret });
  }
  mark(names.length);
  const attributes = { results: JSON.stringify(results) };
  trace.getTracer("escapes").startSpan("escapes", { attributes }).end();
}

async function resultOf(escape: Escape | undefined, target: EscapeTarget): Promise<string> {
  try {
    const work = Promise.resolve(escape?.(target)).then(() => "succeeded");
    return await Promise.race([work, sleep(PATIENCE_MILLIS, "no answer", { ref: false })]);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return `${code ?? ""} ${message}`;
  }
}

function mark(index: number): void {
  for (const go of [
    () => process.kill(FIRST_MARKER_ID + index, 0),
    () => openSync(`${MARKER_FOLDER}-${index}`, "wx"),
  ]) {
    try {
      go();
    } catch {
      // It is there to be refused.
    }
  }
}
