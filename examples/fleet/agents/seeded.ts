/** A task that says which planted failure its agent has. */
export type Seeded<Task> = Task & { readonly seed: string };

/** An agent's function as the fleet and its replays call it: the seed in the task chooses the agent's ways. */
export const seeded =
  <Ways, Task>(waysBySeed: Readonly<Record<string, Ways>>, create: (ways: Ways) => (task: Task) => Promise<string>) =>
  (task: Seeded<Task>): Promise<string> => {
    const ways = Object.hasOwn(waysBySeed, task.seed) ? waysBySeed[task.seed] : undefined;
    if (ways === undefined) throw new Error(`this agent has no seed "${task.seed}"`);
    return create(ways)(task);
  };
