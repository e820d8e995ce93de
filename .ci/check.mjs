// The checks beside the tests: format, lint, types, dead code, the package itself. All run, all failures are told.
import { spawnSync } from "node:child_process";

const checks = [
  ["format", "oxfmt", ["--check", "."]],
  ["types", "tsc", ["-b"]],
  ["lint", "oxlint", ["--type-aware", "--deny-warnings"]],
  ["dead code", "knip", []],
  ["package", "publint", ["--strict"]],
  ["package types", "attw", ["--pack", ".", "--profile", "esm-only"]],
  // Tests read fixtures and never write them.
  ["fixtures unchanged", "git", ["diff", "--exit-code", "--stat", "--", "fixtures"]],
];

const failed = [];
for (const [name, command, args] of checks) {
  const started = Date.now();
  const result = spawnSync(command, args, { encoding: "utf8" });
  const ok = result.status === 0;
  console.log(`${ok ? "ok  " : "FAIL"} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  if (!ok) {
    failed.push(name);
    console.log(`${result.stdout ?? ""}${result.stderr ?? ""}${result.error ?? ""}`);
  }
}
if (failed.length > 0) {
  console.log(`checks failed: ${failed.join(", ")}`);
  process.exit(1);
}
