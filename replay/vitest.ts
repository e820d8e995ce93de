/* oxlint-disable vitest/valid-title, vitest/no-conditional-tests, vitest/no-disabled-tests, vitest/expect-expect -- what is made here are the tests of others */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, test, type TestContext } from "vitest";
import { agentCode } from "./commands/agent-code.ts";
import { redactionKeyFile } from "./commands/agent-module.ts";
import { otlpUrl } from "./commands/open-store.ts";
import { type LoadedConfig, loadConfig } from "./config.ts";
import { DEFAULT_FIXTURES_DIRECTORY, type FixtureListing } from "./fixture/fixture-store.ts";
import { replayListing, type SuiteAgent } from "./suite/run-suite.ts";
import { parseShard } from "./suite/shard.ts";
import { claimedState, type SuiteEntry } from "./suite/suite-entry.ts";
import { selectFixtures } from "./suite/suite-selection.ts";
import { defaultTimeoutMillis } from "./worker/replay-fixture.ts";
import { replayReport } from "./worker/report.ts";

export interface DescribeFixturesOptions {
  /** Modules of agents by name, as absolute paths or `file:` URLs; wins over `runproof.config.ts`. */
  readonly agents?: Readonly<Record<string, { readonly module: string; readonly export?: string }>>;
  /** Only fixtures with this in their id, or whose id matches it with `*` for any text. */
  readonly filter?: string;
  /** Only this part, as `1/4`; vitest's own `--shard` shards files, not fixtures. */
  readonly shard?: string;
  /** Whether fixtures are replayed at the same time, bounded by vitest's `maxConcurrency`. Default true. */
  readonly concurrent?: boolean;
  /** Kill the agent after this. Default: the run's timeout and 10 s, at least a minute. */
  readonly timeoutMillis?: number;
  /** Whether the runs are handed to the service, as `agent-replay` does. Default false. */
  readonly store?: boolean;
}

/** A fixture whose replay did not pass. The message holds verdict, reasons, and misses with the nearest recording. */
export class FixtureError extends Error {
  override readonly name = "FixtureError";
}

/** The agent gets its own timeout first, so that the message is about the agent. */
const GRACE_MILLIS = 30_000;

/**
 * Makes each fixture of a folder an ordinary test: it passes when the replay of the agent's real code ends as the fixture
 * requires. Retired fixtures are skipped. To be called at the top of a test file, or inside a `describe`.
 * `directory` starts from the configuration's folder; default as configured, or `fixtures/agent_failure_forensics`.
 */
export function describeFixtures(directory?: string, options: DescribeFixturesOptions = {}): void {
  describe(directory ?? "fixtures", async () => {
    const loaded = await loadConfig(process.cwd());
    const folder = directory ?? loaded.config.fixturesDirectory ?? DEFAULT_FIXTURES_DIRECTORY;
    const shard = options.shard === undefined ? undefined : parseShard(options.shard);
    if (options.shard !== undefined && shard === undefined) throw new Error(`not a shard: ${options.shard}`);
    const root = resolve(loaded.directory, folder);
    const { listings, total } = await selectFixtures(root, { filter: options.filter, shard });
    if (total === 0) throw new Error(`there are no fixtures in ${root}`);
    for (const listing of listings) addTest(listing, loaded, options);
    // A file without a test is an error to vitest; a shard may be empty.
    if (listings.length === 0) test.skip("no fixture is selected", () => {});
  });
}

function addTest(listing: FixtureListing, loaded: LoadedConfig, options: DescribeFixturesOptions): void {
  const { reading } = listing;
  const state = reading.ok ? claimedState(reading.fixture.notes) : "unreadable";
  const agentMillis = options.timeoutMillis ?? (reading.ok ? defaultTimeoutMillis(reading.fixture) : 0);
  const run = async (context: TestContext): Promise<void> => {
    const entry = await replayListing(listing, {
      agentOf: (name) => givenAgent(options, name) ?? agentCode(loaded, name),
      replay: {
        environment: process.env,
        storeUrl: options.store === true ? otlpUrl(undefined, process, loaded) : null,
        redactionKeyFile: redactionKeyFile(process),
        timeoutMillis: agentMillis,
      },
      signal: context.signal,
    });
    if (entry.status === "skipped") context.skip(entry.explanation);
    if (entry.status !== "passed") throw new FixtureError(messageOf(entry));
  };
  test(
    `${listing.id} (${state})`,
    { concurrent: options.concurrent ?? true, timeout: agentMillis + GRACE_MILLIS },
    run,
  );
}

function givenAgent({ agents = {} }: DescribeFixturesOptions, name: string): SuiteAgent | undefined {
  const given = Object.hasOwn(agents, name) ? agents[name] : undefined;
  if (given === undefined) return undefined;
  const module = given.module.startsWith("file:") ? given.module : pathToFileURL(resolve(given.module)).href;
  return { agent: { module, exportName: given.export ?? "default" }, ignore: [] };
}

function messageOf({ explanation, result }: SuiteEntry): string {
  return result === null ? explanation : `${explanation}\n\n${replayReport(result, (_format, text) => text)}`;
}
