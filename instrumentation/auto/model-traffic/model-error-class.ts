const CLASSES: Readonly<Record<string, string | undefined>> = {
  __proto__: null as never,
  rate_limit_error: "rate_limited",
  rate_limit_exceeded: "rate_limited",
  insufficient_quota: "rate_limited",
  overloaded_error: "dependency_unavailable",
  api_error: "dependency_unavailable",
  server_error: "dependency_unavailable",
  timeout_error: "timeout",
  invalid_request_error: "bad_request",
  invalid_prompt: "bad_request",
  authentication_error: "permission_denied",
  permission_error: "permission_denied",
  not_found_error: "not_found",
};

/** The class of a failure that a model's API reported by its own code. */
export const modelErrorClass = (code: string): string => CLASSES[code] ?? "model_error";
