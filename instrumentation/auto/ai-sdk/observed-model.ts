import { isPatchable, memberOf, overriding, type AnyFunction } from "../operation/index.ts";
import type { Steps } from "./steps.ts";

/** Finds the model of a name the way the SDK does. */
export type ModelLookup = (id: string) => unknown;

/** The model, whose calls find their step wherever a stream makes them. What is no model comes back as it is. */
export function observedModel(model: unknown, steps: Steps, lookup: ModelLookup): unknown {
  const found = typeof model === "string" ? lookup(model) : model;
  if (!isPatchable(found) || typeof found["doGenerate"] !== "function") return model;
  const inStep =
    (name: string): AnyFunction =>
    (...args) =>
      steps.modelCall(async () => await (found[name] as AnyFunction).apply(found, args));
  return overriding(found, { doGenerate: inStep("doGenerate"), doStream: inStep("doStream") });
}

/** As `resolveLanguageModel()` of the SDK: the default provider of the process, else the gateway. */
export function modelLookupOf(exports: unknown): ModelLookup {
  return (id) => {
    const provider = memberOf(globalThis, "AI_SDK_DEFAULT_PROVIDER") ?? memberOf(exports, "gateway");
    const languageModel = memberOf(provider, "languageModel");
    return typeof languageModel === "function" ? languageModel.call(provider, id) : undefined;
  };
}
