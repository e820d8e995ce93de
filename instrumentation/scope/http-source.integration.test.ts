import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHttpSource } from "./http-source.ts";
import { readSource } from "./scope-snapshot.ts";
import { startScopeEndpoint, type ScopeEndpoint } from "./testing/scope-endpoint.ts";

let endpoint: ScopeEndpoint;
beforeEach(async () => void (endpoint = await startScopeEndpoint("production")));
afterEach(() => endpoint.close());

const source = (headers = {}) => createHttpSource({ url: endpoint.url, headers });
const { signal } = new AbortController();
const read = () => readSource("cloud", source(), 10_000);

describe("an HTTP endpoint as the cloud default", () => {
  it("is read and written with its ETag, and with the credential", async () => {
    const cloud = source({ authorization: "Bearer t" });
    const before = await cloud.read(signal);
    expect(before).toEqual({ kind: "present", scope: "production", version: '"1"' });
    expect(await cloud.write({ scope: "staging", expected: '"1"' }, signal)).toEqual({
      kind: "written",
      version: '"2"',
    });
    expect(await cloud.read(signal)).toEqual({ kind: "present", scope: "staging", version: '"2"' });
    expect(endpoint.requests).toEqual(["GET Bearer t", "PUT Bearer t", "GET Bearer t"]);
  });

  it("is not overwritten when it has another version, also when it had none", async () => {
    endpoint.set("theirs");
    expect(await source().write({ scope: "mine", expected: '"1"' }, signal)).toMatchObject({ kind: "conflict" });
    endpoint.set(null);
    const { version } = (await source().read(signal)) as { version: string };
    endpoint.set("theirs");
    expect(await source().write({ scope: "mine", expected: version }, signal)).toMatchObject({ kind: "conflict" });
    expect(endpoint.get()).toBe("theirs");
    endpoint.set(null);
    expect(await source().write({ scope: "mine", expected: version }, signal)).toMatchObject({ kind: "written" });
    expect(endpoint.get()).toBe("mine");
  });

  it("is absent for a 404 and for null only", async () => {
    endpoint.set(null);
    expect(await read()).toMatchObject({ kind: "absent" });
    endpoint.answerWith((_, response) => void response.writeHead(200, { etag: '"9"' }).end('{"scope":null}'));
    expect(await read()).toEqual({ kind: "absent", version: '"9"' });
  });

  it.each<[string, number, Record<string, string>, string]>([
    ["an error", 500, {}, ""],
    ["a refusal", 403, {}, '{"scope":"production"}'],
    ["an empty answer", 204, { etag: '"1"' }, ""],
    ["no ETag", 200, {}, '{"scope":"production"}'],
    ["a weak ETag", 200, { etag: 'W/"1"' }, '{"scope":"production"}'],
    ["another document", 200, { etag: '"1"' }, '{"project":"production"}'],
    ["no JSON", 200, { etag: '"1"' }, "<html>"],
    ["no scope's name", 200, { etag: '"1"' }, '{"scope":"../../etc"}'],
    ["a number", 200, { etag: '"1"' }, '{"scope":5}'],
    ["too much", 200, { etag: '"1"' }, `{"scope":"${"a".repeat(10_000)}"}`],
    ["a redirect", 302, { location: "http://127.0.0.1:1/" }, ""],
  ])("is unreadable with %s", async (_name, status, headers, body) => {
    endpoint.answerWith((_, response) => void response.writeHead(status, headers).end(body));
    expect(await read()).toMatchObject({ kind: "unreadable" });
  });

  it("is unreadable when it does not answer in time, in the head or in the body, and when nobody is there", async () => {
    endpoint.answerWith(() => {});
    expect(await readSource("cloud", source(), 50)).toMatchObject({ kind: "unreadable" });
    endpoint.answerWith((_, response) => void response.writeHead(200, { etag: '"1"' }).write('{"scope"'));
    expect(await readSource("cloud", source(), 50)).toMatchObject({ kind: "unreadable" });
    await endpoint.close();
    expect(await read()).toMatchObject({ kind: "unreadable" });
    endpoint = await startScopeEndpoint(null);
  });

  it("is never one to which a credential would go in the clear", () => {
    for (const url of ["http://example.org/scope", "ftp://127.0.0.1/", "file:///etc/passwd"]) {
      expect(() => createHttpSource({ url })).toThrow(TypeError);
    }
  });
});
