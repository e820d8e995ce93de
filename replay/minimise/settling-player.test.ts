import { describe, expect, test } from "vitest";
import { cassetteOf, asks, recorded } from "../testing/interactions.ts";
import { createPlayer } from "../cassette/player.ts";
import { createSettlingPlayer } from "./settling-player.ts";

const { interactions } = cassetteOf(
  recorded("fetch#0", { page: 1 }, "one"),
  recorded("fetch#1", { page: 2 }, "two"),
  recorded("plan#0/fetch#0", { page: 3 }, "three"),
);
const resultOf = (answer: ReturnType<ReturnType<typeof createSettlingPlayer>["answer"]>) =>
  answer.type === "hit" && answer.interaction.outcome === "returned" ? answer.interaction.result : answer.type;

describe("the player of candidates", () => {
  test("gives an equal call its own answer, wherever in the step it is made", () => {
    const player = createSettlingPlayer(interactions, []);
    expect(resultOf(player.answer(asks("fetch#0", { page: 2 })))).toBe("two");
    expect(resultOf(player.answer(asks("fetch#1", { page: 1 })))).toBe("one");
  });

  test("gives a call with other arguments the answer at its place, else the first one left of its step", () => {
    const player = createSettlingPlayer(interactions, []);
    expect(resultOf(player.answer(asks("fetch#1", { page: "other" })))).toBe("two");
    expect(resultOf(player.answer(asks("fetch#2", { page: "another" })))).toBe("one");
  });

  test("misses when the step has no answer left: those of other steps, names and kinds are not its own", () => {
    const player = createSettlingPlayer(interactions, []);
    expect(player.answer(asks("search#0", { page: 1 })).type).toBe("miss");
    expect(player.answer(asks("plan#1/fetch#0", { page: 3 })).type).toBe("miss");
    expect(player.answer({ ...asks("fetch#0", { page: 1 }), kind: "model" }).type).toBe("miss");
    expect(player.report()).toMatchObject({ hits: 0, misses: [{}, {}, {}] });
  });

  test("settles to a cassette that the strict player answers alike, without what nobody asked for", () => {
    const requests = [asks("fetch#0", { page: 2, changed: true }), asks("plan#0/fetch#0", null)];
    const player = createSettlingPlayer(interactions, []);
    const answers = requests.map((request) => resultOf(player.answer(request)));
    const settled = player.settled();
    expect(settled.map(({ index, path, arguments: args }) => [index, path, args])).toEqual([
      [0, "fetch#0", { page: 2, changed: true }],
      [1, "plan#0/fetch#0", null],
    ]);
    const strict = createPlayer({ interactions: settled, ignore: [] });
    expect(requests.map((request) => resultOf(strict.answer(request)))).toEqual(answers);
    expect(strict.report()).toMatchObject({ hits: 2, misses: [], unused: [], moved: [] });
  });

  test("drops what was recorded within a call that is answered itself", () => {
    const player = createSettlingPlayer([...interactions, recorded("fetch#0/GET host#0", {}, "page")], []);
    player.answer(asks("fetch#0", { page: 1 }));
    expect(player.settled().map((it) => it.path)).toEqual(["fetch#0"]);
    expect(player.unused().map((it) => it.path)).toEqual(["fetch#1", "plan#0/fetch#0"]);
  });

  test("settles a call without arguments to a recording without them", () => {
    const player = createSettlingPlayer(interactions, []);
    player.answer({ kind: "tool", name: "fetch", path: "fetch#0", arguments: undefined });
    expect(player.settled()[0]).not.toHaveProperty("arguments");
  });
});
