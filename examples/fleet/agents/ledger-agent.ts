import { createBookkeeper } from "../../ledger-agent/bookkeeper.ts";
import { readsNumbersOnly } from "../../ledger-agent/ways.ts";
import { seeded } from "./seeded.ts";

export default seeded({ amount_misread: readsNumbersOnly }, createBookkeeper);
