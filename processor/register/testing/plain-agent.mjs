// An agent with nothing at all: one question to a model, and the answer.
const answer = await fetch(process.env.MODEL_URL, { method: "POST", body: "{}" });
process.stdout.write(`${answer.status} ${await answer.text()}`);
