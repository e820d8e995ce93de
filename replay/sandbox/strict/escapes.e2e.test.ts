import { delimiter } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { ESCAPES } from "../../testing/agents/escaping-agent.ts";
import { attemptsByName, type EscapeRun, missedNames, runEscapes, strayAttempts } from "../../testing/run-escapes.ts";
import { findBubblewrap } from "./bubblewrap.ts";

const GUARD_MILLIS = 150_000;
const names = Object.keys(ESCAPES);
const path = process.env["PATH"] ?? "";
const bwrap = findBubblewrap(path);
const withoutBubblewrap = path
  .split(delimiter)
  .filter((folder) => findBubblewrap(folder) === undefined)
  .join(delimiter);
const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;

/** Harmless where nothing keeps them in: they only reach the witness. */
const REACHING = [
  "net.connect",
  "dgram.send",
  "unix socket",
  "abstract unix socket",
  "child_process.execFileSync",
  "fs.writeFileSync",
  "fs.readFileSync",
  "worker thread without flags that writes",
  "process.kill of the witness",
  "system call openat to write",
];

/** What only looks whether a file is there, and finds that it is not: there is nothing to refuse behind other mounts. */
const UNSEEN_BEHIND_BUBBLEWRAP = [
  "WASI",
  "fs.openAsBlob",
  "fs.rmSync of the folder",
  "import of a file outside",
  "require of a file outside",
];

const notTold = (run: EscapeRun): string[] => {
  const told = attemptsByName(run, names);
  const missed = new Set(missedNames(run, names));
  return names.filter((name) => told.get(name)?.length === 0 && !missed.has(name));
};

const succeeded = ({ results }: EscapeRun): string[] => names.filter((name) => results[name] === "succeeded");

describe.skipIf(process.platform !== "linux")("an agent that tries to get out", () => {
  test(
    "gets out where there is no wall",
    async () => {
      const run = await runEscapes({ mode: "cassette", native: true, names: REACHING, path });
      expect([...run.hits].sort()).toEqual(
        ["abstract socket", "file outside", "signal", "tcp", "udp", "unix socket"].sort(),
      );
      expect(run.results).toMatchObject({ "fs.readFileSync": "succeeded", "dgram.send": "succeeded" });
    },
    GUARD_MILLIS,
  );

  describe.each([
    { who: "this user", user: undefined, skip: false },
    { who: "an ordinary user", user: NOBODY, skip: !isRoot },
  ])("behind the launcher's wall as $who", ({ user, skip }) => {
    let run: EscapeRun;
    beforeAll(async () => {
      if (skip) return;
      const who = user === undefined ? {} : { user };
      run = await runEscapes({ mode: "strict", native: true, names, path: withoutBubblewrap, ...who });
    }, GUARD_MILLIS);

    test.skipIf(skip)("reaches nothing, by more than a hundred ways", () => {
      expect(names.length).toBeGreaterThan(100);
      expect(run.outcome).toEqual({ type: "returned" });
      expect(run.strict?.wall).toBe("launcher");
      expect(run.hits).toEqual([]);
      expect(succeeded(run)).toEqual([]);
    });

    test.skipIf(skip)("has every single attempt in the ledger, and nothing else", () => {
      expect(notTold(run)).toEqual([]);
      expect(strayAttempts(run, names)).toEqual([]);
      expect(run.strict).toMatchObject({ faults: [], isFull: false });
    });
  });

  describe.skipIf(bwrap === undefined).each([
    { who: "this user", user: undefined, skip: false },
    { who: "an ordinary user", user: NOBODY, skip: !isRoot },
  ])("behind bubblewrap as $who", ({ user, skip }) => {
    test.skipIf(skip)(
      "reaches nothing, and the ledger has all but what only asks whether a file is there",
      async () => {
        const who = user === undefined ? {} : { user };
        const run = await runEscapes({ mode: "strict", native: true, names, path, ...who });
        expect(run).toMatchObject({ outcome: { type: "returned" }, strict: { wall: "bubblewrap+launcher" }, hits: [] });
        expect(succeeded(run)).toEqual([]);
        expect(notTold(run)).toEqual(UNSEEN_BEHIND_BUBBLEWRAP);
      },
      GUARD_MILLIS,
    );

    test.skipIf(skip)(
      "reaches nothing where the runtime cannot make system calls",
      async () => {
        const who = user === undefined ? {} : { user };
        const run = await runEscapes({ mode: "strict", native: true, names, path, foreignFunctions: false, ...who });
        expect(run).toMatchObject({ outcome: { type: "returned" }, strict: { wall: "bubblewrap" }, hits: [] });
      },
      GUARD_MILLIS,
    );
  });

  test(
    "is told by name what it was refused",
    async () => {
      const asked = ["net.connect", "dns.lookup", "child_process.exec", "process.kill to ask", "system call fork"];
      const run = await runEscapes({ mode: "strict", native: false, names: asked, path });
      for (const name of asked) expect(run.results[name], name).toContain("STRICT_BLOCKED");
      // Without native libraries there is no way to make a system call at all.
      expect(attemptsByName(run, asked).get("system call fork")).toEqual([
        { layer: "code", kind: "native", operation: "ffi.dlopen", target: "null", counts: false },
      ]);
    },
    GUARD_MILLIS,
  );

  test(
    "is not started where no wall stands",
    async () => {
      const nothing = { path: withoutBubblewrap, foreignFunctions: false };
      const run = await runEscapes({ mode: "strict", native: true, names: REACHING, ...nothing });
      expect(run).toMatchObject({ outcome: { type: "refused" }, hits: [], results: {} });
      expect(JSON.stringify(run.outcome)).toMatch(/bwrap.* is not installed; this Node has no node:ffi/);
      expect(run.strict).toBeUndefined();
    },
    GUARD_MILLIS,
  );
});
