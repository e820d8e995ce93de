import { describe, expect, it } from "vitest";
import { defaultStateDirectory, optionsFromEnvironment } from "./environment.ts";
import { resolveOptions } from "./options.ts";

describe("optionsFromEnvironment()", () => {
  it.each([
    [
      "https://own.test",
      { RUNPROOF_ENDPOINT: "https://own.test", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://t.test/x" },
    ],
    ["https://own.test", { RUNPROOF_ENDPOINT: "https://own.test///" }],
    ["https://own.test", { RUNPROOF_ENDPOINT: "https://own.test/v1/traces" }],
    ["https://base.test/otlp", { OTEL_EXPORTER_OTLP_ENDPOINT: "https://base.test/otlp/" }],
  ])("puts the traces path below %s", (base, env) => {
    expect(optionsFromEnvironment(env).endpoint).toBe(`${base}/v1/traces`);
  });

  it("takes the endpoint for traces as it is, before the one for everything", () => {
    const env = {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://t.test/x/",
      OTEL_EXPORTER_OTLP_ENDPOINT: "https://b.test",
    };
    expect(optionsFromEnvironment(env).endpoint).toBe("https://t.test/x/");
  });

  it("says nothing where nothing is set, and takes empty or blank for unset", () => {
    expect(optionsFromEnvironment({})).toEqual({ headers: {} });
    const blank = { RUNPROOF_ENDPOINT: "", OTEL_SERVICE_NAME: "  ", RUNPROOF_STATE_DIR: "", OTEL_SDK_DISABLED: "" };
    expect(optionsFromEnvironment(blank)).toEqual({ headers: {} });
  });

  it("switches the flush-now path off by `off` or by the standard switch, and the spool with it", () => {
    expect(optionsFromEnvironment({ RUNPROOF_ENDPOINT: "off" }).endpoint).toBeNull();
    expect(optionsFromEnvironment({ RUNPROOF_STATE_DIR: "off" }).stateDirectory).toBeNull();
    const disabled = { OTEL_SDK_DISABLED: "TRUE", RUNPROOF_ENDPOINT: "https://own.test" };
    expect(optionsFromEnvironment(disabled)).toEqual({ endpoint: null, stateDirectory: null });
    expect(optionsFromEnvironment({ OTEL_SDK_DISABLED: "1" }).endpoint).toBeUndefined();
  });

  it("decodes headers; those for traces come before those for everything", () => {
    const env = {
      OTEL_EXPORTER_OTLP_HEADERS: "a=1",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-key=a%20b%3D, y = 2,=3,z,bad=%zz",
    };
    expect(optionsFromEnvironment(env).headers).toEqual({ "x-key": "a b=", y: "2", bad: "%zz" });
    expect(optionsFromEnvironment({ OTEL_EXPORTER_OTLP_HEADERS: "a=1" }).headers).toEqual({ a: "1" });
    const polluted = optionsFromEnvironment({ OTEL_EXPORTER_OTLP_HEADERS: "__proto__=1" }).headers;
    expect(Object.keys(polluted ?? {})).toEqual(["__proto__"]);
  });

  it("sends another backend's credentials to no endpoint of its own", () => {
    const env = { OTEL_EXPORTER_OTLP_HEADERS: "api-key=theirs", RUNPROOF_ENDPOINT: "https://own.test" };
    expect(optionsFromEnvironment(env).headers).toEqual({});
    expect(optionsFromEnvironment({ ...env, RUNPROOF_HEADERS: "api-key=ours" }).headers).toEqual({ "api-key": "ours" });
  });

  it("takes names from its own variables, then from the standard ones", () => {
    const env = { OTEL_RESOURCE_ATTRIBUTES: "service.name=s,service.version=v%31,runproof.project=p" };
    expect(optionsFromEnvironment(env)).toMatchObject({ serviceName: "s", codeVersion: "v1", project: "p" });
    const own = { ...env, OTEL_SERVICE_NAME: "s2", RUNPROOF_CODE_VERSION: "c", RUNPROOF_PROJECT: "p2" };
    expect(optionsFromEnvironment(own)).toMatchObject({ serviceName: "s2", codeVersion: "c", project: "p2" });
    const run = { RUNPROOF_RUN_TYPE: "canary", RUNPROOF_FIXTURE_ID: "f", RUNPROOF_REDACTION_KEY: "k" };
    expect(optionsFromEnvironment(run)).toMatchObject({ runType: "canary", fixtureId: "f", redactionKey: "k" });
    expect(optionsFromEnvironment({ RUNPROOF_RUN_TYPE: "party" }).runType).toBeUndefined();
  });
});

describe("the capture policy", () => {
  it.each([
    [{ RUNPROOF_CAPTURE: "none" }, "none"],
    [{ RUNPROOF_CAPTURE: "HASH", OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "true" }, "hash"],
    [{ RUNPROOF_CAPTURE: "everything" }, undefined],
    [{ OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "NO_CONTENT" }, "hash"],
    [{ OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "SPAN_ONLY" }, undefined],
  ])("of %j is %j", (env, policy) => {
    expect(optionsFromEnvironment(env).capture).toBe(policy);
  });
});

describe("defaultStateDirectory()", () => {
  it("is the user's XDG state folder", () => {
    expect(defaultStateDirectory({ XDG_STATE_HOME: "/s" })).toBe("/s/runproof");
    expect(defaultStateDirectory({})).toMatch(/\/\.local\/state\/runproof$/);
  });
});

describe("resolveOptions()", () => {
  it("lets code win over the environment and that over the defaults; undefined says nothing", () => {
    const options = resolveOptions(
      { project: "code", serviceName: undefined } as never,
      { project: "env", serviceName: "env" },
      "/s",
    );
    expect(options).toMatchObject({ project: "code", serviceName: "env", stateDirectory: "/s", deadlineMillis: 1_000 });
    expect(resolveOptions({ endpoint: null, stateDirectory: null }, {}, "/s")).toMatchObject({
      endpoint: null,
      stateDirectory: null,
    });
    expect(Object.isFrozen(options)).toBe(true);
  });
});
