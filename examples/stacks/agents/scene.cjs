// What every stack's agent is given, and does besides its task.
exports.url = () => process.env.STACKS_PROVIDER_URL;
exports.question = "How is the weather in Bern and Rome?";
exports.parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
exports.weather = ({ city }) => `sunny in ${city}`;

/** An error that is a part of the scene. */
exports.failing = async (work) => {
  try {
    await work();
  } catch {
    return;
  }
  throw new Error("that should have failed");
};

/** Stops listening after the first part of a stream. */
exports.endEarly = async (stream) => {
  for await (const part of stream) if (part) break;
};

/** Aborts after the first part of a stream, which some libraries tell as an error and some as an end. */
exports.abort = async (open) => {
  const control = new AbortController();
  try {
    for await (const part of await open(control.signal)) if (part) control.abort();
  } catch {
    if (!control.signal.aborted) throw new Error("it failed before it was aborted");
  }
};
