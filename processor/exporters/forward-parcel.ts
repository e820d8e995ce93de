import type { RecordKind } from "../spool/index.ts";
import type { ForwardBody } from "./forward-body.ts";

/** Bodies of one kind that go as one request. */
export interface ForwardParcel {
  readonly kind: RecordKind;
  readonly bodies: readonly ForwardBody[];
  readonly bytes: number;
  readonly records: number;
}

/** Packs bodies in order into parcels of at most `maxBytes`, a larger body alone. */
export function parcelsFrom(bodies: readonly ForwardBody[], maxBytes: number): ForwardParcel[] {
  const parcels: ForwardBody[][] = [];
  for (const kind of ["traces", "logs"] as const) {
    let size = Infinity;
    for (const body of bodies) {
      if (body.kind !== kind) continue;
      size += body.bytes.length;
      if (size > maxBytes) {
        parcels.push([]);
        size = body.bytes.length;
      }
      parcels.at(-1)!.push(body);
    }
  }
  return parcels.map((parts) => parcelOf(parts));
}

/** Both halves of a parcel of several bodies, to find the one that is refused. */
export function halvesOf({ bodies }: ForwardParcel): readonly [ForwardParcel, ForwardParcel] {
  const middle = bodies.length >> 1;
  return [parcelOf(bodies.slice(0, middle)), parcelOf(bodies.slice(middle))];
}

/** Requests are lists of groups in a repeated field, so put one behind the other they are one request. */
export const parcelBytes = ({ bodies }: ForwardParcel): Uint8Array =>
  bodies.length === 1 ? bodies[0]!.bytes : Buffer.concat(bodies.map(({ bytes }) => bytes));

const parcelOf = (bodies: readonly ForwardBody[]): ForwardParcel => ({
  kind: bodies[0]!.kind,
  bodies,
  bytes: bodies.reduce((sum, { bytes }) => sum + bytes.length, 0),
  records: bodies.reduce((sum, { records }) => sum + records, 0),
});
