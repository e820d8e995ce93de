import {
  ATTR_SELF_RUNS,
  LABEL_OUTCOME,
  LABEL_PROTOCOL,
  SPAN_STORE_VERDICTS,
  SPAN_WATCHDOG_SCAN,
} from "../../instrumentation/semconv.ts";
import { insertNative } from "../clickhouse/native-insert.ts";
import type { Store } from "../clickhouse/store.ts";
import type { TouchedRun } from "../native/index.ts";
import type { BodyConsumer } from "../receivers/body-consumer.ts";
import { nodeSpoolFs, type SpoolFs } from "../spool/spool-fs.ts";
import { createBoundedLabel } from "./bounded-label.ts";
import { meteredBatches, type StoreBatch } from "./metered-batches.ts";
import { meteredBodies, type OtlpProtocol } from "./metered-bodies.ts";
import { meteredNativeInsert, meteredStore, type InsertNative } from "./metered-inserts.ts";
import { meteredSpoolFs } from "./metered-spool-fs.ts";
import type { StoreHealth } from "./store-health.ts";
import type { Telemetry } from "./telemetry.ts";
import { createVerdictLag } from "./verdict-lag.ts";

/** The service's own parts, each with a meter around it. None changes what its part does. */
export interface ServiceMeters {
  readonly spoolFs: SpoolFs;
  readonly insertNative: InsertNative;
  batches(store: StoreBatch): StoreBatch;
  store(store: Store): Store;
  bodies(bodies: BodyConsumer, protocol: OtlpProtocol): BodyConsumer;
  /** Counts who is turned away before `bodies` sees the request. */
  onRefused(protocol: OtlpProtocol): (reason: string) => void;
  /** One look of the watchdog at the store. */
  scan<Result>(look: () => Promise<Result>): Promise<Result>;
  /** Spans have become readable. */
  seen(touched: readonly TouchedRun[]): void;
}

export function createServiceMeters(telemetry: Telemetry, storeHealth: StoreHealth): ServiceMeters {
  const { instruments, spans, isOwn } = telemetry;
  const lag = createVerdictLag(
    (seconds) => instruments.verdictLag.record(seconds),
    () => performance.now(),
  );
  const bodyMeter = { instruments, projectLabel: createBoundedLabel() };
  return {
    spoolFs: meteredSpoolFs(nodeSpoolFs, instruments),
    insertNative: meteredNativeInsert(insertNative, instruments),
    batches: (store) => meteredBatches(store, { instruments, spans, storeHealth, isOwn }),
    store(store) {
      const metered = meteredStore(store, instruments);
      return {
        ...metered,
        async insertRuns(rows, token) {
          const attributes = { [ATTR_SELF_RUNS]: rows.length };
          await spans.around({ name: SPAN_STORE_VERDICTS, attributes }, () => metered.insertRuns(rows, token));
          lag.stored(rows);
        },
      };
    },
    bodies: (bodies, protocol) => meteredBodies(bodies, protocol, bodyMeter),
    onRefused: (protocol) => (reason) =>
      instruments.requests.add(1, { [LABEL_PROTOCOL]: protocol, [LABEL_OUTCOME]: reason }),
    scan: (look) => spans.around({ name: SPAN_WATCHDOG_SCAN }, look),
    seen: (touched) => lag.seen(touched),
  };
}
