import type { Reply } from "./provider-server.ts";

type Said = Exclude<Reply, { status: number }>;

let answers = 0;

const base = () => ({
  id: `resp_${++answers}`,
  object: "response",
  created_at: 1_760_000_000,
  model: "m-1",
  error: null,
  incomplete_details: null,
});
const USAGE = {
  input_tokens: 3,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 4,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 7,
};

const itemsOf = (reply: Said) =>
  "calls" in reply
    ? reply.calls.map(({ id, name, args }) => ({
        type: "function_call",
        id: `fc_${id}`,
        call_id: id,
        name,
        arguments: JSON.stringify(args),
        status: "completed",
      }))
    : [
        {
          type: "message",
          id: `msg_${answers}`,
          role: "assistant",
          status: "completed",
          content: [{ type: "output_text", text: reply.text, annotations: [] }],
        },
      ];

export const responsesJson = (reply: Said, common = base()): object => ({
  ...common,
  status: "completed",
  output: itemsOf(reply),
  usage: USAGE,
});

export function responsesEvents(reply: Said): string[] {
  const common = base();
  let sequence = 0;
  const event = (type: string, data: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...data })}\n\n`;
  const created = event("response.created", { response: { ...common, status: "in_progress", output: [] } });
  const items = itemsOf(reply).flatMap((item, index) => itemEvents(event, item, index));
  if ("thenHang" in reply && reply.thenHang === true) return [created, ...items.slice(0, -1), "hang"];
  return [created, ...items, event("response.completed", { response: responsesJson(reply, common) })];
}

type Item = ReturnType<typeof itemsOf>[number];

function itemEvents(event: (type: string, data: object) => string, item: Item, index: number): string[] {
  const place = { output_index: index, item_id: item.id };
  const done = event("response.output_item.done", { output_index: index, item });
  if ("call_id" in item) {
    return [
      event("response.output_item.added", { output_index: index, item: { ...item, arguments: "" } }),
      event("response.function_call_arguments.delta", { ...place, delta: item.arguments }),
      event("response.function_call_arguments.done", { ...place, arguments: item.arguments }),
      done,
    ];
  }
  const words = (item.content[0]?.text ?? "").split(/(?<= )/);
  return [
    event("response.output_item.added", { output_index: index, item: { ...item, content: [] } }),
    ...words.map((delta) => event("response.output_text.delta", { ...place, content_index: 0, delta })),
    done,
  ];
}
