/** `npm run example -- <agent> [--json] [--scenario <name>]`: the same as `node examples/<agent>/main.ts`. */
const AGENTS: Readonly<Record<string, () => Promise<unknown>>> = {
  "research-agent": () => import("./research-agent/main.ts"),
  "coding-agent": () => import("./coding-agent/main.ts"),
  "browser-agent": () => import("./browser-agent/main.ts"),
  "queue-worker": () => import("./queue-worker/main.ts"),
  "revenue-agent": () => import("./revenue-agent/main.ts"),
  "ledger-agent": () => import("./ledger-agent/main.ts"),
  "pricing-agent": () => import("./pricing-agent/main.ts"),
  "dispatch-agent": () => import("./dispatch-agent/main.ts"),
  "oncall-agent": () => import("./oncall-agent/main.ts"),
};

const [agent = ""] = process.argv.splice(2, 1);
if (Object.hasOwn(AGENTS, agent)) await AGENTS[agent]?.();
else {
  console.error(`usage: npm run example -- <${Object.keys(AGENTS).join("|")}> [--json] [--scenario <name>]`);
  process.exitCode = 2;
}
