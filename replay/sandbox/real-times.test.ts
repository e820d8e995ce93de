import { expect, test } from "vitest";
import { realTimes } from "./real-times.ts";

const span = (startTime: [number, number]) => ({
  startTime,
  endTime: [0, 0] as [number, number],
  duration: [0, 0] as [number, number],
  name: "work",
});

test("a span keeps what it is and gets the times of the machine; a start that was given to it stays", () => {
  let now = 1_760_000_000_250;
  const times = realTimes<ReturnType<typeof span>>(() => now);
  const frozen = Date.now();
  const [own, given] = [span([Math.floor(frozen / 1_000), (frozen % 1_000) * 1e6]), span([1_760_000_000, 0])];
  // The clock of a replay stands still; this one does not, so the moment is held by hand.
  const real = Date.now;
  Date.now = () => frozen;
  try {
    for (const one of [own, given]) times.started(one);
    now += 1_500;
    expect(times.ofEnded(own)).toMatchObject({
      startTime: [1_760_000_000, 250_000_000],
      endTime: [1_760_000_001, 750_000_000],
      duration: [1, 500_000_000],
    });
    expect(times.ofEnded(own).name).toBe("work");
    expect(times.ofEnded(given)).toMatchObject({ startTime: [1_760_000_000, 0], duration: [1, 750_000_000] });
  } finally {
    Date.now = real;
  }
});
