import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import { asks, cassetteOf, recorded } from "../testing/interactions.ts";
import type { Interaction } from "./cassette.ts";
import { createPlayer, type Player } from "./player.ts";

/** Plays one call and gives its recorded result, or the reason of the miss. */
function play(player: Player, path: string, args: JsonValue): JsonValue {
  const answer = player.answer(asks(path, args));
  if (answer.type === "miss") return `miss:${answer.reason}`;
  return answer.interaction.outcome === "returned" ? answer.interaction.result : "threw";
}

describe("a call at its recorded place", () => {
  test("gets its own recording, whatever the order of its object keys", () => {
    const player = createPlayer(cassetteOf(recorded("search#0", { a: 1, b: 2 }, "one")));
    expect(play(player, "search#0", { b: 2, a: 1 })).toBe("one");
    expect(player.report()).toMatchObject({ hits: 1, moved: [], misses: [], unused: [] });
  });

  test("gets repeated answers first in, first out, when one path was recorded several times", () => {
    const player = createPlayer(cassetteOf(recorded("poll#0", {}, 1), recorded("poll#0", {}, 2)));
    expect([play(player, "poll#0", {}), play(player, "poll#0", {})]).toEqual([1, 2]);
  });

  test("is a miss the fourth time when three were recorded", () => {
    const player = createPlayer(cassetteOf(...[0, 1, 2].map((n) => recorded(`poll#${n}`, {}, n))));
    expect([0, 1, 2, 3].map((n) => play(player, `poll#${n}`, {}))).toEqual([0, 1, 2, "miss:used_up"]);
  });

  test("is the one that misses when it is the extra call, even when it arrives first", () => {
    const player = createPlayer(cassetteOf(recorded("poll#0", {}, "a"), recorded("poll#1", {}, "b")));
    expect(play(player, "poll#2", {})).toBe("miss:used_up");
    expect(play(player, "poll#1", {})).toBe("b");
    expect(play(player, "poll#0", {})).toBe("a");
  });

  test("prefers its own place to an earlier one that another call took", () => {
    const player = createPlayer(
      cassetteOf(recorded("get#0", "a", 0), recorded("get#1", "b", 1), recorded("get#2", "a", 2)),
    );
    expect(play(player, "get#0", "b")).toBe(1);
    expect(play(player, "get#1", "c")).toBe("miss:unrecorded");
    expect(play(player, "get#2", "a")).toBe(2);
  });

  test("does not answer a model call from a tool recording of the same name", () => {
    const player = createPlayer(cassetteOf(recorded("ask#0", {}, "tool")));
    expect(player.answer({ ...asks("ask#0", {}), kind: "model" })).toMatchObject({ type: "miss" });
  });

  test("matches past the fields declared volatile", () => {
    const cassette = cassetteOf(recorded("send#0", { to: "ana", at: "monday" }, "sent"));
    const rules = [{ name: "send", pointers: ["/at"] }];
    expect(play(createPlayer(cassette), "send#0", { to: "ana", at: "friday" })).toBe("miss:unrecorded");
    expect(play(createPlayer(cassette, { ignore: rules }), "send#0", { to: "ana", at: "friday" })).toBe("sent");
    expect(play(createPlayer({ ...cassette, ignore: rules }), "send#0", { to: "ana", at: "x" })).toBe("sent");
  });
});

