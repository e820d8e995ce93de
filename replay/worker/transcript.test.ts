import { describe, expect, test } from "vitest";
import type { ClosingEvidence } from "../../instrumentation/contract/evidence.ts";
import { createPlayer } from "../cassette/player.ts";
import { failedFacts, missingArtifactVerdict } from "../testing/facts.ts";
import { asks, cassetteOf, recorded } from "../testing/interactions.ts";
import { transcribedPlayer, transcriptSha256 } from "./transcript.ts";

const cassette = cassetteOf(
  recorded("search#0", { q: "a" }, { hits: 1 }),
  recorded("search#1", { q: "b" }, { hits: 2 }),
  recorded("store#0", { id: "x" }, "ok"),
);
const asked = [asks("search#0", { q: "a" }), asks("search#1", { q: "b" }), asks("store#0", { id: "x" })];
const artifact = { name: "log", kind: "file", ref: "log.json", state: "present", bytes: 2, sha256: "aa" } as const;
const closing: ClosingEvidence = {
  ...(failedFacts().evidence.closing as ClosingEvidence),
  artifacts: [{ ...artifact, schemaErrors: null, detail: null }],
};

interface Change {
  readonly requests?: readonly ReturnType<typeof asks>[];
  readonly closing?: Partial<ClosingEvidence>;
  readonly message?: string;
  readonly volatile?: readonly string[];
}

function hash({ requests = asked, message = "m", volatile = [], ...change }: Change = {}): string {
  const { player, asked: calls } = transcribedPlayer(createPlayer(cassette));
  for (const request of requests) player.answer(request);
  const reasons = missingArtifactVerdict.reasons.map((reason) => ({ ...reason, message }));
  const verdict = { ...missingArtifactVerdict, reasons };
  return transcriptSha256({ asked: calls, verdict, closing: { ...closing, ...change.closing }, volatile });
}

describe("a transcript", () => {
  test("is the same whatever order the calls came in, at whichever ordinal", () => {
    expect(hash({ requests: asked.toReversed() })).toBe(hash());
    const swapped = [asks("search#0", { q: "b" }), asks("search#1", { q: "a" }), asks("store#0", { id: "x" })];
    expect(hash({ requests: swapped })).toBe(hash());
  });

  test("does not hold what a replay has for itself: ids, its folder, messages with times in them", () => {
    const told = (id: string) => ({ closing: { answer: `see /tmp/${id}/log` }, volatile: [id, `/tmp/${id}`] });
    expect(hash(told("id-of-one"))).toBe(hash(told("id-of-two")));
    const calling = (...ids: readonly string[]): Change => ({
      requests: ids.map((id, i) => asks("store#0", { id, last: i })),
      volatile: ids,
    });
    expect(hash(calling("0aa", "1aa"))).toBe(hash(calling("1bb", "0bb")));
    expect(hash({ message: "took 3 s" })).toBe(hash({ message: "took 4 s" }));
  });

  test.each<[string, Change]>([
    ["a call that was not made", { requests: asked.slice(1) }],
    ["a call made twice", { requests: [...asked, asks("store#1", { id: "x" })] }],
    ["other arguments", { requests: [...asked.slice(1), asks("search#0", { q: "c" })] }],
    ["another artifact", { closing: { artifacts: [{ ...artifact, sha256: "bb", schemaErrors: null, detail: null }] } }],
    ["another answer", { closing: { answer: "other" } }],
    ["another state", { closing: { state: { before: 1, after: 2 } } }],
  ])("is another one for %s", (_, change) => {
    expect(hash(change)).not.toBe(hash());
  });
});
