import { type Grid, slotAt } from "./slot.ts";

/** How far a tier is. */
export interface Progress {
  /** The newest slot that is dealt with: its round was started or skipped. `null`: none ever was. */
  readonly lastSlot: number | null;
  /** Slot of the round under way. */
  readonly runningSlot: number | null;
}

export type Step =
  /** Nothing is due before this time. */
  | { readonly type: "wait"; readonly until: number }
  /** A round is due. `missed`: slots since the last one that went by without a round; this one makes up for them all. */
  | { readonly type: "start"; readonly slot: number; readonly missed: number }
  /** The round under way is still running at `slot`: rounds of a tier never overlap. */
  | { readonly type: "skip"; readonly slot: number; readonly skipped: number };

/**
 * What a tier has to do now. Pure. However long nobody was there, one round makes up for it. A clock that was set back by
 * more than an interval starts a round at once: to wait until it is where it was would be silence.
 */
export function nextStep(grid: Grid, { lastSlot, runningSlot }: Progress, now: number): Step {
  const slot = slotAt(now, grid);
  if (lastSlot === null) return { type: "start", slot, missed: 0 };
  if (runningSlot !== null) {
    if (slot > lastSlot) return { type: "skip", slot, skipped: slotsFrom(lastSlot, slot, grid) };
  } else if (slot > lastSlot) {
    return { type: "start", slot, missed: slotsFrom(lastSlot, slot, grid) - 1 };
  } else if (lastSlot - now > grid.everyMillis) {
    return { type: "start", slot, missed: 0 };
  }
  // The last slot need not be on this grid: the interval or the host may have changed since.
  return { type: "wait", until: slotAt(lastSlot, grid) + grid.everyMillis };
}

/** A tier's progress once the step is taken. */
export function afterStep(progress: Progress, step: Step): Progress {
  if (step.type === "wait") return progress;
  return { lastSlot: step.slot, runningSlot: step.type === "start" ? step.slot : progress.runningSlot };
}

/** Slots after `last` up to `slot`, at least one. */
const slotsFrom = (last: number, slot: number, { everyMillis }: Grid): number =>
  Math.max(1, Math.ceil((slot - last) / everyMillis));
