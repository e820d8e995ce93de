import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { isLoopback } from "../../processor/auth/exposure.ts";
import { readTokensFile } from "../../processor/auth/tokens-file.ts";
import { createHttpAccess, type Grant, type HttpAccess } from "../mcp/http/http-access.ts";
import { startHttpServer } from "../mcp/http/http-server.ts";
import { configurationNotes } from "../mcp/configuration-notes.ts";
import { resolvedScopes } from "../mcp/own-scope.ts";
import { loadMcpSdk, type McpSdk } from "../mcp/sdk.ts";
import { serveStdio } from "../mcp/stdio-server.ts";
import { createToolRunner, type ToolRunner } from "../mcp/tool-runner.ts";
import { safeLine } from "../safe-text.ts";
import { EXIT } from "../worker/exit-codes.ts";
import type { CommandContext } from "./context.ts";
import { UsageError } from "./run-command-line.ts";

export interface McpFlags {
  readonly http?: true;
  readonly host?: string;
  readonly port?: string;
  readonly readOnly?: true;
  readonly allowWrites?: true;
  readonly dir?: string;
}

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 9465;

/** `runproof mcp`: serves coding agents until the client is gone or the process is interrupted. */
export async function mcp(flags: McpFlags, context: CommandContext, stdin: Readable): Promise<number> {
  if (flags.readOnly && flags.allowWrites) throw new UsageError("--read-only and --allow-writes exclude each other");
  if (!flags.http && (flags.host !== undefined || flags.port !== undefined))
    throw new UsageError("--host and --port go with --http");
  const sdk = await loadMcpSdk();
  if ("message" in sdk) throw new Error(sdk.message);
  const cwd = resolve(context.cwd, flags.dir ?? ".");
  const project = context.env["RUNPROOF_PROJECT"] || undefined;
  const ending = new AbortController();
  const signal = AbortSignal.any([context.signal, ending.signal]);
  const log = (message: string): void => void context.stderr.write(`${safeLine(message, 2_000)}\n`);
  const runner = createToolRunner({
    context: { ...context, cwd, signal },
    scopeOf: resolvedScopes(cwd, log),
    notes: await configurationNotes(cwd),
  });
  const serving = { sdk, runner, writes: flags.allowWrites === true, log, context, project };
  try {
    await (flags.http ? serveHttp(flags, serving) : serveStdio(sdk, { ...serving, stdin }));
  } finally {
    ending.abort();
    await runner.idle();
  }
  return context.signal.aborted ? EXIT.interrupted : EXIT.ok;
}

interface Serving {
  readonly sdk: McpSdk;
  readonly runner: ToolRunner;
  readonly writes: boolean;
  readonly log: (message: string) => void;
  readonly context: CommandContext;
  readonly project: string | undefined;
}

async function serveHttp(flags: McpFlags, { sdk, context, project, ...serving }: Serving): Promise<void> {
  const { host = DEFAULT_HOST } = flags;
  const access = await accessFrom(context, project);
  if (serving.writes && access.open) {
    throw new UsageError(
      "--http with --allow-writes would let every program of this machine run the agent's code. Set RUNPROOF_MCP_TOKEN " +
        "or RUNPROOF_TOKENS_FILE, or serve standard input and output",
    );
  }
  if (!isLoopback(host) && access.open) {
    throw new UsageError(
      `refusing to listen on ${safeLine(host)}: everybody who reaches it could read runs. Set RUNPROOF_MCP_TOKEN or ` +
        "RUNPROOF_TOKENS_FILE, or listen on 127.0.0.1",
    );
  }
  const envOf = (grant: Grant): Readonly<Record<string, string>> => environmentOf(grant, context);
  const server = await startHttpServer(sdk, { ...serving, host, port: portFrom(flags.port), access, envOf });
  try {
    context.stdout.write(`MCP  ${server.url}\n`);
    if (!context.signal.aborted) {
      await new Promise<void>((end) => context.signal.addEventListener("abort", () => end(), { once: true }));
    }
  } finally {
    await server.close();
  }
}

const MIN_TOKEN_LENGTH = 16;

async function accessFrom({ env, cwd }: CommandContext, project: string | undefined): Promise<HttpAccess> {
  const { RUNPROOF_MCP_TOKEN: token, RUNPROOF_TOKENS_FILE: file } = env;
  if (token && token.length < MIN_TOKEN_LENGTH)
    throw new UsageError(`RUNPROOF_MCP_TOKEN must have at least ${MIN_TOKEN_LENGTH} characters`);
  const tokens = file ? (await readTokensFile(resolve(cwd, file))).tokens : [];
  return createHttpAccess({ tokens, project, ...(token && { token }) });
}

/**
 * A client's token of the service goes on to the service, which decides what it may see and write: nothing of the server's
 * own credentials is lent to it.
 */
function environmentOf({ serviceToken }: Grant, { env }: CommandContext): Readonly<Record<string, string>> {
  if (serviceToken === undefined) return {};
  return {
    RUNPROOF_HEADERS: `authorization=Bearer%20${serviceToken}`,
    RUNPROOF_OPERATIONS_TOKEN: serviceToken,
    // A server with users of its own knows nothing of our tokens.
    ...(!env["RUNPROOF_CLICKHOUSE_USER"] && {
      RUNPROOF_CLICKHOUSE_USER: "token",
      RUNPROOF_CLICKHOUSE_PASSWORD: serviceToken,
    }),
  };
}

function portFrom(text: string | undefined): number {
  if (text === undefined) return DEFAULT_PORT;
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new UsageError("--port must be 0 to 65535");
  return Number(text);
}