describe("a call that a fix moved", () => {
  test("finds its recording after an earlier call of the tool was dropped", () => {
    const cassette = cassetteOf(recorded("get#0", 1, "x"), recorded("get#1", 2, "y"), recorded("get#2", 3, "z"));
    const player = createPlayer(cassette);
    expect([play(player, "get#0", 2), play(player, "get#1", 3)]).toEqual(["y", "z"]);
    expect(player.report().moved).toEqual([
      { index: 1, from: "get#1", to: "get#0" },
      { index: 2, from: "get#2", to: "get#1" },
    ]);
    expect(player.unused().map((it) => it.index)).toEqual([0]);
  });

  test("finds its recording when two calls changed places", () => {
    const player = createPlayer(cassetteOf(recorded("get#0", 1, "x"), recorded("get#1", 2, "y")));
    expect([play(player, "get#0", 2), play(player, "get#1", 1)]).toEqual(["y", "x"]);
  });

  test("keeps the order of a polling loop that starts one call earlier", () => {
    const cassette = cassetteOf(recorded("get#0", "other", 0), ...[1, 2, 3].map((n) => recorded(`get#${n}`, "job", n)));
    const player = createPlayer(cassette);
    expect([0, 1, 2].map((n) => play(player, `get#${n}`, "job"))).toEqual([1, 2, 3]);
  });

  test("finds the only recording of another step", () => {
    const player = createPlayer(cassetteOf(recorded("plan#0/get#0", 1, "x")));
    expect(player.answer(asks("act#0/get#0", 1))).toMatchObject({ type: "hit", moved: true });
  });

  test("is ambiguous when recordings of other steps answer differently", () => {
    const player = createPlayer(cassetteOf(recorded("a#0/get#0", 1, "x"), recorded("b#0/get#0", 1, "y")));
    expect(play(player, "c#0/get#0", 1)).toBe("miss:ambiguous");
    expect([play(player, "b#0/get#0", 1), play(player, "a#0/get#0", 1)]).toEqual(["y", "x"]);
  });

  test("takes any recording of other steps when they all answer alike", () => {
    const player = createPlayer(cassetteOf(recorded("a#0/get#0", 1, "x"), recorded("b#0/get#0", 1, "x")));
    expect(play(player, "c#0/get#0", 1)).toBe("x");
  });

  test("does not take the recording of a place that is still to be asked", () => {
    const player = createPlayer(cassetteOf(recorded("get#0", 1, "x"), recorded("get#1", 2, "y")));
    expect(play(player, "get#1", 2)).toBe("y");
    expect(play(player, "get#2", 1)).toBe("miss:used_up");
    expect(play(player, "get#0", 1)).toBe("x");
  });
});

describe("a miss", () => {
  test("names the nearest recording of the same name and the fields that differ", () => {
    const player = createPlayer(
      cassetteOf(
        recorded("other#0", { to: "bob", amount: 11 }, 0),
        recorded("send#0", { to: "eve", amount: 99, note: "x" }, 1),
        recorded("send#1", { to: "bob", amount: 10 }, 2),
      ),
    );
    const miss = player.answer(asks("send#0", { to: "bob", amount: 11 }));
    expect(miss).toMatchObject({
      type: "miss",
      reason: "unrecorded",
      nearest: { index: 2 },
      differences: [{ pointer: "/arguments/amount", recorded: 10, asked: 11 }],
    });
  });

  test("falls back to a recording of another name, and says that the name differs", () => {
    const player = createPlayer(cassetteOf(recorded("send_mail#0", { to: "bob" }, 1)));
    const miss = player.answer(asks("send_message#0", { to: "bob" }));
    expect(miss).toMatchObject({
      nearest: { name: "send_mail" },
      differences: [{ pointer: "/name", recorded: "send_mail", asked: "send_message" }],
    });
  });

  test("has no nearest recording in an empty cassette", () => {
    expect(createPlayer(cassetteOf()).answer(asks("a#0", 1))).toMatchObject({ nearest: null, differences: [] });
  });
});

