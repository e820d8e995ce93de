import { constants, type ServerHttp2Session } from "node:http2";
import type { ReceiverLimits } from "./receiver-limits.ts";

type SessionLimits = Pick<ReceiverLimits, "headersTimeoutMillis" | "keepAliveTimeoutMillis" | "maxPingsPerMinute">;

const MINUTE_MILLIS = 60_000;
const TOO_MANY_PINGS = Buffer.from("too_many_pings");

/**
 * Keeps a connection from being held for nothing: without a first request, idle after the last one (bytes alone keep
 * nothing open), or by pings.
 */
export function guardSession(session: ServerHttp2Session, limits: SessionLimits): void {
  let openStreams = 0;
  let idle = setTimeout(() => session.destroy(), limits.headersTimeoutMillis);
  session.on("stream", (stream) => {
    openStreams++;
    clearTimeout(idle);
    stream.once("close", () => {
      openStreams--;
      if (openStreams > 0 || session.destroyed) return;
      // GOAWAY first: a request that is on its way is sent again elsewhere, not lost.
      idle = setTimeout(() => session.close(), limits.keepAliveTimeoutMillis);
    });
  });
  session.once("close", () => clearTimeout(idle));
  let pings = 0;
  let windowStart = performance.now();
  session.on("ping", () => {
    const now = performance.now();
    if (now - windowStart >= MINUTE_MILLIS) [pings, windowStart] = [0, now];
    pings++;
    if (pings <= limits.maxPingsPerMinute) return;
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, TOO_MANY_PINGS);
    // At once it would overtake the reason.
    setImmediate(() => session.destroy());
  });
  // Told once as `close`; unheard it would be told to the server, where nobody is interested either.
  session.on("error", () => {});
}
