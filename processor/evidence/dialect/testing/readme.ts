import { readFileSync } from "node:fs";
import { completenessOf } from "../completeness.ts";
import { DIALECTS } from "../dialects.ts";
import { KIND_RULES, SPAN_NAMES } from "../kind-names.ts";
import { EVENTS, FIELDS, MISSING_VALUES, type Alias } from "../names.ts";
import { normaliseRun } from "../normalise-run.ts";
import { readStoredBodies, storedBodyFiles } from "./capture/stored-bodies.ts";

export const README = new URL("../README.md", import.meta.url);

/** README.md with its generated parts made anew: from the table of names, and from what real emitters sent. */
export function generatedReadme(): string {
  const text = readFileSync(README, "utf8");
  return [["names", namesText()] as const, ["lacks", lacksText()] as const].reduce(
    (all, [name, part]) =>
      all.replace(
        new RegExp(`(<!-- generated: ${name} -->\n)[^]*?(<!-- end -->)`),
        (_whole, begin: string, end: string) => `${begin}\n${part}\n\n${end}`,
      ),
    text,
  );
}

const code = (text: string): string => `\`${text.replaceAll("|", "\\|")}\``;
const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map(row).join("\n");

function namesText(): string {
  const dialects = table(
    ["dialect", "of"],
    Object.entries(DIALECTS).map(([name, words]) => [code(name), words]),
  );
  const kinds = table(
    ["attribute", "dialect", "value → kind of step"],
    KIND_RULES.map(({ name, dialect, values }) => [
      code(name),
      dialect,
      Object.entries(values)
        .map(([value, kind]) => `${code(value)} → ${kind}`)
        .join(", "),
    ]),
  );
  const fields = table(
    ["field", "names, best first"],
    Object.entries(FIELDS).map(([field, aliases]) => [field, aliases.map(aliasText).join("<br>")]),
  );
  return [
    dialects,
    "What a span stands for; the first attribute with a known value decides.",
    kinds,
    `Spans known by name alone: ${Object.keys(SPAN_NAMES).map(code).join(", ")}.`,
    "Where each field comes from.",
    fields,
    `Events, as log records or on spans: ${Object.values(EVENTS).map(code).join(", ")}.`,
    `Values that mean "there is none": ${[...MISSING_VALUES].filter(Boolean).map(code).join(", ")}, and the empty text.`,
  ].join("\n\n");
}

function aliasText({ name, dialect, form, on }: Alias): string {
  const place = form === "indexed" ? `${name}.{i}.…` : name;
  const only = on === undefined ? "" : `, of ${on.join(" or ")}`;
  return `${code(place)} (${dialect}, ${form}${only})`;
}

function lacksText(): string {
  return table(
    ["stored body", "grade", "what it lacks"],
    storedBodyFiles().map((file) => {
      const { spans, logs } = readStoredBodies(file);
      const { grade, missing } = completenessOf(normaliseRun(spans, logs));
      const fields = [...new Set(missing.map(({ step, field }) => `${step.split(" ")[0] ?? ""}: ${field}`))];
      return [code(file.replace(".otlp.json", "")), grade, fields.length === 0 ? "nothing" : fields.join("; ")];
    }),
  );
}
