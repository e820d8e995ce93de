/** A message that was not written again; said with its next line, or when the time is up. */
interface Repeated {
  saidAt: number;
  unsaid: number;
}

const QUIET_MILLIS = 30_000;
/** Messages that are told apart; beyond them all are written. */
const MAX_KNOWN = 1_000;

/**
 * Lines about trouble: the same one at most every 30 seconds, with how often it came meanwhile. A store that is away makes
 * several parts of the service fail twice a second each, and the log must still be readable after it.
 */
export function createErrorLog(
  log: (line: string) => void,
  now: () => number = () => performance.now(),
): (what: string, error: unknown) => void {
  const known = new Map<string, Repeated>();

  return (what, error) => {
    const line = `${what} failed: ${error instanceof Error ? error.message : String(error)}`;
    const before = known.get(line);
    if (before !== undefined && now() - before.saidAt < QUIET_MILLIS) {
      before.unsaid++;
      return;
    }
    const times = before === undefined || before.unsaid === 0 ? "" : ` (and ${before.unsaid} times before)`;
    known.delete(line);
    if (known.size >= MAX_KNOWN) known.delete([...known.keys()][0] ?? "");
    known.set(line, { saidAt: now(), unsaid: 0 });
    log(line + times);
  };
}
