import {
  beginOperation,
  inOperation,
  memberOf,
  patch,
  prototypeOf,
  textOf,
  thrown,
  undoAll,
  type AnyFunction,
  type Operation,
} from "../operation/index.ts";
import { answerOf } from "./answer-of.ts";
import { modelLookupOf, type ModelLookup } from "./observed-model.ts";
import { observedSettings } from "./observed-settings.ts";
import { signalOf, watchStream } from "./watch-stream.ts";

/**
 * Records what the Vercel AI SDK does (`ai`, 5 to 7): `generateText`, `streamText`, `generateObject`, `streamObject` and
 * the agent classes open a run where none is open, and their tools are recorded calls below the step that asked for
 * them, answered in a replay. Model traffic is recorded by `instrumentHttp()`.
 *
 * `exports` are the module's own, in a form that can be written. Returns what undoes it; calls under way go on.
 */
export function instrumentAiSdk(exports: unknown): () => void {
  const lookup = modelLookupOf(exports);
  const undo = Object.entries(FUNCTIONS).map(([name, isStream]) =>
    patch(exports, name, (original) => observedFunction(original, { name, isStream, lookup })),
  );
  for (const name of ["ToolLoopAgent", "Experimental_Agent"]) {
    const prototype = prototypeOf(exports, name);
    for (const [method, isStream] of Object.entries(AGENT_METHODS)) {
      undo.push(patch(prototype, method, (original) => observedMethod(original, { name, isStream, lookup })));
    }
  }
  return undoAll(undo);
}

/** Whether what they give back is a stream. */
const FUNCTIONS = {
  generateText: false,
  streamText: true,
  generateObject: false,
  streamObject: true,
} as const;
const AGENT_METHODS = { generate: false, stream: true } as const;

interface Observed {
  readonly name: string;
  readonly isStream: boolean;
  readonly lookup: ModelLookup;
}

function observedFunction(original: AnyFunction, { name, isStream, lookup }: Observed): AnyFunction {
  return function (this: unknown, options, ...rest) {
    const telemetry = memberOf(options, "telemetry") ?? memberOf(options, "experimental_telemetry");
    const operation = beginOperation({
      name,
      agentName: textOf(memberOf(telemetry, "functionId")),
      input: () => inputOf(options),
      model: modelIdOf(memberOf(options, "model")),
    });
    if (operation === undefined) return original.call(this, options, ...rest);
    const call = (): unknown => original.call(this, observedSettings(options, operation, lookup), ...rest);
    return isStream ? streamed(operation, call, options) : inOperation(operation, call, answerOf);
  };
}

/** An agent calls functions of its own module, which no patch reaches: it gets settings that are watched instead. */
function observedMethod(original: AnyFunction, { name, isStream, lookup }: Observed): AnyFunction {
  return function (this: unknown, options, ...rest) {
    const settings = memberOf(this, "settings");
    const id = textOf(memberOf(settings, "id"));
    const operation = beginOperation({
      name: id ?? name,
      agentName: id,
      input: () => inputOf(options),
      model: modelIdOf(memberOf(settings, "model")),
    });
    if (operation === undefined || settings === undefined) return original.call(this, options, ...rest);
    const value = observedSettings(settings, operation, lookup);
    const self: unknown = Object.create(this as object, { settings: { value, writable: true, configurable: true } });
    const call = (): unknown => original.call(self, options, ...rest);
    return isStream ? streamedLater(operation, call, options) : inOperation(operation, call, answerOf);
  };
}

function streamed(operation: Operation, call: () => unknown, options: unknown): unknown {
  try {
    const result = operation.within(call);
    watchStream(result, operation, signalOf(options));
    return result;
  } catch (error) {
    void operation.end({ error: thrown(error) });
    throw error;
  }
}

async function streamedLater(operation: Operation, call: () => unknown, options: unknown): Promise<unknown> {
  try {
    const result = await operation.within(call);
    watchStream(result, operation, signalOf(options));
    return result;
  } catch (error) {
    await operation.end({ error: thrown(error) });
    throw error;
  }
}

/** What the operation works on. Not its settings: those are the agent's code. */
function inputOf(options: unknown): unknown {
  const given = ["prompt", "messages", "options"].map((name) => [name, memberOf(options, name)] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

const modelIdOf = (model: unknown): string | undefined => textOf(model) ?? textOf(memberOf(model, "modelId"));
