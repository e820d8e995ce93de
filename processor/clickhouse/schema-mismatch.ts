/** A table is not as the service needs it; the message names table, column, expected and found type. */
export class SchemaMismatchError extends Error {
  readonly code = "schema_mismatch";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The stored tables do not fit this version of runproof: ${problems.join("; ")}`);
    this.name = "SchemaMismatchError";
    this.problems = problems;
  }
}
