import { createPricer } from "../../pricing-agent/pricer.ts";
import { takesLastRate } from "../../pricing-agent/ways.ts";
import { seeded } from "./seeded.ts";

export default seeded(
  {
    stale_rates: takesLastRate,
    // "Not available", as a number.
    price_missing: { rateInstead: () => NaN },
  },
  createPricer,
);
