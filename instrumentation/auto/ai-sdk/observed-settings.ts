import { failOpen } from "../../fail-open.ts";
import { isPatchable, type AnyFunction, type Operation, type Patchable } from "../operation/index.ts";
import { observedModel, type ModelLookup } from "./observed-model.ts";
import { observedTools } from "./observed-tools.ts";
import { createSteps, type Steps } from "./steps.ts";

/** Settings of an operation, or of an agent, with a model and tools that are watched. Others come back as they are. */
export function observedSettings(settings: unknown, operation: Operation, lookup: ModelLookup): unknown {
  if (!isPatchable(settings)) return settings;
  const steps = createSteps(operation);
  return failOpen("instrumenting a call of the AI SDK", () => observed(settings, steps, lookup), settings);
}

function observed(settings: Patchable, steps: Steps, lookup: ModelLookup): Patchable {
  const { model, tools, prepareStep, prepareCall } = settings;
  // Only what is there: a setting that is `undefined` is not the same as none.
  return {
    ...settings,
    ...(model === undefined ? {} : { model: watched(model, steps, lookup) }),
    ...(tools === undefined ? {} : { tools: observedTools(tools, steps) }),
    ...(typeof prepareStep === "function" ? { prepareStep: afterwards(prepareStep, onlyModel(steps, lookup)) } : {}),
    ...(typeof prepareCall === "function"
      ? { prepareCall: afterwards(prepareCall, (given) => observed(given, steps, lookup)) }
      : {}),
  };
}

/** Models that are proxies of ours: a setting may pass through here twice. */
const WATCHED = new WeakSet<object>();

function watched(model: unknown, steps: Steps, lookup: ModelLookup): unknown {
  if (isPatchable(model) && WATCHED.has(model)) return model;
  const own = observedModel(model, steps, lookup);
  if (own !== model && isPatchable(own)) WATCHED.add(own);
  return own;
}

const onlyModel =
  (steps: Steps, lookup: ModelLookup) =>
  (given: Patchable): Patchable =>
    given["model"] === undefined ? given : { ...given, model: watched(given["model"], steps, lookup) };

/** A callback of the user's, whose result goes through `change`. */
function afterwards(callback: unknown, change: (given: Patchable) => Patchable): AnyFunction {
  const original = callback as AnyFunction;
  return async function (this: unknown, ...args) {
    const given = await original.apply(this, args);
    return isPatchable(given) ? failOpen("instrumenting a call of the AI SDK", () => change(given), given) : given;
  };
}
