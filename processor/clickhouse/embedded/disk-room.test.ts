import { describe, expect, it } from "vitest";

import { AMPLE_ROOM, diskRoom, reserveBytes } from "./disk-room.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

describe("the reserve of a disk", () => {
  it.each([
    [100 * GIB, GIB],
    [10 * GIB, 512 * MIB],
    [GIB, 64 * MIB],
    [64 * MIB, 16 * MIB],
  ])("of %d bytes is %d", (total, reserve) => {
    expect(reserveBytes(total)).toBe(reserve);
  });
});

describe("the room on a disk with a reserve of 64 MiB", () => {
  const after = (...frees: number[]) =>
    frees.reduce((room, free) => diskRoom(room, { freeBytes: free * MIB, totalBytes: 256 * MIB }), AMPLE_ROOM);

  it("takes everything down to the reserve", () => {
    expect(after(64)).toEqual({ takesInserts: true, takesMerges: true });
  });

  it("takes no inserts below it, but merges, which make room", () => {
    expect(after(63)).toEqual({ takesInserts: false, takesMerges: true });
  });

  it("takes nothing below half of it", () => {
    expect(after(31)).toEqual({ takesInserts: false, takesMerges: false });
  });

  it("takes merges and then inserts again when half as much again has come back", () => {
    expect(after(0, 47)).toEqual({ takesInserts: false, takesMerges: false });
    expect(after(0, 48)).toEqual({ takesInserts: false, takesMerges: true });
    expect(after(0, 48, 95)).toEqual({ takesInserts: false, takesMerges: true });
    expect(after(0, 48, 95, 96)).toEqual(AMPLE_ROOM);
  });
});
