// C0 but the line end, DEL, C1, the bidirectional controls, line and paragraph separators, byte order mark.
// oxlint-disable-next-line no-control-regex -- control characters are what this removes
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
// Whole sequences first, so that their visible rest (`[31m`) goes too: CSI, OSC up to its end, and other escapes.
// oxlint-disable-next-line no-control-regex -- control characters are what this removes
const ANSI = /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]/g;

/** Text that came from spans, made safe for a terminal: no escape sequences, no control or direction characters. */
export const safeText = (text: string): string => text.replace(ANSI, "").replace(UNSAFE, " ");

/** The same on one line, cut to `maxLength` characters. */
export function safeLine(text: string, maxLength = 500): string {
  const line = safeText(text).replaceAll("\n", " ");
  return line.length > maxLength ? `${line.slice(0, maxLength - 1)}…` : line;
}

/** One JSON document, with the characters that act on a terminal written as escapes. Parses to the same value. */
export const safeJson = (value: unknown): string =>
  `${JSON.stringify(value, null, 2).replace(UNSAFE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)}\n`;
