const SCOPE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/**
 * Whether a value can name a project scope: 1 to 128 letters, digits, dots, dashes or underscores, with a letter or digit
 * first. The same names as projects of credentials have, so that a scope can be a path, a label or a query value anywhere.
 */
export const isScopeName = (value: unknown): value is string => typeof value === "string" && SCOPE_NAME.test(value);

/** For messages. */
export const SCOPE_NAME_RULE =
  "a scope has 1 to 128 letters, digits, dots, dashes or underscores, and starts with a letter or digit";
