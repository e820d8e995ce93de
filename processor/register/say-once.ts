import { diag } from "@opentelemetry/api";

const said = new Set<string>();

/**
 * Tells whoever runs the agent what is wrong with its set-up, once each: on standard error, because nobody has set up
 * OpenTelemetry's `diag` before the agent's own code. Never throws.
 */
export function sayOnce(message: string): void {
  if (said.has(message)) return;
  said.add(message);
  try {
    diag.warn(`runproof: ${message}`);
    process.stderr.write(`runproof: ${message}\n`);
  } catch {
    // Nowhere left to report to.
  }
}
