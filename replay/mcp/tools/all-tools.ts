import type { McpTool } from "../tool.ts";
import { alertsTool } from "./alerts.ts";
import { canaryStatusTool } from "./canary-status.ts";
import { certifyFixtureTool } from "./certify-fixture.ts";
import { createFixtureTool } from "./create-fixture.ts";
import { explainRun } from "./explain-run.ts";
import { fixtureStatusTool } from "./fixture-status.ts";
import { gateTool } from "./gate.ts";
import { listFailedRuns } from "./list-failed-runs.ts";
import { listFixtures } from "./list-fixtures.ts";
import { minimiseFixtureTool } from "./minimise-fixture.ts";
import { replayFixtureTool } from "./replay-fixture.ts";
import { retireFixtureTool } from "./retire-fixture.ts";
import { scopeStatusTool } from "./scope-status.ts";
import { showEvidence } from "./show-evidence.ts";

const ALL: readonly McpTool[] = [
  listFailedRuns,
  explainRun,
  showEvidence,
  listFixtures,
  fixtureStatusTool,
  canaryStatusTool,
  gateTool,
  alertsTool,
  scopeStatusTool,
  createFixtureTool,
  minimiseFixtureTool,
  replayFixtureTool,
  certifyFixtureTool,
  retireFixtureTool,
];

/** In the order of the work: from what failed to a fixture that is proven. */
export const toolsFor = ({ writes }: { readonly writes: boolean }): readonly McpTool[] =>
  ALL.filter(({ access }) => writes || access === "read");
