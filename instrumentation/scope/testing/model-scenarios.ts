import type { ModelScenario } from "./model-run.ts";
import type { WorldState } from "./model-world.ts";

const world = (over: Partial<WorldState> = {}): WorldState => ({
  local: null,
  cloud: "production",
  cloudDown: false,
  authorizerDown: false,
  allowed: ["staging", "production", "safe"],
  ...over,
});

const toLocal = { reconcile: "runtime_to_local" } as const;
const resolvedToLocal = { reconcile: "resolved_to_local" } as const;
const toCloud = { reconcile: "resolved_to_cloud" } as const;
const reject = { reconcile: "reject" } as const;

/** Nothing is kept locally: fewer steps, so that all their interleavings can be run. */
const cloudOnly: ModelScenario["options"] = ({ sources: { local: _local, ...sources }, ...options }) => ({
  ...options,
  sources,
});

/** All interleavings of each are run. */
export const SMALL_SCENARIOS: readonly ModelScenario[] = [
  {
    name: "two workers, while the cloud moves and a permission is taken back",
    stage: "observe",
    initial: world(),
    processes: [
      { runtime: null, program: ["work"] },
      { runtime: null, program: ["work"] },
    ],
    changes: [{ cloud: "staging" }, { allowed: ["production"] }],
    options: cloudOnly,
  },
  {
    name: "a worker and a process that makes the cloud agree with its override, under enforcement, while the cloud moves",
    stage: "enforce",
    initial: world(),
    processes: [
      { runtime: null, program: ["work"] },
      { runtime: "staging", program: [toCloud] },
    ],
    changes: [{ cloud: "other" }],
    options: cloudOnly,
  },
  {
    name: "two processes that make the cloud agree with their overrides",
    stage: "cloud",
    initial: world(),
    processes: [
      { runtime: "staging", program: [toCloud] },
      { runtime: "safe", program: [toCloud] },
    ],
    changes: [],
    options: cloudOnly,
  },
];

/** All choices up to a depth, and one way on from there. */
export const DEEP_SCENARIOS: readonly ModelScenario[] = [
  {
    name: "one works twice while the other makes the cloud agree with its override, under enforcement",
    stage: "enforce",
    initial: world(),
    processes: [
      { runtime: null, program: ["work", "work"] },
      { runtime: "staging", program: [toCloud] },
    ],
    changes: [{ cloud: "other" }],
    options: cloudOnly,
  },
  {
    name: "permission is taken back and the cloud moves while two work",
    stage: "observe",
    initial: world({ cloud: "staging" }),
    processes: [
      { runtime: null, program: ["work", "work"] },
      { runtime: "staging", program: ["work"] },
    ],
    changes: [{ allowed: ["production"] }, { cloud: "production" }],
  },
  {
    name: "the cloud goes away and comes back as another project",
    stage: "cloud",
    initial: world(),
    processes: [
      { runtime: null, program: ["work", resolvedToLocal] },
      { runtime: "staging", program: [toCloud] },
    ],
    changes: [{ cloudDown: true }, { cloud: "other", cloudDown: false }],
  },
  {
    name: "both reconcile the same cloud, with different overrides, while somebody else writes it",
    stage: "cloud",
    initial: world(),
    processes: [
      { runtime: "staging", program: [toCloud, "work"] },
      { runtime: "safe", program: [toCloud, "work"] },
    ],
    changes: [{ cloud: "other" }],
  },
  {
    name: "an override is kept locally while another process works without one, under enforcement",
    stage: "enforce",
    initial: world(),
    processes: [
      { runtime: "staging", program: [toLocal, toCloud, "work"] },
      { runtime: null, program: ["work", "work"] },
    ],
    changes: [{ cloud: "other" }],
  },
  {
    name: "one writes and takes back, the other writes, with local stage only",
    stage: "local",
    initial: world({ local: "production", cloud: "staging" }),
    processes: [
      { runtime: "staging", program: [toLocal, "undo"] },
      { runtime: null, program: [resolvedToLocal, toCloud, "work"] },
    ],
    changes: [{ local: "safe" }],
  },
  {
    name: "the authoriser goes away during writes and work",
    stage: "cloud",
    initial: world(),
    processes: [
      { runtime: "staging", program: [toCloud, "work"] },
      { runtime: null, program: ["work", reject] },
    ],
    changes: [{ authorizerDown: true }, { authorizerDown: false, allowed: ["staging"] }],
  },
  {
    name: "only observed: everybody wants to write and nobody may",
    stage: "observe",
    initial: world(),
    processes: [
      { runtime: "staging", program: [toLocal, toCloud, "undo"] },
      { runtime: null, program: [toCloud, "work"] },
    ],
    changes: [{ local: "other" }, { local: null }],
  },
  {
    name: "nobody but the fallback says anything, and the override is not allowed",
    stage: "enforce",
    initial: world({ cloud: null, allowed: ["safe"] }),
    processes: [
      { runtime: "staging", program: ["work", toLocal, toCloud] },
      { runtime: null, program: ["work", resolvedToLocal] },
    ],
    changes: [{ cloud: "safe" }, { allowed: ["safe", "staging"] }],
  },
  {
    name: "a permission is used again while the cloud moves",
    stage: "cloud",
    initial: world(),
    processes: [
      { runtime: null, program: ["work", "work"] },
      { runtime: "staging", program: [toCloud, "work"] },
    ],
    changes: [{ cloud: "safe" }],
    options: (options) => ({ ...options, permissionMillis: 1_000 }),
  },
];
