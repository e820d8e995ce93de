import { expect, it } from "vitest";
import { assertExposureAllowed, isLoopback } from "./exposure.ts";

it.each(["127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST"])("%s is loopback", (host) => {
  expect(isLoopback(host)).toBe(true);
});

it.each(["0.0.0.0", "::", "192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "localhost.example", "myhost", "1270.0.1"])(
  "%s is not loopback",
  (host) => {
    expect(isLoopback(host)).toBe(false);
  },
);

it("a listener on the network needs a guard or the operator's word; one on loopback does not", () => {
  const nobody = { guarded: false, allowUnauthenticated: false };
  expect(() => assertExposureAllowed({ ...nobody, host: "0.0.0.0" })).toThrow("refusing to listen on 0.0.0.0");
  assertExposureAllowed({ ...nobody, host: "127.0.0.1" });
  assertExposureAllowed({ ...nobody, host: "0.0.0.0", guarded: true });
  assertExposureAllowed({ ...nobody, host: "0.0.0.0", allowUnauthenticated: true });
});
