import { PassThrough, Writable } from "node:stream";
import { expect, test } from "vitest";
import { reserveStdout } from "./reserve-stdout.ts";

const asStdio = (stream: Writable) => stream as unknown as NodeJS.WriteStream;

test("what others print to standard output goes to standard error until the release", () => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const reserved = reserveStdout({ stdout: asStdio(stdout), stderr: asStdio(stderr) });
  stdout.write("a config says hello\n");
  reserved.protocol.write("message\n");
  expect(stdout.read()?.toString()).toBe("message\n");
  expect(stderr.read()?.toString()).toBe("a config says hello\n");
  reserved.release();
  stdout.write("again\n");
  expect(stdout.read()?.toString()).toBe("again\n");
});

test("a client that is gone ends the protocol, not the process", async () => {
  const stdout = new Writable({ write: (_chunk, _encoding, done) => done(new Error("EPIPE")) });
  const reserved = reserveStdout({ stdout: asStdio(stdout), stderr: asStdio(new PassThrough()) });
  const closed = new Promise<void>((resolve) => reserved.protocol.once("close", resolve));
  reserved.protocol.write("message\n");
  await closed;
  expect(reserved.protocol.destroyed).toBe(true);
});
