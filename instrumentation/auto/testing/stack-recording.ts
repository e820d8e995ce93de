import { setTimeout as sleep } from "node:timers/promises";
import { setCallInterceptor, type CallRequest } from "../../capture/call-interceptor.ts";
import {
  calls,
  jsonOf,
  only,
  startRecorder,
  type Recorder,
  type RecorderOptions,
  type SeenSpan,
} from "../../run/testing/recorder.ts";
import * as semconv from "../../semconv.ts";
import { instrumentHttp } from "../http/instrument-http.ts";

/** What runs of a stack left behind. */
export interface StackRecording<Result> {
  readonly result: Result;
  readonly spans: readonly SeenSpan[];
  /** Tool calls, in the order they were begun. */
  readonly tools: readonly SeenTool[];
  /** Paths of the HTTP exchanges, in the order they were begun. */
  readonly exchanges: readonly string[];
  /** What the closed runs said of themselves. */
  readonly runs: readonly SeenRun[];
}

export interface SeenTool {
  readonly name: string;
  readonly path: string;
  readonly callId: string | undefined;
  readonly args: unknown;
  readonly result: unknown;
  readonly error: string | undefined;
}

export interface SeenRun {
  readonly agent: string;
  readonly input: unknown;
  readonly model: string | undefined;
  readonly answer: string | undefined;
  readonly errorClass: string | undefined;
}

/** Does work with runs recorded, every exchange over HTTP included. `answers` stand in for the world: a replay. */
export async function recordStack<Result>(
  work: () => Promise<Result>,
  { answers, ...options }: RecorderOptions & { readonly answers?: readonly SeenSpan[] } = {},
): Promise<StackRecording<Result>> {
  const recorder = await startRecorder({ deadlineMillis: 10_000, ...options });
  const undo = instrumentHttp();
  if (answers !== undefined) answerFrom(answers);
  try {
    const result = await work();
    await untilClosed(recorder);
    return { result, ...seen(once(recorder.all())) };
  } finally {
    undo();
    await recorder.close();
  }
}

/** A stream's run closes when its end was read, which may be after the one who asked for its text went on. */
async function untilClosed(recorder: Recorder): Promise<void> {
  const count = (event: string): number =>
    recorder.all().filter((span) => span.attributes[semconv.ATTR_RUN_EVENT] === event).length;
  for (let turn = 0; turn < 200; turn++) {
    await recorder.flush();
    if (count("close") === count("start")) return;
    await sleep(20);
  }
}

/** What was not acknowledged in time is sent again. */
const once = (spans: readonly SeenSpan[]): SeenSpan[] => [
  ...new Map(spans.map((span) => [`${span.spanId} ${span.attributes[semconv.ATTR_RUN_EVENT]}`, span])).values(),
];

function seen(all: readonly SeenSpan[]): Omit<StackRecording<never>, "result"> {
  const made = calls(all).toSorted((a, b) => (a.startUnixNano < b.startUnixNano ? -1 : 1));
  const ofKind = (kind: string): SeenSpan[] => made.filter((span) => span.attributes[semconv.ATTR_CALL_KIND] === kind);
  return {
    spans: all,
    tools: ofKind("tool").map(toolOf),
    exchanges: ofKind("http").map((span) => pathOf(span).replaceAll(/POST 127\.0\.0\.1:\d+/g, "POST")),
    runs: all.filter((span) => span.attributes[semconv.ATTR_RUN_EVENT] === "start").map((start) => runOf(start, all)),
  };
}

const pathOf = (span: SeenSpan): string => String(span.attributes[semconv.ATTR_CALL_PATH]);

const textAt = (span: SeenSpan, name: string): string | undefined => {
  const value = span.attributes[name];
  return value === undefined ? undefined : String(value);
};

const jsonAt = (span: SeenSpan, name: string): unknown =>
  span.attributes[name] === undefined ? undefined : jsonOf(span, name);

const toolOf = (span: SeenSpan): SeenTool => ({
  name: String(span.attributes[semconv.ATTR_TOOL_NAME]),
  path: pathOf(span),
  callId: textAt(span, semconv.ATTR_TOOL_CALL_ID),
  args: jsonAt(span, semconv.ATTR_TOOL_CALL_ARGUMENTS),
  result: jsonAt(span, semconv.ATTR_TOOL_CALL_RESULT),
  error: textAt(span, semconv.ATTR_ERROR_TYPE),
});

function runOf(start: SeenSpan, all: readonly SeenSpan[]): SeenRun {
  const runId = start.attributes[semconv.ATTR_RUN_ID];
  const close = only(
    all.filter((span) => span.attributes[semconv.ATTR_RUN_ID] === runId),
    "close",
  );
  const evidence = jsonOf(close, semconv.ATTR_EVIDENCE) as {
    answer?: string | null;
    error?: { errorClass: string } | null;
  };
  return {
    agent: String(start.attributes[semconv.ATTR_AGENT_NAME]),
    input: jsonAt(start, semconv.ATTR_RUN_INPUT),
    model: textAt(start, semconv.ATTR_REQUEST_MODEL),
    answer: evidence.answer ?? undefined,
    errorClass: evidence.error?.errorClass,
  };
}

/** Answers each call with what was recorded at its path, as a replay does; anything else is a miss. */
function answerFrom(recorded: readonly SeenSpan[]): void {
  const byPath = new Map(
    calls(recorded)
      .filter((span) => span.attributes[semconv.ATTR_CALL_OBSERVED] === undefined)
      .map((span) => [pathOf(span), span]),
  );
  setCallInterceptor((request) => {
    const span = byPath.get(request.path);
    if (span === undefined) return Promise.reject(new Error(`nothing was recorded at ${request.path}`));
    byPath.delete(request.path);
    return Promise.resolve(answerOf(request, span));
  });
}

function answerOf({ kind }: CallRequest, span: SeenSpan) {
  const error = jsonAt(span, semconv.ATTR_CALL_ERROR) as { name: string; message: string } | undefined;
  if (error !== undefined) {
    return { outcome: "threw", error: Object.assign(new Error(error.message), { name: error.name }) } as const;
  }
  const name = kind === "http" ? semconv.ATTR_HTTP_RESPONSE : semconv.ATTR_TOOL_CALL_RESULT;
  return { outcome: "returned", result: jsonOf(span, name) } as const;
}
