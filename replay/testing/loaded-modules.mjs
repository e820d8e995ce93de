// Imports its first argument and prints every module that this loads: built-ins by name, others by their file.
import { registerHooks } from "node:module";

const loaded = new Set();
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    loaded.add(resolved.url);
    return resolved;
  },
});
await import(process.argv[2]);
process.stdout.write(JSON.stringify([...loaded]));
