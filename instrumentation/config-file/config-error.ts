/** A configuration that cannot be used. `problems` names every key at once. */
export class ConfigError extends Error {
  readonly code = "RUNPROOF_CONFIG_INVALID";
  readonly problems: readonly string[];
  constructor(path: string, problems: readonly string[], options?: ErrorOptions) {
    super(`${path} is not valid:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`, options);
    this.name = "ConfigError";
    this.problems = problems;
  }
}
