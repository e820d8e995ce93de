import { randomUUID } from "node:crypto";

/**
 * What `log_comment` holds in a session: a name by which its statement can be killed, and behind it the project that the
 * row policies compare with. It is the one free text a session can carry into a policy; statements cannot change it.
 */
export function sessionMark(project: string | undefined): string {
  return project === undefined ? randomUUID() : `${randomUUID()}/${project}`;
}

const UUID_LENGTH = 36;

/** The project of the running session as an SQL expression, `''` for a session without one. */
export const logCommentProject = (): string => `substring(getSetting('log_comment'), ${UUID_LENGTH + 2})`;
