import { Writable } from "node:stream";
import type { CommandContext } from "../commands/context.ts";

export interface ReservedStdout {
  /** The only way to the real standard output. */
  readonly protocol: Writable;
  release(): void;
}

/**
 * Keeps standard output for a protocol. A user's configuration is code of this process, and a `console.log` in it would
 * break every message that follows: until the release, such output goes to standard error.
 */
export function reserveStdout({ stdout, stderr }: Pick<CommandContext, "stdout" | "stderr">): ReservedStdout {
  const write = stdout.write;
  const toStdout = write.bind(stdout);
  const protocol = new Writable({
    write: (chunk: Buffer, _encoding, done) => void toStdout(chunk, (error) => done(error ?? null)),
  });
  // Without a listener a client that is gone would end the process before its children.
  const onError = (error: Error): void => void protocol.destroy(error);
  protocol.on("error", () => {});
  stdout.on("error", onError);
  stdout.write = stderr.write.bind(stderr) as typeof stdout.write;
  return {
    protocol,
    release() {
      stdout.write = write;
      stdout.off("error", onError);
    },
  };
}
