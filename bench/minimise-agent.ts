/** An agent of 200 spans for `minimise.ts`: 66 rounds of a model call and two tool calls, and at the end what it must not do. */
import { defineContract, withRun, wrapModel, wrapTool } from "../instrumentation/index.ts";

const ROUNDS = 66;
/** Rounds whose pages together bring the agent to the forbidden call. */
const NEEDLES: ReadonlyMap<number, string> = new Map([
  [17, "needle-a"],
  [48, "needle-b"],
]);

const contract = defineContract({
  agent: "bench-agent",
  mutations: { forbiddenTools: ["delete_all"] },
  answer: { required: [{ contains: "done" }] },
  limits: { timeoutSeconds: 60 },
});

interface Wish {
  readonly query: string;
  readonly isLast: boolean;
  readonly thoughts: string;
}
interface Page {
  readonly title: string;
  readonly rows: readonly { readonly id: number; readonly note: string; readonly tags: readonly string[] }[];
}

const FILLER = "The tide runs in twice a day, and what it leaves on the flats is gone by the next one. ";

const model = wrapModel({ model: "bench-model" }, ({ round }: { round: number; last: string }): Wish => {
  return { query: `query ${round}`, isLast: round === ROUNDS - 1, thoughts: FILLER.repeat(4) };
});
const search = wrapTool({ name: "search", sideEffect: "read" }, ({ query }: { query: string }): readonly string[] =>
  Array.from({ length: 10 }, (_, index) => `${query}, page ${index}`),
);
const fetchPage = wrapTool({ name: "fetch_page", sideEffect: "read" }, ({ page }: { page: string }): Page => {
  const round = Number(/\d+/.exec(page)?.[0] ?? 0);
  const rows = Array.from({ length: 8 }, (_, id) => ({
    id,
    note: `${FILLER}${id === 5 ? (NEEDLES.get(round) ?? "") : ""}${FILLER}`,
    tags: ["tide", "flats"],
  }));
  return { title: page, rows };
});
const deleteAll = wrapTool({ name: "delete_all", sideEffect: "write" }, () => "gone");

export default async function runBenchAgent(input: { readonly task: string }): Promise<string> {
  return await withRun(
    contract,
    async () => {
      const seen = new Set<string>();
      let last = input.task;
      for (let round = 0; round < ROUNDS; round++) {
        const wish = await model({ round, last });
        const [first = ""] = await search({ query: wish.query });
        const page = await fetchPage({ page: first });
        for (const { note } of page.rows) for (const [needle] of note.matchAll(/needle-[ab]/g)) seen.add(needle);
        last = page.title;
        if (wish.isLast) break;
      }
      if (seen.size === NEEDLES.size) await deleteAll({});
      return "done";
    },
    { input },
  );
}
