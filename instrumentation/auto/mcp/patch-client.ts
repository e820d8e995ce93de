import { callInterceptor } from "../../capture/call-interceptor.ts";
import { unrecorded } from "../../capture/unrecorded.ts";
import { failOpen } from "../../fail-open.ts";
import { toJson } from "../../json/json.ts";
import { recordCall } from "../../run/record-call.ts";
import { currentScope } from "../../run/run-scope.ts";
import * as semconv from "../../semconv.ts";
import { type AnyFunction, patch, prototypeOf, undoAll } from "../operation/index.ts";
import type { McpClient, RpcRequest } from "./mcp-client.ts";
import { recordRemembered, remember } from "./remembered-answers.ts";
import { type ConnectedServer, createReplayTransport } from "./replay-transport.ts";
import { withRpcCode } from "./rpc-error.ts";
import { learnTools, toldRequest, type ToldRequest } from "./told-request.ts";
import { withTraceMeta } from "./trace-meta.ts";

/**
 * Records what MCP clients ask of their servers, and in a replay answers it without any server. `exports` of
 * `@modelcontextprotocol/sdk/client/index.js` 1.x or `@modelcontextprotocol/client` 2.x. Returns what undoes it.
 */
export function patchMcpClient(exports: unknown): () => void {
  const prototype = prototypeOf(exports, "Client");
  const undo = [
    patch(prototype, "connect", recordedConnect),
    patch(prototype, "request", recordedRequest),
    // Protocol upkeep is no act of the agent, and there is no server to be told in a replay.
    patch(prototype, "notification", aside),
    patch(prototype, "close", aside),
  ];
  return undoAll(undo);
}

const aside = (original: AnyFunction): AnyFunction =>
  function unseen(...args) {
    return unrecorded(() => Reflect.apply(original, this, args));
  };

const CONNECT: ToldRequest = {
  spec: {
    kind: "probe",
    name: "mcp connect",
    sideEffect: "read",
    attributes: { [semconv.ATTR_MCP_METHOD_NAME]: "initialize" },
  },
  args: {},
};

/** The whole handshake is one call: what goes over the wire for it lies below. */
function recordedConnect(original: AnyFunction): AnyFunction {
  return async function connect(...args) {
    const client = this as McpClient;
    let isConnected = false;
    const server = await recordedOrRemembered(client, CONNECT, async () => {
      await Reflect.apply(original, client, args);
      isConnected = true;
      return failOpen("describing an MCP server", () => describedServer(client), {});
    });
    if (isConnected) return;
    const [, ...options] = args;
    await Reflect.apply(original, client, [createReplayTransport(server as ConnectedServer), ...options]);
  };
}

const describedServer = (client: McpClient): unknown =>
  toJson({
    capabilities: client.getServerCapabilities?.() ?? {},
    serverInfo: client.getServerVersion?.() ?? null,
    instructions: client.getInstructions?.() ?? null,
  });

function recordedRequest(original: AnyFunction): AnyFunction {
  return function request(...args) {
    const client = this as McpClient;
    const [asked, ...rest] = args as [RpcRequest, ...unknown[]];
    const told = failOpen("looking at an MCP request", () => toldRequest(client, asked), undefined);
    if (told === undefined) return Reflect.apply(original, this, args);
    return recordedOrRemembered(client, told, async () => {
      const carrying = failOpen("carrying the trace context", () => withTraceMeta(asked), asked);
      return await Reflect.apply(original, this, [carrying, ...rest]);
    }).then(
      (result) => {
        failOpen("learning about tools", () => learnTools(client, asked.method, result), undefined);
        return result;
      },
      (error: unknown) => {
        throw withRpcCode(error);
      },
    );
  };
}

/** Clients are connected before runs begin, too. What was learned then is recorded with the first run that uses it. */
async function recordedOrRemembered(
  client: McpClient,
  told: ToldRequest,
  execute: () => Promise<unknown>,
): Promise<unknown> {
  const interceptor = callInterceptor();
  const { kind, name } = told.spec;
  if (currentScope() === undefined && interceptor !== undefined) {
    const answer = await interceptor({
      kind,
      name,
      path: `${name.replaceAll("/", "_")}#0`,
      arguments: toJson(told.args),
    });
    if (answer?.outcome === "threw") throw answer.error;
    return answer === undefined ? await execute() : answer.result;
  }
  if (currentScope() === undefined) return remember(client, told, await execute());
  if (interceptor === undefined) await recordRemembered(client);
  return await recordCall(told.spec, told.args, execute);
}
