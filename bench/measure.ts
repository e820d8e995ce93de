import { median } from "./figures.ts";
import { cpuSeconds } from "./processes.ts";

/** What one piece of work took, seconds. */
export interface Cost {
  readonly wall: number;
  /** Of this process and, where the system tells, of the engine's. */
  readonly cpu: number;
}

export interface MeasureOptions {
  /** The first round is not counted. */
  readonly rounds: number;
  /** Process id of the embedded engine, when it takes part. */
  readonly enginePid?: number | undefined;
}

/** Medians over alternating rounds, so that other load on the machine hits all alike. */
export async function measure<Name extends string>(
  works: Readonly<Record<Name, () => unknown>>,
  { rounds, enginePid }: MeasureOptions,
): Promise<Record<Name, Cost>> {
  const entries = Object.entries(works) as [Name, () => unknown][];
  const costs = new Map<Name, Cost[]>(entries.map(([name]) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, work] of entries) {
      const cpu = usedSeconds(enginePid);
      const start = process.hrtime.bigint();
      await work();
      const wall = Number(process.hrtime.bigint() - start) / 1e9;
      if (round > 0) costs.get(name)!.push({ wall, cpu: usedSeconds(enginePid) - cpu });
    }
  }
  const medians = entries.map(([name]) => {
    const all = costs.get(name)!;
    return [name, { wall: median(all.map(({ wall }) => wall)), cpu: median(all.map(({ cpu }) => cpu)) }];
  });
  return Object.fromEntries(medians) as Record<Name, Cost>;
}

/** A table with one line per work; ratios are CPU time of `base` over CPU time of the work. */
export function report<Name extends string>(
  title: string,
  { spans, base, costs }: { spans: number; base: Name; costs: Record<Name, Cost> },
): void {
  print(`\n${title}`);
  print(
    `  ${"".padEnd(44)}${["spans/s", "µs/span", "µs CPU/span", "x per CPU"].map((text) => text.padStart(13)).join("")}`,
  );
  for (const [name, { wall, cpu }] of Object.entries<Cost>(costs)) {
    const figures = [
      `${Math.round(spans / wall / 1_000)}k`,
      ((wall / spans) * 1e6).toFixed(2),
      ((cpu / spans) * 1e6).toFixed(2),
      (costs[base].cpu / cpu).toFixed(2),
    ];
    print(`  ${name.padEnd(44)}${figures.map((text) => text.padStart(13)).join("")}`);
  }
}

export const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** Of this process and the engine's. */
function usedSeconds(enginePid: number | undefined): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6 + (enginePid === undefined ? 0 : cpuSeconds(enginePid));
}