describe("a call that was recorded within another", () => {
  const within = recorded("search#0/GET host#0", { url: "x" }, "page");

  test("is no left-over when the other one was answered", () => {
    const player = createPlayer(cassetteOf(recorded("search#0", 1, "x"), within));
    expect(play(player, "search#0", 1)).toBe("x");
    expect(player.report()).toMatchObject({ hits: 1, unused: [] });
  });

  test("is one when the other was not answered, or another of a like name was", () => {
    const other = recorded("search#00", 2, "y");
    const player = createPlayer(cassetteOf(recorded("search#0", 1, "x"), within, other));
    expect(play(player, "search#00", 2)).toBe("y");
    expect(player.unused().map((it) => it.path)).toEqual(["search#0", "search#0/GET host#0"]);
  });

  test("is covered where it was recorded, not where the answered call is now", () => {
    const player = createPlayer(cassetteOf(recorded("search#1", 1, "x"), recorded("search#1/GET host#0", 2, "y")));
    expect(play(player, "search#0", 1)).toBe("x");
    expect(player.unused()).toEqual([]);
  });

  test("is answered when the other one runs for real", () => {
    const player = createPlayer(cassetteOf(within));
    expect(play(player, "search#0/GET host#0", { url: "x" })).toBe("page");
  });
});

const args = fc.constantFrom<JsonValue[]>({ q: "a" }, { q: "b" }, { q: "a", n: 1 });
const step = fc.constantFrom("", "plan#0/", "plan#1/", "act#0/");

/** A run as it was recorded: ordinals counted per step and tool, every answer different. */
const run = fc.array(fc.record({ step, tool: fc.constantFrom("get", "put"), args }), { maxLength: 25 }).map((calls) => {
  const counts = new Map<string, number>();
  return calls.map((call, index) => {
    const place = `${call.step}${call.tool}`;
    const ordinal = counts.get(place) ?? 0;
    counts.set(place, ordinal + 1);
    return recorded(`${place}#${ordinal}`, call.args, index);
  });
});

describe("for any run", () => {
  test("the same calls in any order of arrival each get their own answer", () => {
    fc.assert(
      fc.property(
        run.chain((calls) => fc.tuple(fc.constant(calls), fc.shuffledSubarray(calls, { minLength: calls.length }))),
        ([calls, shuffled]) => {
          const player = createPlayer(cassetteOf(...calls));
          for (const call of shuffled) {
            const answer = player.answer(asks(call.path, call.arguments as JsonValue));
            expect(answer).toMatchObject({ type: "hit", moved: false });
            expect((answer as { interaction: Interaction }).interaction).toMatchObject({ result: call.result });
          }
          expect(player.unused()).toEqual([]);
        },
      ),
    );
  });

  test("no recording answers twice, and what was not used is reported", () => {
    fc.assert(
      fc.property(run, run, (calls, other) => {
        const cassette = cassetteOf(...calls);
        const player = createPlayer(cassette);
        const hits = other
          .map((call) => player.answer(asks(call.path, call.arguments as JsonValue)))
          .filter((answer) => answer.type === "hit");
        const indexes = hits.map((hit) => hit.interaction.index);
        expect(new Set(indexes).size).toBe(indexes.length);
        expect(player.unused().length + indexes.length).toBe(cassette.interactions.length);
        expect(player.report().misses.length).toBe(other.length - hits.length);
      }),
    );
  });

  test("an answer was always recorded for the very same call", () => {
    fc.assert(
      fc.property(run, run, (calls, other) => {
        const player = createPlayer(cassetteOf(...calls));
        for (const call of other) {
          const answer = player.answer(asks(call.path, call.arguments as JsonValue));
          if (answer.type === "hit") {
            expect(answer.interaction.arguments).toEqual(call.arguments);
            expect(answer.interaction.name).toBe(call.name);
          }
        }
      }),
    );
  });

  test("leaving out calls never makes the remaining ones of a sequential run miss", () => {
    const sparse = run.chain((calls) =>
      fc.tuple(fc.constant(calls), fc.subarray(calls.filter((it) => !it.path.includes("/")))),
    );
    fc.assert(
      fc.property(sparse, ([calls, kept]) => {
        const player = createPlayer(cassetteOf(...calls));
        const counts = new Map<string, number>();
        for (const call of kept) {
          const ordinal = counts.get(call.name) ?? 0;
          counts.set(call.name, ordinal + 1);
          const answer = player.answer(asks(`${call.name}#${ordinal}`, call.arguments as JsonValue));
          expect(answer.type).toBe("hit");
        }
      }),
    );
  });
});
