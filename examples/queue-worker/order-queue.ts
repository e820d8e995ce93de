import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { wrapTool } from "../../instrumentation/index.ts";

/** A shop's order; without a total the shop cannot tell it. */
export interface Order {
  readonly item: string;
  readonly number: string;
  readonly cents: number | null;
}

const FILE = "orders.sqlite";
/** How long a claim holds if nobody ends it. */
const HOLD_SECONDS = 600;

/** Opens the table for one statement, as another process would. */
function inQueue<Result>(folder: string, work: (database: DatabaseSync) => Result): Result {
  const database = new DatabaseSync(join(folder, FILE));
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** A queue table with these orders waiting. */
export function createQueue(folder: string, orders: readonly Order[]): void {
  inQueue(folder, (database) => {
    database.exec(`CREATE TABLE queue (
      item TEXT PRIMARY KEY, number TEXT NOT NULL, cents INTEGER,
      state TEXT NOT NULL DEFAULT 'waiting', worker TEXT, held_until INTEGER, reason TEXT)`);
    const insert = database.prepare("INSERT INTO queue (item, number, cents) VALUES (?, ?, ?)");
    for (const { item, number, cents } of orders) insert.run(item, number, cents);
  });
}

const CLAIM = `UPDATE queue SET state = 'claimed', worker = ?, held_until = unixepoch() + ?
  WHERE item = (SELECT item FROM queue WHERE state = 'waiting' ORDER BY item LIMIT 1) RETURNING item`;
const RELEASE = "UPDATE queue SET state = 'waiting_for_shop', worker = NULL, reason = ? WHERE item = ?";
const COMPLETE = "UPDATE queue SET state = 'done' WHERE item = ?";

/** The tools a worker has for one queue. */
export function queueTools(folder: string) {
  const claim = wrapTool({ name: "claim" }, ({ worker }: { worker: string }) => {
    const row = inQueue(folder, (database) => database.prepare(CLAIM).get(worker, HOLD_SECONDS));
    return { item: (row?.["item"] as string | undefined) ?? null };
  });
  const loadOrder = wrapTool(
    { name: "load_order", sideEffect: "read", retries: 2, retryWaitMillis: 1 },
    ({ item }: { item: string }): Order => {
      const select = "SELECT item, number, cents FROM queue WHERE item = ?";
      const row = inQueue(folder, (database) => database.prepare(select).get(item));
      if (row === undefined) throw new Error("no such order");
      if (row["cents"] !== null) return { ...row } as unknown as Order;
      throw Object.assign(new Error("the shop does not answer"), { code: "ECONNREFUSED" });
    },
  );
  const release = wrapTool({ name: "release" }, ({ item, reason }: { item: string; reason?: string | undefined }) => {
    const { changes } = inQueue(folder, (database) => database.prepare(RELEASE).run(reason ?? null, item));
    return { released: changes === 1 };
  });
  const complete = wrapTool({ name: "complete" }, ({ item }: { item: string }) => {
    const { changes } = inQueue(folder, (database) => database.prepare(COMPLETE).run(item));
    return { completed: changes === 1 };
  });
  return { claim, loadOrder, release, complete };
}

export type QueueTools = ReturnType<typeof queueTools>;
