import type { SideEffectClass } from "../../contract/evidence.ts";
import type { CallSpec } from "../../run/call-spec.ts";
import { currentScope } from "../../run/run-scope.ts";
import * as semconv from "../../semconv.ts";
import { sideEffectInContract } from "../side-effect-in-contract.ts";
import type { McpClient, RpcRequest } from "./mcp-client.ts";

/** How a request to a server is recorded. */
export interface ToldRequest {
  readonly spec: CallSpec<unknown>;
  readonly args: unknown;
}

/**
 * Calls of tools, and what is read off servers, are calls of the run; all else (lists of tools, settings) is
 * housekeeping that a replay answers too and no contract speaks of. `undefined` for what belongs to connecting.
 */
export function toldRequest(client: McpClient, { method, params = {} }: RpcRequest): ToldRequest | undefined {
  if (method === "initialize" || method === "server/discover" || method === "ping") return undefined;
  const attributes = { ...clientAttributes(client), [semconv.ATTR_MCP_METHOD_NAME]: method };
  if (method === "tools/call") return toolCall(client, params, attributes);
  if (method === "resources/read") {
    const uri = String(params["uri"]);
    return reading(method, { uri }, { ...attributes, [semconv.ATTR_MCP_RESOURCE_URI]: uri });
  }
  if (method === "prompts/get") {
    const { name, arguments: given } = params;
    return reading(
      method,
      { name, arguments: given ?? {} },
      { ...attributes, [semconv.ATTR_PROMPT_NAME]: String(name) },
    );
  }
  return { spec: { kind: "probe", name: `mcp ${method}`, sideEffect: "read", attributes }, args: withoutMeta(params) };
}

type Attributes = Readonly<Record<string, string>>;

const reading = (name: string, args: object, attributes: Attributes): ToldRequest => ({
  spec: { kind: "tool", name, sideEffect: "read", attributes },
  args,
});

function toolCall(client: McpClient, params: Readonly<Record<string, unknown>>, attributes: Attributes): ToldRequest {
  const name = String(params["name"]);
  const args = params["arguments"] ?? {};
  // A stack that uses servers' tools as its own has recorded the call already, and a replay answers that one.
  if (isWithinTool(name)) return { spec: { kind: "probe", name: `mcp ${name}`, sideEffect: "read", attributes }, args };
  return {
    spec: { kind: "tool", name, sideEffect: sideEffectOf(client, name), errorOf: toolError, attributes },
    args,
  };
}

/** The place is that of a call by this name, or by it and its server's: `count#0`, `counter__count#2`. */
function isWithinTool(name: string): boolean {
  const { path = "" } = currentScope() ?? {};
  const step = path.slice(path.lastIndexOf("/") + 1).replace(/#\d+$/, "");
  return step === name || (name !== "" && step.endsWith(name) && /[_.\-:]$/.test(step.slice(0, -name.length)));
}

const toolError = (result: unknown): string | null =>
  (result as { readonly isError?: unknown } | null)?.isError === true ? semconv.ERROR_TOOL : null;

function withoutMeta({ _meta: _dropped, ...params }: Readonly<Record<string, unknown>>): object {
  return params;
}

/** Tools that their servers call harmless. */
const harmless = new WeakMap<McpClient, Set<string>>();

/** The contract knows best; a server's own hint comes next. */
const sideEffectOf = (client: McpClient, tool: string): SideEffectClass =>
  sideEffectInContract(tool, harmless.get(client)?.has(tool) === true ? "read" : "write");

interface ListedTool {
  readonly name?: unknown;
  readonly annotations?: { readonly readOnlyHint?: unknown };
}

/** Learns from a list of tools which of them only read. */
export function learnTools(client: McpClient, method: string, result: unknown): void {
  if (method !== "tools/list") return;
  const { tools } = (result ?? {}) as { readonly tools?: unknown };
  if (!Array.isArray(tools)) return;
  const known = harmless.get(client) ?? new Set();
  for (const { name, annotations } of tools as readonly ListedTool[]) {
    if (typeof name === "string" && annotations?.readOnlyHint === true && known.size < MAX_TOOLS) known.add(name);
  }
  harmless.set(client, known);
}

const MAX_TOOLS = 10_000;

/** What is known of the connection. */
export function clientAttributes({ transport }: McpClient): Attributes {
  if (transport === undefined) return {};
  const isChild = transport.constructor.name.startsWith("Stdio");
  return {
    [semconv.ATTR_NETWORK_TRANSPORT]: isChild ? "pipe" : "tcp",
    ...(typeof transport.sessionId === "string" ? { [semconv.ATTR_MCP_SESSION_ID]: transport.sessionId } : {}),
  };
}
