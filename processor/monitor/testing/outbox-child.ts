/**
 * An outbox in a process of its own, to be killed: `node outbox-child.ts <directory> <url> <from> <count>`. Puts items from
 * `from` to count-1 and delivers all it has by POSTs. Prints `put <n>` for what is durable, and `done` at the end.
 */
import { createJournal } from "../journal.ts";
import { createOutbox, type DeliveryTarget } from "../outbox.ts";

const [directory = "", url = "", from = "0", count = "0"] = process.argv.slice(2);
const target: DeliveryTarget = {
  name: "receiver",
  async deliver({ key }) {
    const response = await fetch(url, { method: "POST", body: key }).catch(() => undefined);
    await response?.arrayBuffer();
    return response?.ok === true ? { status: "delivered" } : { status: "failed", message: "refused" };
  },
};
const outbox = createOutbox({
  journal: createJournal({ directory, name: "outbox.journal" }),
  targets: [target],
  backoff: { firstMillis: 5, lastMillis: 20 },
  now: Date.now,
  onError: () => {},
});
await outbox.start();
for (let index = Number(from); index < Number(count); index++) {
  const outcome = await outbox.put({ key: `alert-${index}`, subject: `alert-${index}`, payload: { index } });
  process.stdout.write(`${outcome === "full" ? "full" : "put"} ${index}\n`);
}
while (outbox.stats().pending > 0) await new Promise((resolve) => setTimeout(resolve, 5));
await outbox.shutdown();
process.stdout.write("done\n");
