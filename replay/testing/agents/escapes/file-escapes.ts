import fs from "node:fs";
import { createRequire, enableCompileCache } from "node:module";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { finished } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import v8 from "node:v8";
import type { Escape } from "./escape.ts";

const own = (name: string): string => {
  fs.writeFileSync(name, "mine");
  return name;
};

const read = (path: string): void => void fs.readFileSync(path);

export const FILE_ESCAPES: Readonly<Record<string, Escape>> = {
  "fs.writeFileSync": ({ outside }) => fs.writeFileSync(outside, "x"),
  "fs.promises.writeFile": ({ outside }) => fs.promises.writeFile(outside, "x"),
  "fs.createWriteStream": ({ outside }) => finished(fs.createWriteStream(outside).end("x")),
  "fs.appendFileSync to the secret": ({ secret }) => fs.appendFileSync(secret, "x"),
  "fs.truncateSync of the secret": ({ secret }) => fs.truncateSync(secret),
  "fs.readFileSync": ({ secret }) => read(secret),
  "fs.promises.readFile": ({ secret }) => fs.promises.readFile(secret),
  "fs.openAsBlob": async ({ secret }) => await (await fs.openAsBlob(secret)).text(),
  "fs.readdirSync": ({ witness }) => fs.readdirSync(witness.folder),
  "fs.watch": ({ witness }) => fs.watch(witness.folder).close(),
  "fs.copyFileSync out": ({ outside }) => fs.copyFileSync(own("copy"), outside),
  "fs.copyFileSync in": ({ secret }) => fs.copyFileSync(secret, "copied"),
  "fs.renameSync out": ({ outside }) => fs.renameSync(own("renamed"), outside),
  "fs.renameSync in": ({ secret }) => fs.renameSync(secret, "moved"),
  "fs.linkSync in": ({ secret }) => fs.linkSync(secret, "linked"),
  "fs.linkSync out": ({ outside }) => fs.linkSync(own("link-source"), outside),
  "fs.symlinkSync out": ({ outside }) => fs.symlinkSync("/", outside),
  "fs.mkdirSync": ({ outside }) => fs.mkdirSync(outside),
  "fs.unlinkSync of the secret": ({ secret }) => fs.unlinkSync(secret),
  "fs.rmSync of the folder": ({ witness }) => fs.rmSync(witness.folder, { recursive: true }),
  "fs.chmodSync": ({ secret }) => fs.chmodSync(secret, 0o600),
  "fs.fchmodSync of a file that may only be read": () => {
    const fd = fs.openSync(process.execPath, "r");
    fs.fchmodSync(fd, fs.fstatSync(fd).mode);
  },
  "fs.chownSync": ({ secret }) => fs.chownSync(secret, 1, 1),
  "fs.utimesSync": ({ secret }) => fs.utimesSync(secret, 0, 0),
  "symlink to the folder, written through": ({ witness, outside }) => {
    fs.symlinkSync(witness.folder, "way-out");
    fs.writeFileSync(join("way-out", relative(witness.folder, outside)), "x");
  },
  "symlink to the secret, read through": ({ secret }) => {
    fs.symlinkSync(secret, "secret-link");
    read("secret-link");
  },
  "process.chdir and a relative path": ({ outside, witness }) => {
    process.chdir(dirname(witness.folder));
    try {
      fs.writeFileSync(relative(dirname(witness.folder), outside), "x");
    } finally {
      process.chdir(process.env["HOME"] ?? "/");
    }
  },
  "import of a file outside": ({ secret }) => import(pathToFileURL(secret).href),
  "require of a file outside": ({ secret }) => createRequire("/")(secret) as unknown,
  "parent's environment in /proc": () => read(`/proc/${process.ppid}/environ`),
  "parent's memory in /proc": () => fs.closeSync(fs.openSync(`/proc/${process.ppid}/mem`, "r+")),
  "parent's root in /proc": ({ secret }) => read(`/proc/${process.ppid}/root${secret}`),
  "own root in /proc": ({ secret }) => read(`/proc/self/root${secret}`),
  "own working folder in /proc": ({ secret }) => read(`/proc/self/cwd/../../../../../../..${secret}`),
  "core pattern in /proc": () => fs.closeSync(fs.openSync("/proc/sys/kernel/core_pattern", "r+")),
  "shared memory file": () => fs.writeFileSync("/dev/shm/runproof-escape", "x"),
  "password file": () => read("/etc/shadow"),
  "node:sqlite": ({ outside }) => new DatabaseSync(outside).exec("create table t (a)"),
  "node:sqlite attach": ({ outside }) =>
    new DatabaseSync(":memory:").exec(`attach '${outside}' as o; create table o.t (a)`),
  "process.report": ({ outside }) => {
    process.report.writeReport(outside);
    if (!fs.existsSync(outside)) throw new Error("no report");
  },
  "v8.writeHeapSnapshot": ({ outside }) => v8.writeHeapSnapshot(outside),
  "compile cache": ({ outside }) => {
    const { status, message } = enableCompileCache(outside);
    // 0 is "failed"; it does not throw.
    if (status === 0) throw new Error(message);
  },
};
