import net from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sendOtlp, type OtlpResult } from "./otlp-sender.ts";
import { startCollector, type LoopbackCollector } from "./testing/loopback-collector.ts";

describe("sendOtlp", () => {
  let collector: LoopbackCollector;
  beforeEach(async () => {
    collector = await startCollector();
  });
  afterEach(() => collector.close());
  const send = (deadlineMillis = 20_000): Promise<OtlpResult> =>
    sendOtlp({ url: collector.url, body: '{"resourceSpans":[]}', deadlineMillis });

  it("is acknowledged by a 2xx", async () => {
    expect(await send()).toEqual({ outcome: "acknowledged" });
  });

  it.each([
    [400, true],
    [401, false],
    [429, false],
    [503, false],
    [302, false],
  ])("is refused by HTTP %i (for good: %s)", async (status, permanent) => {
    collector.answer = (response) => response.writeHead(status, { location: "/elsewhere" }).end();
    expect(await send()).toMatchObject({ outcome: "refused", status, permanent });
    expect(collector.requests).toBe(1);
  });

  it("is refused when a 2xx says that spans were rejected", async () => {
    collector.answer = (response) => response.end('{"partialSuccess":{"rejectedSpans":"1","errorMessage":"bad id"}}');
    expect(await send()).toMatchObject({ outcome: "refused", permanent: true, reason: "1 spans rejected: bad id" });
  });

  it.each(["garbage", "null", "[]", '{"partialSuccess":null}', ""])(
    "takes a 2xx with the body %j as given",
    async (body) => {
      collector.answer = (response) => response.end(body);
      expect(await send()).toEqual({ outcome: "acknowledged" });
    },
  );

  it("stops reading an endless answer at 4 MiB", async () => {
    let written = 0;
    collector.answer = (response) => {
      response.on("error", () => {});
      const more = (): void => {
        while (!response.destroyed && written < 1 << 30) {
          written += 65_536;
          if (!response.write(Buffer.alloc(65_536))) return void response.once("drain", more);
        }
      };
      more();
    };
    const start = performance.now();
    expect(await send(60_000)).toEqual({ outcome: "acknowledged" });
    expect(performance.now() - start).toBeLessThan(30_000);
    expect(written).toBeLessThan(64 * 1024 * 1024);
  });

  it("gives up at the deadline when nobody answers", async () => {
    collector.answer = () => {};
    const start = performance.now();
    expect(await send(100)).toEqual({ outcome: "unreachable", reason: "no answer within 100 ms" });
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  it("is unreachable when nobody listens, and on an answer that is no HTTP", async () => {
    const { url } = collector;
    await collector.close();
    expect(await sendOtlp({ url, body: "{}", deadlineMillis: 500 })).toMatchObject({ outcome: "unreachable" });
    const garbage = net.createServer((socket) => socket.on("error", () => {}).end("not http at all\r\n\r\n"));
    await new Promise<void>((resolve) => garbage.listen(0, "127.0.0.1", resolve));
    const { port } = garbage.address() as AddressInfo;
    const result = await sendOtlp({ url: `http://127.0.0.1:${port}/`, body: "{}", deadlineMillis: 500 });
    garbage.close();
    expect(result.outcome).toBe("unreachable");
  });

  it.each(["", "no url", "ftp://127.0.0.1/x", "http://127.0.0.1:1/\u0000"])(
    "never throws on the URL %j",
    async (url) => {
      expect((await sendOtlp({ url, body: "{}", deadlineMillis: 300 })).outcome).toBe("unreachable");
    },
  );

  it("never throws on header values that HTTP cannot carry", async () => {
    const result = await sendOtlp({ url: collector.url, headers: { a: "b\nc" }, body: "{}", deadlineMillis: 300 });
    expect(result.outcome).toBe("unreachable");
  });
});
