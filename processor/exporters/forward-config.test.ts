import { describe, expect, it } from "vitest";
import { z } from "zod";
import { FORWARD_VARIABLES, forwardConfigShape } from "./forward-config.ts";
import { leadsToOneself } from "./own-address.ts";

const schema = z.strictObject(forwardConfigShape);

describe("the configuration of forwarding", () => {
  it("is off by default", () => {
    expect(schema.parse({})).toEqual({
      forwardProtocol: "http/protobuf",
      forwardHeaders: {},
      forwardMaxBytes: 536_870_912,
      forwardTimeoutSeconds: 10,
    });
    expect(Object.values(FORWARD_VARIABLES).toSorted()).toEqual(Object.keys(forwardConfigShape).toSorted());
  });

  it("takes headers as OpenTelemetry's variables have them", () => {
    const forwardHeaders = "Authorization=Bearer%20a%2Cb%3D, x-scope = 1 ,";
    expect(schema.parse({ forwardHeaders }).forwardHeaders).toEqual({ authorization: "Bearer a,b=", "x-scope": "1" });
  });

  it("names the key, and never a secret, of what does not hold", () => {
    const wrong = {
      forwardEndpoint: "ftp://host",
      forwardProtocol: "http/json",
      forwardHeaders: "a b=s3cret,x=s3cret%0d%0a,content-length=s3cret,s3cret,y=%zzs3cret",
      forwardMaxBytes: "10",
      forwardTimeoutSeconds: "-1",
      forwardTypo: "1",
    };
    const { error } = schema.safeParse(wrong);
    expect(new Set(error?.issues.map(({ path }) => path.join(".")))).toEqual(
      new Set([...Object.keys(forwardConfigShape), ""]),
    );
    expect(error?.issues.filter(({ path }) => path[0] === "forwardHeaders")).toHaveLength(5);
    expect(JSON.stringify(error?.issues)).not.toContain("s3cret");
  });

  it("wants secrets in headers, not in the address", () => {
    for (const forwardEndpoint of ["http://u:p@host", "http://host/?key=1", "http://host/#x"]) {
      expect(schema.safeParse({ forwardEndpoint }).success).toBe(false);
    }
    expect(schema.safeParse({ forwardEndpoint: "https://host/base" }).success).toBe(true);
  });
});

describe("an endpoint", () => {
  const loopback = [
    { host: "127.0.0.1", port: 4318 },
    { host: "127.0.0.1", port: 4317 },
  ];

  it.each(["http://127.0.0.1:4318", "http://localhost:4317/", "http://[::1]:4318", "http://0.0.0.0:4318"])(
    "that leads to oneself is noticed: %s",
    (endpoint) => expect(leadsToOneself(new URL(endpoint), loopback)).toBe(true),
  );

  it.each(["http://127.0.0.1:4319", "http://collector:4318", "https://127.0.0.1", "http://10.0.0.1:4318"])(
    "that leads elsewhere is taken: %s",
    (endpoint) => expect(leadsToOneself(new URL(endpoint), loopback)).toBe(false),
  );

  it("is compared with every address of this machine when all are listened on", () => {
    const everywhere = [{ host: "0.0.0.0", port: 80 }];
    expect(leadsToOneself(new URL("http://127.0.0.1"), everywhere)).toBe(true);
    expect(leadsToOneself(new URL("http://collector"), everywhere)).toBe(false);
    expect(leadsToOneself(new URL("http://127.0.0.1:0"), [{ host: "127.0.0.1", port: 0 }])).toBe(false);
  });
});
