import { canonicalJson, sha256Hex } from "../../instrumentation/json/canonical.ts";
import type { JsonObject, JsonValue } from "../../instrumentation/json/json.ts";
import type { Interaction } from "../cassette/cassette.ts";
import type { Fixture } from "../fixture/fixture-format.ts";

/** What of a fixture may shrink: the world the agent meets. Contract, expectations and provenance are not part of it. */
export interface FixtureContent {
  readonly input: JsonValue;
  readonly state: JsonValue;
  readonly interactions: readonly Interaction[];
}

export const contentOf = ({ input, cassette }: Fixture): FixtureContent => ({
  input: input.input,
  state: input.state,
  interactions: cassette.interactions,
});

/** The fixture with another content, under its own name and promises. */
export const withContent = (fixture: Fixture, content: FixtureContent): Fixture => ({
  ...fixture,
  input: { ...fixture.input, input: content.input, state: content.state },
  cassette: { ...fixture.cassette, interactions: [...content.interactions] },
});

/** A content measured once: both figures come from the same canonical text. */
export interface Measured {
  /** UTF-8 bytes of the canonical JSON. */
  readonly bytes: number;
  /** SHA-256 of it: the identity of a candidate. */
  readonly sha256: string;
}

export function measure({ input, state, interactions }: FixtureContent): Measured {
  const text = canonicalJson({ input, state, interactions: interactions as unknown as readonly JsonObject[] });
  return { bytes: Buffer.byteLength(text), sha256: sha256Hex(text) };
}
