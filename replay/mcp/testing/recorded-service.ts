import { execFile } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Service } from "../../../processor/service.ts";
import { createServiceFixture } from "../../../processor/testing/running-service.ts";
import { makeRepository, type TestRepository } from "../../testing/git-repository.ts";

/** A real service on the embedded store, and a repository of an agent that reports to it. */
export interface RecordedService {
  readonly service: Service;
  /** For files of the test. */
  readonly directory: string;
  readonly repository: TestRepository;
  /** For programs that work in the repository. */
  readonly env: Record<string, string>;
  /** Runs the default export of a module of the repository for real, and waits for its verdict. */
  runAgent(module: string, env?: Readonly<Record<string, string>>): Promise<void>;
  close(): Promise<void>;
}

export async function createRecordedService(
  settings: Readonly<Record<string, unknown>> = {},
): Promise<RecordedService> {
  const fixture = await createServiceFixture(settings);
  const repository = await makeRepository();
  const service = await fixture.start();
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: repository.root,
    RUNPROOF_CLICKHOUSE_URL: service.clickhouseUrl,
    RUNPROOF_ENDPOINT: service.otlpUrl,
    RUNPROOF_OPERATIONS_URL: service.adminUrl ?? "",
    RUNPROOF_STATE_DIR: join(fixture.directory, "state"),
    RUNPROOF_DATA_DIR: join(fixture.directory, "data"),
  };
  return {
    service,
    directory: fixture.directory,
    repository,
    env,
    async runAgent(module, more = {}) {
      const url = pathToFileURL(join(repository.root, module)).href;
      const code = `const agent = await import(${JSON.stringify(url)}); await agent.default({ topic: "otters" });`;
      const options = { cwd: fixture.directory, env: { ...env, REPORT_AGENT_WORLD: "1", ...more } };
      await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code], options);
      await service.idle();
    },
    async close() {
      await fixture.close();
      await repository.remove();
    },
  };
}
