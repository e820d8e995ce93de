import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { isBeneath, isOutsideRead, isOutsideWrite } from "./path-rules.ts";

const scratch = mkdtempSync(join(tmpdir(), "runproof-path-rules-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const rules = { read: ["/agent", "/usr/lib"], write: ["/job", "/dev/null"] };
const isOwn = (pid: number): boolean => pid === 77;

test("a folder holds itself and what is in it, not what begins alike", () => {
  expect(isBeneath("/agent", ["/agent"])).toBe(true);
  expect(isBeneath("/agent/a", ["/agent"])).toBe(true);
  expect(isBeneath("/agents", ["/agent"])).toBe(false);
});

test("reading a file of somebody else is an attempt; looking where every program looks is none", () => {
  const secret = join(scratch, "secret");
  writeFileSync(secret, "x");
  expect(isOutsideRead(secret, isOwn, rules)).toBe(true);
  expect(isOutsideRead(join(scratch, "missing"), isOwn, rules)).toBe(false);
  for (const path of ["/agent/x.ts", "/job/y", "/etc/hosts", "/sys/fs/cgroup", join(scratch, "package.json")]) {
    expect(isOutsideRead(path, isOwn, rules), path).toBe(false);
  }
  expect(isOutsideRead("/etc/shadow", isOwn, rules)).toBe(true);
});

test("other processes are outside, the own one is not", () => {
  expect(isOutsideRead("/proc/77/status", isOwn, rules)).toBe(false);
  expect(isOutsideRead("/proc/meminfo", isOwn, rules)).toBe(false);
  expect(isOutsideRead("/proc/1/environ", isOwn, rules)).toBe(true);
});

test("writing is for the work folder", () => {
  expect(isOutsideWrite("/job/report.md", rules)).toBe(false);
  expect(isOutsideWrite("/dev/null", rules)).toBe(false);
  expect(isOutsideWrite("/agent/x.ts", rules)).toBe(true);
  expect(isOutsideWrite("/jober", rules)).toBe(true);
});
