/** The text of an HTTP answer; `undefined` for a body that goes on beyond `maxBytes`, which is then read no further. */
export async function boundedAnswer(answer: Response, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.length;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
