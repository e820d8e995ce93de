/** A time series of Prometheus' text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const META = new RegExp(`^# (?<kind>HELP|TYPE) (?<name>${NAME}) (?<rest>.*)$`);
const SAMPLE = new RegExp(
  `^(?<name>${NAME})(?:\\{(?<labels>.*)\\})? (?<value>[+-]?(?:Inf|NaN|\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?))$`,
  "i",
);
const LABEL = /^(?<name>[a-zA-Z_][a-zA-Z0-9_]*)="(?<value>(?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)/;
const TYPES = new Set(["counter", "gauge", "histogram", "summary", "untyped"]);

/**
 * Reads Prometheus' text format 0.0.4 and refuses what Prometheus does: lines without an end, samples outside of their
 * family, families or series that come twice, histograms that do not add up. Throws an Error with the line.
 */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const reading: Reading = { families: new Map(), series: new Set(), current: "" };
  for (const line of text.split("\n")) {
    try {
      if (line.startsWith("#")) readMeta(reading, line);
      else if (line !== "") readSample(reading, line);
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : String(error)}: ${line}`, { cause: error });
    }
  }
  for (const [name, { type, samples }] of reading.families) if (type === "histogram") assertHistogram(name, samples);
  return reading.families;
}

interface Reading {
  readonly families: Map<string, { readonly type: string; readonly help: string; readonly samples: Sample[] }>;
  /** Each with its labels. */
  readonly series: Set<string>;
  /** The family that samples now belong to. */
  current: string;
}

function readMeta(reading: Reading, line: string): void {
  const { kind = "", name = "", rest = "" } = META.exec(line)?.groups ?? {};
  if (name === "") throw new Error("neither HELP nor TYPE");
  const known = reading.families.get(name);
  if (known !== undefined && name !== reading.current) throw new Error("a family comes twice");
  const family = known ?? { type: "", help: "", samples: [] };
  if (family.samples.length > 0) throw new Error("meta data after samples");
  if (kind === "TYPE" && (family.type !== "" || !TYPES.has(rest))) throw new Error("bad type");
  reading.families.set(name, { ...family, ...(kind === "TYPE" ? { type: rest } : { help: rest }) });
  reading.current = name;
}

function readSample({ families, series, current }: Reading, line: string): void {
  const { name = "", labels = "", value = "" } = SAMPLE.exec(line)?.groups ?? {};
  const family = families.get(current);
  if (name === "") throw new Error("no sample");
  if (family === undefined || !namesOf(current, family.type).includes(name)) throw new Error("of no family");
  const sample = { name, labels: labelsOf(labels), value: numberOf(value) };
  const sorted = Object.entries(sample.labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const identity = JSON.stringify([name, sorted]);
  if (series.has(identity)) throw new Error("a series comes twice");
  series.add(identity);
  family.samples.push(sample);
}

const namesOf = (family: string, type: string): string[] =>
  type === "histogram" ? [`${family}_bucket`, `${family}_sum`, `${family}_count`] : [family];

const numberOf = (text: string): number => Number(text.replace(/inf/i, "Infinity"));

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (let rest = text; rest !== "";) {
    const match = LABEL.exec(rest);
    const { name, value } = match?.groups ?? {};
    if (match === null || name === undefined || value === undefined) throw new Error(`bad labels: ${text}`);
    if (name in labels) throw new Error(`a label comes twice: ${text}`);
    labels[name] = value.replace(/\\(.)/g, (_whole, escaped: string) => (escaped === "n" ? "\n" : escaped));
    rest = rest.slice(match[0].length);
  }
  return labels;
}

/** Buckets grow up to `+Inf`, which is the count. */
function assertHistogram(name: string, samples: readonly Sample[]): void {
  const rows = Map.groupBy(samples, ({ labels: { le: _bound, ...others } }) => JSON.stringify(others));
  for (const [labels, row] of rows) {
    const buckets = row.filter((sample) => sample.name.endsWith("_bucket"));
    const bounds = buckets.map(({ labels: { le = "" } }) => numberOf(le));
    const counts = buckets.map(({ value }) => value);
    const isRising = (values: number[]): boolean => values.every((value, at) => at === 0 || value >= values[at - 1]!);
    const count = row.find((sample) => sample.name.endsWith("_count"))?.value;
    if (!isRising(bounds) || !isRising(counts) || bounds.at(-1) !== Infinity || counts.at(-1) !== count) {
      throw new Error(`the histogram ${name}${labels} does not add up`);
    }
  }
}

/** The one sample with these labels among others; `undefined` when there is none. */
export function sampleOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const family = families.get(name) ?? families.get(name.replace(/_(?:bucket|sum|count)$/, ""));
  const matches = (sample: Sample): boolean =>
    sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value);
  return family?.samples.find(matches)?.value;
}
