import { expect, test } from "vitest";
import { createLanes } from "./lanes.ts";

/** Work that ends when it is told to. */
function createWorks(lanes: ReturnType<typeof createLanes>) {
  const started: string[] = [];
  const ends = new Map<string, (problem?: Error) => void>();
  return {
    started,
    add: (name: string, urgency: number): Promise<string> =>
      lanes.run(urgency, () => {
        started.push(name);
        return new Promise((resolve, reject) =>
          ends.set(name, (problem) => (problem ? reject(problem) : resolve(name))),
        );
      }),
    async end(name: string, problem?: Error): Promise<void> {
      ends.get(name)?.(problem);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test("the urgent go before the long, in the order they came among equals", async () => {
  const works = createWorks(createLanes(1));
  const all = [works.add("full 1", 86_400), works.add("full 2", 86_400), works.add("full 3", 86_400)];
  all.push(works.add("critical 1", 900), works.add("critical 2", 900));
  for (const name of ["full 1", "critical 1", "critical 2", "full 2", "full 3"]) {
    expect(works.started.at(-1)).toBe(name);
    await works.end(name);
  }
  expect(await Promise.all(all)).toHaveLength(5);
});

test("no more run at the same time than there are places, also after one broke", async () => {
  const works = createWorks(createLanes(2));
  const all = ["a", "b", "c", "d"].map((name) => works.add(name, 1));
  const problem = all[0]?.catch((error: Error) => error.message);
  expect(works.started).toEqual(["a", "b"]);
  await works.end("a", new Error("broken"));
  expect(works.started).toEqual(["a", "b", "c"]);
  await works.end("b");
  await works.end("c");
  await works.end("d");
  expect(await problem).toBe("broken");
  expect(works.started).toEqual(["a", "b", "c", "d"]);
});
