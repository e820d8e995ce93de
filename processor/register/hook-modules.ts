import { register as registerLoader } from "node:module";
import { sep } from "node:path";
import { Hook as ImportHook } from "import-in-the-middle";
import { register as registerHooks, supportsSyncHooks } from "import-in-the-middle/register-hooks.mjs";
import { Hook as RequireHook } from "require-in-the-middle";
import { writableExports } from "../../instrumentation/auto/operation/index.ts";
import { failOpen } from "../../instrumentation/fail-open.ts";
import type { StackModule } from "./stacks.ts";

/**
 * Patches modules as the agent loads them, ESM and CommonJS. Only the listed ones are looked into. To be called before
 * the agent's own code is loaded. `inThread`: whether this Node runs loader hooks in the agent's own thread.
 */
export function hookModules(stacks: readonly StackModule[], inThread = supportsSyncHooks()): void {
  if (stacks.length === 0) return;
  const names = [...new Set(stacks.map(({ module }) => module))];
  const patches = stacks.map((stack) => ({ stack, before: new WeakSet<object>() }));
  const onLoaded = (exports: unknown, name: string): void => {
    for (const { stack, before } of patches) {
      if (matches(stack, name)) failOpen(`patching ${name}`, () => patchOnce(stack, exports, before), undefined);
    }
  };
  const isListed = (name: string): boolean => stacks.some((stack) => matches(stack, name));
  failOpen("hooking require()", () => hookRequire(names, { onLoaded, isListed }), undefined);
  failOpen("hooking import", () => hookImport(stacks, names, { onLoaded, inThread }), undefined);
}

type OnLoaded = (exports: unknown, name: string) => void;

interface RequireHooks {
  readonly onLoaded: OnLoaded;
  /** Every other file of a package stays the very object it is: its own files write to each other's exports. */
  readonly isListed: (name: string) => boolean;
}

function hookRequire(names: string[], { onLoaded, isListed }: RequireHooks): void {
  void new RequireHook(names, { internals: true }, (exports, name) =>
    isListed(name) ? opened(exports, name, onLoaded) : exports,
  );
}

/** Exports that can be changed, changed. */
function opened<Exports>(exports: Exports, name: string, onLoaded: OnLoaded): Exports {
  const open = failOpen(`opening the exports of ${name}`, () => writableExports(exports), exports);
  onLoaded(open, name);
  return open;
}

interface ImportHooks {
  readonly onLoaded: OnLoaded;
  readonly inThread: boolean;
}

function hookImport(stacks: readonly StackModule[], names: string[], { onLoaded, inThread }: ImportHooks): void {
  const include = stacks.flatMap(includeOf);
  if (inThread) registerHooks({ include });
  else registerLoader("import-in-the-middle/hook.mjs", import.meta.url, { data: { include } });
  void new ImportHook(names, { internals: true }, (exports, name, _directory, format) => {
    onLoaded(exports, name);
    // Of a CommonJS module the default is `module.exports` itself, which others may have.
    return format === "commonjs" ? opened<unknown>(exports["default"], name, onLoaded) : undefined;
  });
}

/** An entry by its name, a file by its URL: everything else of the package stays as it is. */
function includeOf({ module, file }: StackModule): (string | RegExp)[] {
  if (file === undefined) return [module];
  return [
    new RegExp(
      `/node_modules/${module.replaceAll(/[.+*?^$()[\]{}|\\]/g, "\\$&")}/(?:.*/)?${file.source.replace(/^\^/, "")}`,
    ),
  ];
}

function matches({ module, file }: StackModule, name: string): boolean {
  if (file === undefined) return name === module;
  const path = name.split(sep).join("/");
  return path.startsWith(`${module}/`) && file.test(path.slice(module.length + 1));
}

/** One module may be met through both doors. */
function patchOnce(stack: StackModule, exports: unknown, before: WeakSet<object>): void {
  if ((typeof exports !== "object" && typeof exports !== "function") || exports === null || before.has(exports)) return;
  before.add(exports);
  stack.patch(exports as Record<string, unknown>);
}
