import diagnosticsChannel from "node:diagnostics_channel";
import { type ClientRequest, ServerResponse } from "node:http";
import { nodeSpoolFs } from "../../spool/spool-fs.ts";
import { type FsCall, interceptedFs } from "../../spool/testing/intercepted-fs.ts";

/** Places on the way of a span at which a process can be ended, in the order of the way. */
export const KILL_POINTS = [
  "before write",
  "after write",
  "before sync",
  "after sync",
  "before ack",
  "during insert",
  "after insert",
  "before checkpoint",
  "after checkpoint",
  "before segment delete",
  "after segment delete",
  "in recovery",
  "in shutdown",
] as const;

export type KillPoint = (typeof KILL_POINTS)[number];

const isLog = ({ name }: FsCall): boolean => name.endsWith(".wal");

/** Which call of the spool's file system a point stands before or after. */
const FS_POINTS: Readonly<Partial<Record<KillPoint, (call: FsCall) => boolean>>> = {
  "before write": (call) => call.site === "write" && isLog(call),
  "after write": (call) => call.site === "write" && isLog(call),
  "before sync": (call) => call.site === "sync" && isLog(call),
  "after sync": (call) => call.site === "sync" && isLog(call),
  "before checkpoint": (call) => call.site === "write" && call.name === "checkpoint",
  "after checkpoint": (call) => call.site === "sync" && call.name === "checkpoint",
  "before segment delete": (call) => call.site === "remove" && isLog(call),
  "after segment delete": (call) => call.site === "remove" && isLog(call),
  // Before the receivers listen; once they do, the log is read all the time.
  "in recovery": (call) => call.site === "read" && isLog(call),
};

/** Calls `reached` each time this process comes to the point. Production code knows nothing of it. */
export function watchKillPoint(point: KillPoint, reached: () => void): void {
  const isFsPoint = FS_POINTS[point];
  if (isFsPoint !== undefined) {
    const look = (call: FsCall): void => (isFsPoint(call) ? reached() : undefined);
    const isAfter = point.startsWith("after");
    Object.assign(nodeSpoolFs, interceptedFs({ ...nodeSpoolFs }, isAfter ? { after: look } : { before: look }));
  } else if (point === "before ack") watchAnswers(reached);
  // A moment later the request has reached the engine and most likely is not answered.
  else if (point === "during insert")
    onInsert("http.client.request.start", () => setTimeout(reached, Math.random() * 40));
  else if (point === "after insert") onInsert("http.client.response.finish", reached);
}

function watchAnswers(reached: () => void): void {
  const end = ServerResponse.prototype.end;
  ServerResponse.prototype.end = function (this: ServerResponse, ...args: unknown[]) {
    if (this.req.method === "POST") reached();
    return Reflect.apply(end, this, args) as ServerResponse;
  } as typeof end;
}

function onInsert(channel: string, found: () => void): void {
  diagnosticsChannel.subscribe(channel, (message) => {
    const { request } = message as { readonly request: ClientRequest };
    if (/INSERT(\+|%20)INTO.{1,5}otel_traces/.test(request.path)) found();
  });
}
