import { wrapTool } from "../../instrumentation/index.ts";
import { type BrowserWindow, openWindow, type SeenPage } from "./chromium.ts";

export interface Lease {
  readonly lease: string;
  readonly origins: readonly string[];
}

/** The tools of one run. What they do to the outside is answered from the recording in a replay, the browser included. */
export function browserTools() {
  const window: BrowserWindow = openWindow();
  return {
    ...leaseDesk(),
    openPage: wrapTool({ name: "open_page", sideEffect: "browser" }, ({ url }: { url: string }): Promise<SeenPage> =>
      window.open(url),
    ),
    takeScreenshot: wrapTool({ name: "take_screenshot", sideEffect: "browser" }, async () => ({
      png: (await window.screenshot()).toString("base64"),
    })),
    close: () => window.close(),
  };
}

/** Who may visit what, and until when. Stands for a desk that all browsing agents of a company share. */
function leaseDesk() {
  const held = new Map<string, readonly string[]>();
  return {
    leaseOrigins: wrapTool({ name: "lease_origins" }, ({ origins }: { origins: readonly string[] }): Lease => {
      const lease = `lease-${held.size + 1}`;
      held.set(lease, origins);
      return { lease, origins };
    }),
    releaseLease: wrapTool({ name: "release_lease" }, ({ lease }: { lease: string }) => ({
      released: held.delete(lease),
    })),
  };
}

export type BrowserTools = ReturnType<typeof browserTools>;
