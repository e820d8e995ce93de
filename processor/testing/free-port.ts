import { once } from "node:events";
import { createServer } from "node:net";

/** A TCP port of this machine that was free a moment ago, for a program that cannot be asked which one it took. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
