import { createReceiptWriter, GOOD_WAYS, type ReceiptWays } from "./receipt-writer.ts";
import { seeded } from "./seeded.ts";

export default seeded<ReceiptWays, { readonly worker: string }>(
  {
    item_dropped: { ...GOOD_WAYS, giveUp: async () => {} },
    // Named by the order's number, while everybody looks for the item.
    wrong_item: { ...GOOD_WAYS, receiptOf: ({ number }) => number },
    released_without_reason: { ...GOOD_WAYS, giveUp: (item, _error, tools) => tools.release({ item }) },
  },
  createReceiptWriter,
);
