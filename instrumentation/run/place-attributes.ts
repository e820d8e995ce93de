import { failOpen } from "../fail-open.ts";
import * as semconv from "../semconv.ts";

/** Time zone and locale of this process: they decide what its dates and numbers look like. */
export function placeAttributes(): Readonly<Record<string, string>> {
  const place = failOpen("reading the time zone", () => new Intl.DateTimeFormat().resolvedOptions(), undefined);
  return place === undefined ? {} : { [semconv.ATTR_TIME_ZONE]: place.timeZone, [semconv.ATTR_LOCALE]: place.locale };
}
