/** Asks an endpoint for JSON; throws with the `status` that tells runproof what kind of failure it is. */
export async function askEndpoint<Answer>(url: string, body?: object): Promise<Answer> {
  const posting = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(url, body === undefined ? {} : posting);
  if (response.ok) return (await response.json()) as Answer;
  const { host, pathname } = new URL(url);
  throw Object.assign(new Error(`${host}${pathname} answered ${response.status}`), { status: response.status });
}
