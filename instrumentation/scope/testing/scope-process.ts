/**
 * A process with a resolver over a file and an HTTP endpoint. It does what its standard input says, a JSON line each, and
 * answers with one: `{"work": true}`, `{"reconcile": "<policy>"}`, `{"undo": true}`.
 */
import { createInterface } from "node:readline";
import { createFileJournal } from "../file-journal.ts";
import { createFileSource } from "../file-source.ts";
import { createHttpSource } from "../http-source.ts";
import { createRuntimeSource } from "../runtime-source.ts";
import { createScopeResolver } from "../scope-resolver.ts";
import type { ReconcilePolicy, ScopeStage } from "../scope-stage.ts";

interface Order {
  readonly work?: true;
  readonly reconcile?: ReconcilePolicy;
  readonly undo?: true;
}

const [file = "", journal = "", cloud = "", stage = "observe"] = process.argv.slice(2);
const events: unknown[] = [];
const resolver = createScopeResolver({
  sources: {
    runtime: createRuntimeSource({ env: process.env, variable: "TEST_SCOPE" }),
    local: createFileSource({ path: file, lockMillis: 20_000 }),
    cloud: createHttpSource({ url: cloud }),
  },
  authorize: ({ scope }) => (scope === "forbidden" ? { allowed: false, reason: "forbidden" } : { allowed: true }),
  policy: { fallback: { kind: "fixed", scope: "safe" } },
  stage: stage as ScopeStage,
  journal: createFileJournal(journal),
  emit: (event) => void events.push(event),
  timeoutMillis: 30_000,
});

async function obey({ work, reconcile, undo }: Order): Promise<unknown> {
  if (work) return await resolver.withScope("work", (scope) => scope);
  if (reconcile !== undefined) return await resolver.reconcile(reconcile);
  return undo ? await resolver.undo() : undefined;
}

for await (const line of createInterface({ input: process.stdin })) {
  const outcome = await obey(JSON.parse(line) as Order);
  process.stdout.write(`${JSON.stringify({ outcome, events: events.splice(0) })}\n`);
}
