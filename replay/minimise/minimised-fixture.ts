import { hashJson } from "../../instrumentation/json/canonical.ts";
import type { Fixture } from "../fixture/fixture-format.ts";
import { contentOf, measure, withContent } from "./content.ts";
import type { Minimised } from "./minimise.ts";
import { sourceSha256 } from "./saved-search.ts";

/** The smaller fixture under its own id, with what was done to it in its notes. Nothing is proven of it yet. */
export function minimisedFixture(source: Fixture, id: string, found: Minimised): Fixture {
  const { content, bytes, tries, isOneMinimal } = found;
  const { input, expected, cassette, notes } = withContent(source, content);
  const header = { format_version: input.format_version, fixture_id: id } as const;
  const isSameInput = hashJson(content.input) === hashJson(source.input.input);
  const { retirement: _, ...origin } = notes;
  return {
    id,
    input: { ...input, ...header, ...(isSameInput ? {} : { input_sha256: hashJson(content.input) }) },
    expected: { ...expected, ...header },
    cassette: { ...cassette, ...header },
    notes: {
      ...origin,
      ...header,
      // What was proven was proven of another content.
      state: "candidate",
      certification: null,
      minimised: {
        source_fixture_id: source.id,
        source_sha256: sourceSha256(source),
        bytes: { before: measure(contentOf(source)).bytes, after: bytes },
        interactions: { before: source.cassette.interactions.length, after: content.interactions.length },
        candidates: tries,
        one_minimal: isOneMinimal,
      },
    },
  };
}
