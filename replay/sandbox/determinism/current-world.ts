import { AsyncLocalStorage } from "node:async_hooks";
import { createHash } from "node:crypto";
import { currentScope, type StepScope } from "../../../instrumentation/run/run-scope.ts";
import type { ReplayWorld } from "./replay-world.ts";
import { createSeededStream, type SeededStream } from "./seeded-stream.ts";

/** Values of one kind come from a stream of their own: a fix that draws one number more keeps its other ids. */
export type RandomKind = "number" | "integer" | "bytes" | "uuid" | "name";

/** One step of the agent, or what runs outside every run. */
interface Place {
  readonly name: string;
  readonly streams: Map<RandomKind, SeededStream>;
  /** Processes and threads started here. */
  children: number;
}

interface CurrentWorld extends ReplayWorld {
  readonly places: Map<string, Place>;
  /** The same places by the scope that leads there: `Math.random()` stands in inner loops. */
  readonly byScope: WeakMap<StepScope, Place>;
}

// A slot of the process, for two copies of the package.
const SLOT = Symbol.for("runproof.replay-world");
const slots = globalThis as unknown as Record<symbol, CurrentWorld | undefined>;

/** From here on clock and randomness are those of this world, as if nothing had been drawn yet. */
export function enterWorld(world: ReplayWorld): void {
  slots[SLOT] = { ...world, places: new Map(), byScope: new WeakMap() };
}

const aside = new AsyncLocalStorage<true>();

/**
 * Does work that is no part of the agent, such as sending its spans. What it draws is taken from nobody: a request that
 * is tried again after a random pause must not move the values of the step that happened to cause it.
 */
export const asideFromAgent = <Result>(work: () => Result): Result => aside.run(true, work);

/** What every clock of this process shows, in milliseconds since the epoch. */
export const frozenMillis = (): number => currentWorld().startUnixMillis;

/**
 * The random values of the step this is called in. They depend on the seed, the process, the call path and what this
 * step drew before, never on another step: parallel steps get the same values in whatever order they run.
 */
export function randomStream(kind: RandomKind): SeededStream {
  const world = currentWorld();
  const { name, streams } = currentPlace(world);
  const known = streams.get(kind);
  if (known !== undefined) return known;
  const stream = createSeededStream(createHash, JSON.stringify([world.seed, world.origin, name, kind]));
  streams.set(kind, stream);
  return stream;
}

/** The world of a process or thread that the current step is about to start. */
export function childWorld(): ReplayWorld {
  const world = currentWorld();
  const place = currentPlace(world);
  const { startUnixMillis, seed } = world;
  return { startUnixMillis, seed, origin: JSON.stringify([world.origin, place.name, place.children++]) };
}

function currentWorld(): CurrentWorld {
  const world = slots[SLOT];
  if (world === undefined) throw new Error("no replay world was entered");
  return world;
}

function currentPlace(world: CurrentWorld): Place {
  if (aside.getStore() === true) return placeOf(world, "aside");
  const scope = currentScope();
  if (scope === undefined) return placeOf(world, "");
  const known = world.byScope.get(scope);
  if (known !== undefined) return known;
  const place = placeOf(world, JSON.stringify([scope.run.contract.agent ?? "", scope.path]));
  world.byScope.set(scope, place);
  return place;
}

function placeOf({ places }: CurrentWorld, name: string): Place {
  const place = places.get(name) ?? { name, streams: new Map(), children: 0 };
  places.set(name, place);
  return place;
}
