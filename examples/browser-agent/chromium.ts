import type { Browser, Page, Response } from "playwright-core";

/** What a page had to say. */
export interface SeenPage {
  readonly title: string;
  readonly text: string;
  readonly links: readonly { readonly href: string; readonly rel: string }[];
  /** Every address on the way, the last one where it ended. */
  readonly visited: readonly string[];
}

let browser: Promise<Browser> | undefined;
const VIEWPORT = { width: 480, height: 320 };
const TIMEOUT_MILLIS = 15_000;

/** One headless Chromium for the process. Loaded when it is first needed: a replay never gets here. */
const chromium = (): Promise<Browser> => (browser ??= launch());

async function launch(): Promise<Browser> {
  const [{ chromium: engine }, { default: binary }] = await Promise.all([
    import("playwright-core"),
    import("@sparticuz/chromium"),
  ]);
  const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
  // Names are not resolved: nothing here is to reach beyond this machine.
  const local = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1";
  // In a single process, closing one window ends them all.
  const args = [...binary.args.filter((arg) => arg !== "--single-process"), ...quiet, local];
  return await engine.launch({ executablePath: await binary.executablePath(), args, headless: true });
}

/** Ends the browser, if one was started. */
export async function closeChromium(): Promise<void> {
  const open = browser;
  browser = undefined;
  await (await open)?.close();
}

/** One window of its own: cookies and history are not shared. */
export interface BrowserWindow {
  open(url: string): Promise<SeenPage>;
  screenshot(): Promise<Buffer>;
  close(): Promise<void>;
}

export function openWindow(): BrowserWindow {
  let page: Promise<Page> | undefined;
  const current = (): Promise<Page> => (page ??= chromium().then((it) => it.newPage({ viewport: VIEWPORT })));
  return {
    open: async (url) => {
      const shown = await current();
      const response = await shown.goto(url, { timeout: TIMEOUT_MILLIS, waitUntil: "load" });
      return { ...(await seenOn(shown)), visited: [...redirectsTo(response), shown.url()] };
    },
    screenshot: async () => await (await current()).screenshot({ timeout: TIMEOUT_MILLIS }),
    close: async () => {
      await (await page)?.context().close();
    },
  };
}

async function seenOn(page: Page): Promise<Omit<SeenPage, "visited">> {
  const links = await page.locator("a[href]").all();
  return {
    title: await page.title(),
    text: (await page.locator("body").innerText()).slice(0, 2_000),
    links: await Promise.all(
      links.slice(0, 50).map(async (link) => ({
        href: new URL((await link.getAttribute("href")) ?? "", page.url()).href,
        rel: (await link.getAttribute("rel")) ?? "",
      })),
    ),
  };
}

function redirectsTo(response: Response | null): string[] {
  const urls: string[] = [];
  for (let request = response?.request().redirectedFrom(); request; request = request.redirectedFrom()) {
    urls.unshift(request.url());
  }
  return urls;
}
