import { type BillingWays, GOOD_WAYS } from "./billing-agent.ts";

/** Both agents ask with a key for each delivery of an event. */
const keyOf: BillingWays["keyOf"] = ({ id, delivery }) => `${id}/${delivery}`;

/**
 * The planted silent failure: an event that is delivered again is handled again, under a key of its own, so that the
 * endpoint cannot know it either. The customer pays twice.
 */
export const handlesAllDeliveries: BillingWays = { ...GOOD_WAYS, keyOf, eventsOf: (delivered) => delivered };

/** The same with the bug mended: the first delivery of an event counts. */
export const handlesFirstDeliveries: BillingWays = { ...GOOD_WAYS, keyOf };
