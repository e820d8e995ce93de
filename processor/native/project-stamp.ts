import { ATTR_PROJECT, ATTR_PROJECT_CLAIMED } from "../../instrumentation/semconv.ts";
import { GrowableBytes } from "./growable-bytes.ts";
import type { MapColumn } from "./map-column.ts";
import { StringColumn } from "./string-column.ts";
import { leaveFastPath } from "./wire-cursor.ts";

/** No key has this id. */
const NO_KEY = -2;

/**
 * Puts the credential's project over a claim in the map being written, as `stampProject` does with a row.
 *
 * Per map: `begin()`, `overrule()` after the value of the key `key`, `end()` before the map's own.
 */
export class ProjectStamp {
  /** Id of the key to be told of; none without a project. */
  key = NO_KEY;
  readonly #map: MapColumn;
  #project = "";
  #generation = -1;
  #claimedKey = NO_KEY;
  /** The project as a Native `String`. */
  #text = new StringColumn();
  /** The overruled claim as a Native `String`; empty when there is none. */
  readonly #claim = new GrowableBytes();

  constructor(map: MapColumn) {
    this.#map = map;
  }

  set project(project: string) {
    if (project === this.#project) return;
    this.#project = project;
    this.#generation = -1;
    this.#text = new StringColumn();
    this.#text.appendText(project);
  }

  begin(): void {
    this.#claim.length = 0;
    const { dictionary } = this.#map.keys;
    if (this.#generation === dictionary.generation && dictionary.size > 0) return;
    this.#generation = dictionary.generation;
    const isStamped = this.#project !== "";
    this.key = isStamped ? dictionary.idOfText(ATTR_PROJECT) : NO_KEY;
    this.#claimedKey = isStamped ? dictionary.idOfText(ATTR_PROJECT_CLAIMED) : NO_KEY;
  }

  /** The value of the key `key` begins at `valueAt` and is the last one. */
  overrule(valueAt: number): void {
    const { data } = this.#map.values;
    const value = data.bytes.subarray(valueAt, data.length);
    const own = this.#text.data;
    if (Buffer.compare(value, own.taken()) === 0) return;
    this.#claim.appendBytes(value);
    data.length = valueAt;
    data.appendAll(own);
  }

  end(): void {
    if (this.#claim.length === 0) return;
    // A map with both keys is for the slow path, which knows the order.
    if (!this.#map.knownKey(this.#claimedKey)) leaveFastPath();
    this.#map.values.data.appendAll(this.#claim);
  }
}
