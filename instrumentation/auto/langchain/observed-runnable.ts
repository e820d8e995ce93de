import {
  beginOperation,
  inOperation,
  memberOf,
  textOf,
  thrown,
  type AnyFunction,
  type Operation,
} from "../operation/index.ts";
import { createAnswerLog } from "./answer-log.ts";

/** `invoke()` of a chain. A node of a graph is one too, and makes a step of its name. */
export function observedInvoke(original: AnyFunction): AnyFunction {
  return async function (this: unknown, input, config, ...rest) {
    const operation = begin(this, input, config);
    if (operation === undefined) return await original.call(this, input, config, ...rest);
    const log = createAnswerLog();
    return await inOperation(
      operation,
      () => original.call(this, input, config, ...rest),
      (output) => {
        log.saw(output);
        return log.answer();
      },
    );
  };
}

/**
 * `_streamIterator()` of a graph or a chain: what every kind of stream is read from, and a graph's `invoke()` too. It
 * begins with the first read and ends with the last, or when the reader turns away.
 */
export function observedStream(original: AnyFunction): AnyFunction {
  return function (this: unknown, input, config, ...rest) {
    const source = original.call(this, input, config, ...rest) as AsyncGenerator;
    const reader: Reader = { isGone: false, onGone: () => {} };
    const parts = observedParts(source, reader, () => begin(this, input, config));
    // The library may abort the work of a stream that nobody reads, or let it go on; nobody gets an answer of it.
    const leave = parts.return.bind(parts);
    parts.return = (value) => {
      reader.isGone = true;
      reader.onGone();
      return leave(value);
    };
    return parts;
  };
}

interface Reader {
  isGone: boolean;
  onGone(): void;
}

async function* observedParts(
  source: AsyncGenerator,
  reader: Reader,
  open: () => Operation | undefined,
): AsyncGenerator<unknown, unknown> {
  const operation = open();
  if (operation === undefined) return yield* source;
  const log = createAnswerLog();
  reader.onGone = () => void operation.end({ answer: log.answer() });
  try {
    for (;;) {
      const step = await operation.within(() => source.next());
      if (step.done === true) return step.value;
      log.saw(step.value);
      yield step.value;
    }
  } catch (error) {
    // What fails because nobody listens any more is no failure of the agent.
    if (!reader.isGone) await operation.end({ error: thrown(error) });
    throw error;
  } finally {
    // Nothing, when the source came to its end by itself.
    await operation.within(() => source.return(undefined)).catch(() => {});
    await operation.end({ answer: log.answer() });
  }
}

/** The name the caller gave it, else its own. */
function begin(runnable: unknown, input: unknown, config: unknown): Operation | undefined {
  const own = textOf(memberOf(runnable, "name"));
  const agentName = textOf(memberOf(config, "runName")) ?? (own === DEFAULT_NAME ? undefined : own);
  return beginOperation({ name: agentName ?? own ?? "chain", agentName, input: () => input });
}

/** Of graphs that nobody named. */
const DEFAULT_NAME = "LangGraph";
