import { expect, test } from "vitest";
import type { CallRequest } from "../../instrumentation/capture/call-interceptor.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import { isLiveTool, liveRequest } from "./live-policy.ts";

const policy = { tools: ["weather"], hosts: ["api.example.com", "localhost:8080"] };
const call = (name: string, kind = "tool", args?: JsonValue): CallRequest =>
  ({ kind, name, path: `${name}#0`, arguments: args }) as CallRequest;
const request = (method: string, url: string) =>
  liveRequest(policy, call("GET x", "http", { method, url })) !== undefined;

test("tools are live by name, and only tools", () => {
  expect(isLiveTool(policy, call("weather"))).toBe(true);
  expect(isLiveTool(policy, call("weather2"))).toBe(false);
  expect(isLiveTool(policy, call("weather", "model"))).toBe(false);
});

test("requests are live when they read from a named host", () => {
  expect(request("GET", "https://api.example.com/v1?x=1")).toBe(true);
  expect(request("HEAD", "http://localhost:8080/")).toBe(true);
  expect(request("POST", "https://api.example.com/v1")).toBe(false);
});

test("another port, a host in the credentials and a name that ends alike are other hosts", () => {
  expect(request("GET", "https://api.example.com:444/")).toBe(false);
  expect(request("GET", "https://api.example.com@evil.example/")).toBe(false);
  expect(request("GET", "https://user@api.example.com/")).toBe(false);
  expect(request("GET", "https://api.example.com.evil.example/")).toBe(false);
  expect(request("GET", "not a url")).toBe(false);
  expect(liveRequest(policy, call("GET x", "http"))).toBeUndefined();
});
