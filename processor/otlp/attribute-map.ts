import { ATTR_TRUNCATED } from "../../instrumentation/semconv.ts";
import type { AttributeMap } from "../clickhouse/rows.ts";
import { textFromAnyValue } from "./any-value-text.ts";
import { cutText, hasLosses, lossesText, type RowLosses } from "./cut-text.ts";
import { MAX_ATTRIBUTE_KEY_LENGTH, MAX_ATTRIBUTES } from "./limits.ts";
import type { KeyValue } from "./model.ts";

/**
 * Attributes as the row's map. It has no prototype, so a key such as `__proto__` is a key like any other and comes out
 * of `JSON.stringify`. Of two equal keys the last wins. What is over a limit goes to `losses`.
 */
export function attributeMapFrom(
  attributes: readonly KeyValue[],
  place: { readonly column: string; readonly index?: number },
  losses: RowLosses,
): AttributeMap {
  const map: AttributeMap = Object.create(null);
  const kept = Math.min(attributes.length, MAX_ATTRIBUTES);
  losses.droppedAttributes += attributes.length - kept;
  for (let at = 0; at < kept; at++) {
    const { key, value } = attributes[at]!;
    if (key.length > MAX_ATTRIBUTE_KEY_LENGTH) losses.droppedAttributes++;
    else map[key] = cutText(textFromAnyValue(value), { ...place, key }, losses);
  }
  return map;
}

/** Names the losses of a row in the map a reader looks at first. */
export function markLosses(map: AttributeMap, losses: RowLosses): void {
  if (hasLosses(losses)) map[ATTR_TRUNCATED] = lossesText(losses);
}
