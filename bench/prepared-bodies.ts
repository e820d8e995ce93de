import { agentSpanRequests, SPANS_PER_RUN } from "./agent-spans.ts";

/** Export requests made beforehand, so that sending costs the machine next to nothing. */
export interface PreparedBodies {
  readonly spansPerBody: number;
  readonly count: number;
  readonly maxBytes: number;
  /**
   * Copies a body into the target and gives its length. Each pass over the bodies has ids of its own, as no two agents
   * send the same: merges would be cheaper with equal rows.
   */
  copy(number: number, target: Buffer): number;
}

export interface PreparedBodiesOptions {
  readonly requests: number;
  readonly runsPerRequest: number;
  /** `false`: the spans of agents that know nothing of runproof, in as many bytes. */
  readonly runs: boolean;
}

const ID_FIELDS: ReadonlySet<number> = new Set([1, 2, 4]);

export function prepareBodies({ requests, runsPerRequest, runs }: PreparedBodiesOptions): PreparedBodies {
  const bodies = [...agentSpanRequests({ requests, runsPerRequest })].map((bytes) => {
    const body = Buffer.from(bytes);
    if (!runs) replaceAll(body, "runproof.run.id", "app.session.key");
    return { body, places: idPlaces(body) };
  });
  return {
    spansPerBody: runsPerRequest * SPANS_PER_RUN,
    count: requests,
    maxBytes: Math.max(...bodies.map(({ body }) => body.length)),
    copy(number, target) {
      const { body, places } = bodies[number % requests]!;
      body.copy(target);
      const pass = Math.floor(number / requests);
      for (const at of places) target.writeUInt32LE((body.readUInt32LE(at) ^ pass) >>> 0, at);
      return body.length;
    },
  };
}

function replaceAll(body: Buffer, from: string, to: string): void {
  for (let at = body.indexOf(from); at >= 0; at = body.indexOf(from, at)) body.write(to, at, "latin1");
}

/** Where the trace ids, span ids and parent ids begin. */
function idPlaces(body: Buffer): readonly number[] {
  const places: number[] = [];
  for (const resourceSpans of fields(body, { from: 0, to: body.length }, 1))
    for (const scopeSpans of fields(body, resourceSpans, 2))
      for (const span of fields(body, scopeSpans, 2))
        for (const { number, from, to } of fields(body, span))
          if (ID_FIELDS.has(number) && to > from) places.push(from);
  return places;
}

interface Field {
  readonly number: number;
  readonly from: number;
  readonly to: number;
}

/** The length-delimited fields of a protobuf message, of one number if it is given. */
function* fields(body: Buffer, { from, to }: Pick<Field, "from" | "to">, wanted?: number): Generator<Field> {
  let at = from;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = body[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < to) {
    const tag = varint();
    const [number, wireType] = [Math.floor(tag / 8), tag % 8];
    if (wireType === 0) varint();
    else if (wireType === 1) at += 8;
    else if (wireType === 5) at += 4;
    else {
      const length = varint();
      if (wanted === undefined || number === wanted) yield { number, from: at, to: at + length };
      at += length;
    }
  }
}
