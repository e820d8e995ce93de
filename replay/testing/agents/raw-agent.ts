/** An agent that speaks to the interceptor and to OpenTelemetry itself: tests of the sandbox need no more. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { trace } from "@opentelemetry/api";
import { callInterceptor } from "../../../instrumentation/capture/call-interceptor.ts";
import type { JsonValue } from "../../../instrumentation/json/json.ts";

async function call(name: string, ordinal: number, args: JsonValue): Promise<JsonValue> {
  const answer = await callInterceptor()?.({ kind: "tool", name, path: `${name}#${ordinal}`, arguments: args });
  if (answer?.outcome === "threw") throw answer.error;
  return answer?.result ?? null;
}

/** Does what its input says. */
export default async function agent(input: { act: string; path?: string }, state: JsonValue): Promise<void> {
  switch (input.act) {
    case "search": {
      const span = trace.getTracer("raw").startSpan("raw work");
      span.setAttribute("found", JSON.stringify(await call("search", 0, { q: "otters" })));
      span.setAttribute("state", JSON.stringify(state));
      span.end();
      return;
    }
    case "miss":
      return void (await call("search", 0, { q: "cats" }));
    case "environment": {
      const { cwd, env } = { cwd: process.cwd(), env: process.env };
      trace
        .getTracer("raw")
        .startSpan("environment", { attributes: { cwd, env: JSON.stringify(env) } })
        .end();
      writeFileSync("left-behind.txt", "x");
      return;
    }
    case "errors":
      return void (await call("fails", 0, {}).catch((error: Error & { code?: string }) => {
        const attributes = { name: error.name, message: error.message, code: error.code ?? "" };
        trace.getTracer("raw").startSpan("caught", { attributes }).end();
      }));
    case "exit":
      await call("search", 0, { q: "otters" });
      return process.exit(7);
    case "hang": {
      // A grandchild that would outlive the agent.
      const sleeper = spawn("sleep", ["300"], { stdio: "ignore" });
      writeFileSync(input.path ?? "", String(sleeper.pid));
      return await new Promise(() => setInterval(() => {}, 1_000));
    }
    case "print":
      process.stdout.write(`${"x".repeat(200_000)}the end`);
      throw new TypeError("it did not work");
    default:
      throw new Error(`unknown act ${input.act}`);
  }
}
