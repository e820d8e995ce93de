import { sqlString } from "../embedded/sql-text.ts";
import { RETAINED_TABLES, type Days, type Retention } from "./retention.ts";

/** What a table is to be told. */
export interface TableTtl {
  /** What stands after `TTL`; `undefined`: rows stay for ever. */
  readonly expression: string | undefined;
  /** Some rows of a part stay longer than others. */
  readonly hasProjectRules: boolean;
}

/** The TTL of a table under the given rules: one clause per length of time that projects have, one for all others. */
export function tableTtl(table: string, retention: Retention): TableTtl {
  const retained = RETAINED_TABLES[table];
  if (retained === undefined) throw new Error(`rows of ${table} cannot be removed by age`);
  const ruled = retained.like ?? table;
  const ofProjects = retained.project === undefined ? [] : projectRules(ruled, retention);
  const general = retention.tables[ruled] ?? "forever";
  const own = ofProjects.filter(([, days]) => days !== general);
  const column = retained.project ?? "";
  const clause = (days: number, condition: string): string => `${retained.time} + toIntervalDay(${days})${condition}`;
  const byDays = [...Map.groupBy(own, ([, days]) => days)].flatMap(([days, rules]) =>
    days === "forever" ? [] : [clause(days, ` DELETE WHERE ${column} IN (${projectList(rules)})`)],
  );
  const rest = own.length === 0 ? "" : ` DELETE WHERE ${column} NOT IN (${projectList(own)})`;
  const clauses = [...byDays.toSorted(), ...(general === "forever" ? [] : [clause(general, rest)])];
  return { expression: clauses.length === 0 ? undefined : clauses.join(", "), hasProjectRules: own.length > 0 };
}

const projectRules = (table: string, { projects }: Retention): [string, Days][] =>
  Object.entries(projects)
    .flatMap(([project, rules]): [string, Days][] => (rules[table] === undefined ? [] : [[project, rules[table]]]))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));

const projectList = (rules: readonly (readonly [string, Days])[]): string =>
  rules.map(([project]) => sqlString(project)).join(", ");
