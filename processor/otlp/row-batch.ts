import type { AttributeMap } from "../clickhouse/rows.ts";
import { OtlpDecodeError } from "./decode-error.ts";
import type { RowLosses } from "./cut-text.ts";
import { MAX_REPEATED_LENGTH } from "./limits.ts";

/** Rows of one request, and what did not become a row. */
export interface RowBatch<Row> {
  readonly rows: Row[];
  /** Records that were refused, by reason. A retry would not help them. */
  readonly rejections: ReadonlyMap<string, number>;
  /** Texts cut at `MAX_TEXT_BYTES`; each is named in its row's `runproof.truncated`. */
  readonly cutValues: number;
  /** Attributes over `MAX_ATTRIBUTES` or with a key over its limit. */
  readonly droppedAttributes: number;
}

/** Collects the rows of one request. */
export class RowBatchBuilder<Row> implements RowBatch<Row> {
  readonly rows: Row[] = [];
  readonly rejections = new Map<string, number>();
  cutValues = 0;
  droppedAttributes = 0;
  #repeatedLength = 0;

  reject(reason: string): void {
    this.rejections.set(reason, (this.rejections.get(reason) ?? 0) + 1);
  }

  countLosses(losses: RowLosses): void {
    this.cutValues += losses.values.length;
    this.droppedAttributes += losses.droppedAttributes;
  }

  /** Call before adding `rows` rows that all repeat `shared`. @throws OtlpDecodeError `too_many` */
  repeat(shared: readonly AttributeMap[], rows: number): void {
    for (const map of shared) this.#repeatedLength += lengthOf(map) * rows;
    if (this.#repeatedLength > MAX_REPEATED_LENGTH) {
      throw new OtlpDecodeError(
        "too_many",
        `resource and scope attributes repeated for every record exceed ${MAX_REPEATED_LENGTH} characters`,
      );
    }
  }
}

function lengthOf(map: AttributeMap): number {
  let length = 0;
  for (const key in map) length += key.length + map[key]!.length;
  return length;
}

/** Number of refused records. */
export function rejectedCount(batch: Pick<RowBatch<unknown>, "rejections">): number {
  let count = 0;
  for (const records of batch.rejections.values()) count += records;
  return count;
}
