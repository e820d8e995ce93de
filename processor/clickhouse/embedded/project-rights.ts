import type { EngineSessions } from "./engine-sessions.ts";
import { PROJECT_DATABASE, PROJECT_ROLE } from "./project-tables.ts";

/**
 * The engine must have taken our users and roles: one that ignores the file would let every project reader read everything.
 *
 * @throws Error when a project's session has other rights than it should
 */
export async function assertProjectRights(sessions: Pick<EngineSessions, "run">): Promise<void> {
  const sql = "SELECT currentRoles(), (SELECT count() FROM system.processes)";
  const project = "rights-check";
  const options = {
    role: "reader",
    settings: new Map<string, string>(),
    format: "JSONCompactEachRow",
    project,
  } as const;
  await sessions.run({
    sql: `CREATE DATABASE IF NOT EXISTS ${PROJECT_DATABASE} ENGINE = Memory`,
    role: "service",
    settings: new Map(),
  });
  const result = await sessions.run({ sql, ...options });
  const found = Buffer.from(result.bytes).toString().trim();
  const expected = JSON.stringify([[PROJECT_ROLE], 0]);
  const refusal = await sessions.run({ sql: "CHECK GRANT SELECT ON default.*", ...options });
  const granted = Buffer.from(refusal.bytes).toString().trim();
  if (found.replaceAll(/[ "]/g, "") !== expected.replaceAll('"', "") || granted !== "[0]") {
    throw new Error(`The engine does not keep projects apart: ${found} ${granted}`);
  }
}
