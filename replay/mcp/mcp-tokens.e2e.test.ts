import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mcp } from "../commands/mcp.ts";
import { createRecordedService, type RecordedService } from "./testing/recorded-service.ts";
import { reportAgentSource } from "./testing/report-agent-source.ts";

/** A second service takes seconds to start. */
const isLong = process.env["RUNPROOF_LONG_TESTS"] === "1";

const TOKENS = [
  { token: "shop-all-0123456789ab", project: "shop", scopes: ["read", "write"] },
  { token: "shop-reads-0123456789", project: "shop", scopes: ["read"] },
  { token: "bank-all-0123456789ab", project: "bank", scopes: ["read", "write"] },
  { token: "admin-0123456789abcdef", project: "ops", scopes: ["admin"] },
];

let folder: string;
let recorded: RecordedService;
let url: string;
const interrupted = new AbortController();
let ended: Promise<number>;

describe.runIf(isLong)("the server with the service's tokens", () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "runproof-mcp-tokens-"));
    const tokensFile = join(folder, "tokens.json");
    await writeFile(tokensFile, JSON.stringify({ tokens: TOKENS }));
    recorded = await createRecordedService({ tokensFile });
    for (const [agent, token] of [
      ["seller", "shop-all-0123456789ab"],
      ["banker", "bank-all-0123456789ab"],
    ] as const) {
      const texts = { agent, finding: `found by ${agent}`, report: "out/report.md" };
      await recorded.repository.commit(agent, { [`${agent}.mjs`]: reportAgentSource(texts, "broken") });
      await recorded.runAgent(`${agent}.mjs`, { RUNPROOF_HEADERS: `authorization=Bearer%20${token}` });
    }
    const stdout = new PassThrough();
    // The server's own credential sees everything, and is lent to nobody.
    const own = {
      RUNPROOF_CLICKHOUSE_PASSWORD: "admin-0123456789abcdef",
      RUNPROOF_OPERATIONS_TOKEN: "admin-0123456789abcdef",
    };
    const context = {
      env: { ...recorded.env, ...own, RUNPROOF_TOKENS_FILE: tokensFile, RUNPROOF_PROJECT: "shop" },
      cwd: recorded.repository.root,
      stdout: stdout as unknown as NodeJS.WriteStream,
      stderr: new PassThrough().resume() as unknown as NodeJS.WriteStream,
      signal: interrupted.signal,
    };
    ended = mcp({ http: true, port: "0", allowWrites: true }, context, new PassThrough());
    const [line] = (await Promise.race([once(stdout, "data"), ended])) as [Buffer];
    url = line
      .toString()
      .replace(/^MCP +/, "")
      .trim();
  });

  afterAll(async () => {
    interrupted.abort();
    await ended;
    await recorded.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function connect(token: string): Promise<Client> {
    const client = new Client({ name: "test", version: "1" });
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }) as Transport);
    return client;
  }

  const answer = async (client: Client, name: string, args: Record<string, unknown> = {}) => {
    const { structuredContent } = await client.callTool({ name, arguments: args });
    return structuredContent as { outcome: string; untrusted_data: Record<string, unknown> };
  };

  test("shows a project's token its own runs, as the store has them", async () => {
    const client = await connect("shop-reads-0123456789");
    const failed = await answer(client, "list_failed_runs");
    expect(failed).toMatchObject({ outcome: "ok", untrusted_data: { total: 1, runs_of_other_projects: 0 } });
    expect(JSON.stringify(failed)).toContain("seller");
    expect(JSON.stringify(failed)).not.toContain("banker");
    expect(await answer(client, "scope_status")).toMatchObject({
      untrusted_data: { resolved_scope: "shop", authorized: true },
    });
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).not.toContain("create_fixture");
    await client.close();
  });

  test("lets a token that may write make fixtures", async () => {
    const client = await connect("shop-all-0123456789ab");
    const { untrusted_data } = await answer(client, "list_failed_runs");
    const [{ run_id }] = untrusted_data["runs"] as [{ run_id: string }];
    expect(await answer(client, "create_fixture", { run_id })).toMatchObject({ outcome: "ok" });
    await client.close();
  });

  test("keeps tokens of other projects out", async () => {
    await expect(connect("bank-all-0123456789ab")).rejects.toThrow(/does not allow/);
  });
});
