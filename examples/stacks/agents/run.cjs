// The same as CommonJS: `node --import runproof/register run.cjs <stack>`.
module.exports = async function run({ arguments: [stack] }) {
  const agent = require(`./${stack}.cjs`);
  const modules = {};
  for (const name of agent.packages) modules[name] = require(name);
  await agent.run(modules);
};

if (require.main === module) void module.exports({ arguments: process.argv.slice(2) });
