import { describe, expect, it } from "vitest";
import { z } from "zod";
import { OPERATIONS_VARIABLES, operationsConfigShape } from "./operations-config.ts";

const schema = z.strictObject(operationsConfigShape);

describe("the operations' part of the configuration", () => {
  it("has defaults for all that needs one", () => {
    expect(schema.parse({})).toEqual({
      adminPort: 9464,
      adminHost: "127.0.0.1",
      telemetryIntervalSeconds: 30,
      drainSeconds: 20,
    });
  });

  it("reads text, as variables come", () => {
    const texts = {
      adminPort: "0",
      telemetryEndpoint: "http://collector:4318",
      telemetryIntervalSeconds: "0.5",
      drainSeconds: "7",
      engineMaxMib: "1024",
    };
    expect(schema.parse(texts)).toMatchObject({ adminPort: 0, drainSeconds: 7, engineMaxMib: 1_024 });
    expect(schema.parse({ adminPort: "off" }).adminPort).toBe("off");
  });

  it.each([
    ["adminPort", "on"],
    ["adminPort", "70000"],
    ["telemetryEndpoint", "collector:4318"],
    ["telemetryEndpoint", "file:///tmp/x"],
    ["drainSeconds", "-1"],
    ["drainSeconds", "4000"],
    ["engineMaxMib", "16"],
  ])("refuses %s = %s, naming the key", (key, value) => {
    expect(schema.safeParse({ [key]: value }).error?.issues[0]?.path).toEqual([key]);
  });

  it("has a variable for every key", () => {
    expect(Object.values(OPERATIONS_VARIABLES).toSorted()).toEqual(Object.keys(operationsConfigShape).toSorted());
  });
});
