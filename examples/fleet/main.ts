/**
 * `node examples/fleet/main.ts [seed ...]`: runs each seed's agent once, or only those named. The runs go to the service
 * of RUNPROOF_ENDPOINT, by default the one on this machine, without any OpenTelemetry SDK. Nothing here looks at what
 * becomes of them. Exit code 2: there is no such seed.
 */
import { instrumentHttp } from "../../instrumentation/index.ts";
import { startLocalModel } from "../local-model/local-model.ts";
import { billingScript } from "../revenue-agent/script.ts";
import { playSeed } from "./play-seed.ts";
import { SEEDS } from "./seeds.ts";

const named = process.argv.slice(2);
const unknown = named.filter((name) => !SEEDS.some((seed) => seed.name === name));
if (unknown.length > 0) {
  console.error(`no such seed: ${unknown.join(", ")}; there are ${SEEDS.map(({ name }) => name).join(", ")}`);
  process.exitCode = 2;
} else {
  instrumentHttp();
  const model = await startLocalModel({ "revenue-agent": billingScript });
  for (const seed of SEEDS.filter(({ name }) => named.length === 0 || named.includes(name))) {
    console.log(`${seed.agent} (${seed.name}): ${await playSeed(seed, { url: model.url, name: "revenue-agent" })}`);
  }
  await model.close();
}
