import { isPatchable, memberOf, textOf } from "../operation/index.ts";

/** What the parts of a stream came to. */
export interface StreamLog {
  saw(part: unknown): void;
  /** Text of the last step, as far as it came. */
  answer(): string | undefined;
  /** Why the stream is no whole answer, if it said so. */
  problem(): unknown;
}

export function createStreamLog(): StreamLog {
  let text = "";
  let problem: unknown;
  return {
    saw(chunk) {
      const part = partOf(chunk);
      const type = memberOf(part, "type");
      if (type === "start-step") text = "";
      else if (type === "text-delta" && text.length < MAX_ANSWER) text += deltaOf(part).slice(0, MAX_ANSWER);
      else if (type === "error") problem = memberOf(part, "error") ?? new Error("the stream failed");
      else if (type === "abort") problem = abortError();
    },
    answer: () => textOf(text),
    problem: () => problem,
  };
}

/** More than anybody is told. */
const MAX_ANSWER = 1_000_000;

/** A stream of text carries its parts in an envelope, one of objects does not. */
function partOf(chunk: unknown): unknown {
  const inner = memberOf(chunk, "part");
  return isPatchable(inner) ? inner : chunk;
}

const deltaOf = (part: unknown): string =>
  textOf(memberOf(part, "text")) ?? textOf(memberOf(part, "textDelta")) ?? textOf(memberOf(part, "delta")) ?? "";

const abortError = (): Error => Object.assign(new Error("the stream was aborted"), { name: "AbortError" });
