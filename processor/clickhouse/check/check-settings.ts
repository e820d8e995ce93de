import type { StoreFinding, StoreQuery } from "./finding.ts";

interface Demand {
  readonly setting: string;
  readonly isRight: (value: string) => boolean;
  /** We send it with every insert, so only a profile that forbids changing it is in the way. */
  readonly isSent: boolean;
  readonly breaks: string;
  readonly wanted: string;
}

const DEMANDS: readonly Demand[] = [
  {
    setting: "readonly",
    isRight: (value) => value === "0",
    isSent: false,
    breaks: "nothing can be stored, or no setting sent",
    wanted: "0",
  },
  {
    setting: "insert_deduplicate",
    isRight: (value) => value === "1",
    isSent: false,
    breaks: "a block that is sent again is stored twice",
    wanted: "1",
  },
  {
    setting: "async_insert",
    isRight: (value) => value === "0",
    isSent: true,
    breaks: "a block is acknowledged before it is stored",
    wanted: "0",
  },
  {
    setting: "wait_for_async_insert",
    isRight: (value) => value === "1",
    isSent: true,
    breaks: "a block is acknowledged before it is stored",
    wanted: "1",
  },
  {
    setting: "deduplicate_blocks_in_dependent_materialized_views",
    isRight: (value) => value === "1",
    isSent: true,
    breaks: "a block that is sent again counts twice in views",
    wanted: "1",
  },
  {
    setting: "max_partitions_per_insert_block",
    isRight: (value) => value === "0" || Number(value) >= 1_000,
    isSent: true,
    breaks: "a block with spans of many days is refused",
    wanted: "1000",
  },
];

/** Settings of the user's profile that break a promise of the service. */
export async function checkSettings(query: StoreQuery): Promise<StoreFinding[]> {
  const names = DEMANDS.map(({ setting }) => setting);
  const rows = await query<{ name: string; value: string; readonly: number }>(
    "SELECT name, value, readonly FROM system.settings WHERE name IN ({names:Array(String)})",
    { names },
  );
  const found = new Map(rows.map((row) => [row.name, row]));
  // Under readonly = 1 no setting can be changed; that one is told by itself.
  const isReadonly = found.get("readonly")?.value === "1";
  return DEMANDS.flatMap(({ setting, isRight, isSent, breaks, wanted }): StoreFinding[] => {
    const row = found.get(setting);
    if (row === undefined || isRight(row.value) || (isSent && (row.readonly === 0 || isReadonly))) return [];
    const fixed = isSent ? " and cannot be changed" : "";
    const advice = `set ${setting} = ${wanted} in the user's profile`;
    return [{ code: "setting", subject: setting, problem: `it is ${row.value}${fixed}: ${breaks}`, advice }];
  });
}
