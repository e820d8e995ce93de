import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../../testing/free-port.ts";

/** A user of a test server besides `default`, who has no password and may do everything. */
export interface ServerUser {
  readonly name: string;
  readonly password: string;
  /** As after `GRANT`: `SELECT ON runproof.*`. */
  readonly grants: readonly string[];
  /** Of the user's profile. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

export interface ServerFixtureOptions {
  readonly users?: readonly ServerUser[];
  /** XML inside `<clickhouse>`: clusters, macros. */
  readonly config?: string;
  /** Default: free ones. */
  readonly ports?: ServerPorts;
}

export interface ServerPorts {
  readonly tcp: number;
  readonly http: number;
}

/** A real ClickHouse server in a process and a directory of its own. */
export interface ServerFixture {
  readonly url: string;
  readonly ports: ServerPorts;
  /** Runs a statement as `default`; the answer as text. */
  run(sql: string): Promise<string>;
  /** SIGKILL. What is stored stays for the next `start()`. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

const ENTRY = fileURLToPath(new URL("server-process.ts", import.meta.url));
const START_GUARD_MILLIS = 60_000;

export async function startServerFixture(options: ServerFixtureOptions = {}): Promise<ServerFixture> {
  const directory = await mkdtemp(join(tmpdir(), "runproof-server-"));
  const ports = options.ports ?? { tcp: await freePort(), http: await freePort() };
  const url = `http://127.0.0.1:${ports.http}`;
  await writeFile(join(directory, "users.xml"), usersXml(options.users ?? []));
  await writeFile(join(directory, "config.xml"), configXml(directory, options.config ?? ""));
  await mkdir(join(directory, "data"));
  let child: ChildProcess | undefined;

  async function run(sql: string): Promise<string> {
    const response = await fetch(url, { method: "POST", body: sql });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return text.trim();
  }

  async function start(): Promise<void> {
    const started = spawn(process.execPath, ["--no-warnings", ENTRY, String(ports.tcp), String(ports.http)], {
      cwd: directory,
      stdio: ["ignore", "ignore", "inherit"],
    });
    child = started;
    const guard = Date.now() + START_GUARD_MILLIS;
    while ((await run("SELECT 1").catch(() => "")) !== "1") {
      if (started.exitCode !== null || Date.now() > guard) throw new Error("the test server does not start");
      await sleep(50);
    }
  }

  async function kill(): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  const fixture: ServerFixture = {
    url,
    ports,
    run,
    kill,
    start,
    async close() {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
  await start().catch(async (error: unknown) => {
    await fixture.close();
    throw error;
  });
  return fixture;
}

const configXml = (directory: string, more: string): string =>
  `<clickhouse><logger><level>none</level></logger><users_config>${directory}/users.xml</users_config>${more}</clickhouse>`;

function usersXml(users: readonly ServerUser[]): string {
  const profiles = users.map(({ name, settings = {} }) => {
    const entries = Object.entries(settings).map(([setting, value]) => `<${setting}>${value}</${setting}>`);
    return `<${name}>${entries.join("")}</${name}>`;
  });
  const entries = users.map(({ name, password, grants }) => {
    const queries = grants.map((grant) => `<query>GRANT ${grant}</query>`).join("");
    return `<${name}><password>${password}</password><profile>${name}</profile><grants>${queries}</grants></${name}>`;
  });
  const administrator =
    "<default><password/><profile>default</profile><access_management>1</access_management></default>";
  return (
    `<clickhouse><profiles><default/>${profiles.join("")}</profiles>` +
    `<users>${administrator}${entries.join("")}</users></clickhouse>`
  );
}
