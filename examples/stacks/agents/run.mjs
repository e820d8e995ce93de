// The agent of a stack as an ES module: `node --import runproof/register run.mjs <stack>`. A replay calls the function.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

export default async function run({ arguments: [stack] }) {
  const agent = require(`./${stack}.cjs`);
  const modules = {};
  for (const name of agent.packages) modules[name] = await import(name);
  await agent.run(modules);
}

if (import.meta.filename === process.argv[1]) await run({ arguments: process.argv.slice(2) });
