import { failOpen } from "../../fail-open.ts";
import { isPatchable, memberOf, thrown, type AnyFunction, type Operation } from "../operation/index.ts";
import { createStreamLog, type StreamLog } from "./stream-log.ts";

/**
 * Ends the operation when its result was read to the end, failed, was aborted, or when nobody reads it any more. The
 * result's own streams stay as they are for whoever reads them.
 */
export function watchStream(result: unknown, operation: Operation, signal: unknown): void {
  const logs: StreamLog[] = [];
  const watch: Watch = {
    newLog: () => logs[logs.push(createStreamLog()) - 1] as StreamLog,
    end: async (log, error) =>
      await operation.end({ answer: log?.answer(), ...(error === undefined ? {} : { error }) }),
  };
  if (!failOpen("watching a stream of the AI SDK", () => watchSource(result, watch), false)) {
    void watch.end(undefined);
    return;
  }
  // A stream that is not read tells nothing of its end.
  if (signal instanceof AbortSignal) {
    const onAbort = (): void => void watch.end(logs[0], thrown(signal.reason));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  }
}

interface Watch {
  newLog(): StreamLog;
  end(log: StreamLog | undefined, error?: unknown): Promise<void>;
}

/** Every reader gets a branch of `baseStream`, from `teeStream()` where there may be several. */
function watchSource(result: unknown, watch: Watch): boolean {
  if (!isPatchable(result) || !(result["baseStream"] instanceof ReadableStream)) return false;
  const split = result["teeStream"];
  if (typeof split !== "function") {
    result["baseStream"] = watchedBranch(result["baseStream"], watch, () => true);
    return true;
  }
  let readers = 0;
  const teeStream: AnyFunction = (...args) => {
    const branch: unknown = (split as AnyFunction).apply(result, args);
    if (!(branch instanceof ReadableStream)) return branch;
    readers++;
    return watchedBranch(branch, watch, () => --readers === 0);
  };
  Object.defineProperty(result, "teeStream", { value: teeStream, writable: true, configurable: true });
  return true;
}

const NEXT_READER_MILLIS = 50;

/** Every branch brings all parts. `isLastReader` is asked once, when the branch is given up. */
function watchedBranch(
  source: ReadableStream<unknown>,
  { newLog, end }: Watch,
  isLastReader: () => boolean,
): ReadableStream<unknown> {
  const log = newLog();
  const reader = source.getReader();
  let isLeft = false;
  return new ReadableStream<unknown>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          // Leaving ends a read that is under way.
          if (isLeft) return;
          if (!done) {
            failOpen("reading a part of a stream", () => log.saw(value), undefined);
            controller.enqueue(value);
            return;
          }
          await end(log, log.problem());
          controller.close();
        } catch (error) {
          await end(log, thrown(error));
          controller.error(error);
        }
      },
      async cancel(reason) {
        isLeft = true;
        // In a moment somebody may read on: `await result.text` after a loop that was left.
        setTimeout(() => {
          if (isLastReader()) void end(log, log.problem());
        }, NEXT_READER_MILLIS);
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** The abort signal of a call, if it has one. */
export const signalOf = (options: unknown): unknown => memberOf(options, "abortSignal");
