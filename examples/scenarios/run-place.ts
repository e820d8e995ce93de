import type { ClosedRun, StartRunOptions } from "../../instrumentation/index.ts";

/** Where an agent works. In a replay it is the working folder, and nobody waits for the verdict. */
export interface RunPlace {
  /** Default: the working folder. */
  readonly folder?: string;
  readonly onClosed?: (closed: ClosedRun) => void;
}

/** The same as options of a run. */
export const runOptions = ({ folder, onClosed }: RunPlace): StartRunOptions & Pick<RunPlace, "onClosed"> => ({
  ...(folder === undefined ? {} : { cwd: folder }),
  ...(onClosed === undefined ? {} : { onClosed }),
});
