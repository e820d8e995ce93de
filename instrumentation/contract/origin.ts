import { splitAtPseudonyms } from "../capture/redaction-pseudonym.ts";

/**
 * The origin of a URL, or `undefined` for what is no URL. A host of which a part was redacted is compared as it is
 * written: equal parts have equal pseudonyms. What has no origin (`data:`, `file:`) gives its scheme.
 */
export function originOf(url: string): string | undefined {
  const parsed = URL.parse(url);
  if (parsed === null)
    return splitAtPseudonyms(url).length > 1 ? /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(url)?.[0] : undefined;
  return parsed.origin === "null" ? parsed.protocol : parsed.origin;
}
