import type { Collector } from "./collector.ts";
import { quantile, rounded, slope } from "./figures.ts";

/** Resident memory of one process over the time, MiB. */
export interface ResidentFigures {
  readonly max: number;
  /** Median after warm-up. */
  readonly median: number;
  readonly slopePerHour: number;
}

export interface ResidentReport {
  readonly service: ResidentFigures;
  readonly engine: ResidentFigures;
  readonly bothMax: number;
}

/** Looks every second; the first third of the time counts as warm-up. */
export function watchResident(collector: Collector): () => ResidentReport {
  const samples: { readonly service: number; readonly engine: number }[] = [];
  const timer = setInterval(() => samples.push(collector.resident()), 1_000);
  return () => {
    clearInterval(timer);
    return {
      service: figuresOf(samples.map(({ service }) => service)),
      engine: figuresOf(samples.map(({ engine }) => engine)),
      bothMax: rounded(Math.max(0, ...samples.map(({ service, engine }) => service + engine))),
    };
  };
}

function figuresOf(values: readonly number[]): ResidentFigures {
  const warm = values.slice(Math.floor(values.length / 3));
  return {
    max: rounded(Math.max(0, ...values)),
    median: rounded(quantile(warm, 0.5)),
    slopePerHour: rounded(slope(warm) * 3_600),
  };
}
