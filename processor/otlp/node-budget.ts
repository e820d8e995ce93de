import { OtlpDecodeError } from "./decode-error.ts";
import { MAX_NODES } from "./limits.ts";

/** What each decoded object counts, roughly its memory in units of one attribute. */
export const NODES_PER_ATTRIBUTE = 1;
export const NODES_PER_EVENT_OR_LINK = 3;
export const NODES_PER_GROUP = 5;
export const NODES_PER_LOG_RECORD = 6;
export const NODES_PER_SPAN = 8;

/** Bounds the memory one request's objects take, whatever its encoding. */
export class NodeBudget {
  #left = MAX_NODES;

  /** Call before making an object. @throws OtlpDecodeError `too_many` */
  take(nodes: number): void {
    this.#left -= nodes;
    if (this.#left < 0) {
      throw new OtlpDecodeError("too_many", `the request holds more than ${MAX_NODES} attributes, or as many records`);
    }
  }
}
