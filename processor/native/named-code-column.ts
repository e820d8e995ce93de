import type { LowCardinalityColumn } from "./low-cardinality-column.ts";

/** Appends enum numbers as their names; an unknown number becomes the first name. */
export class NamedCodeColumn {
  readonly #column: LowCardinalityColumn;
  readonly #names: readonly string[];
  #ids: number[] = [];
  #generation = -1;

  constructor(column: LowCardinalityColumn, names: readonly string[]) {
    this.#column = column;
    this.#names = names;
  }

  append(code: number): void {
    const { dictionary, ids } = this.#column;
    if (this.#generation !== dictionary.generation) {
      this.#ids = this.#names.map(() => -1);
      this.#generation = dictionary.generation;
    }
    const known = code > 0 && code < this.#names.length ? code : 0;
    if (this.#ids[known]! < 0) this.#ids[known] = dictionary.idOfText(this.#names[known]!);
    ids.appendUint32(this.#ids[known]!);
  }
}
