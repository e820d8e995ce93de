// Makes a fresh clone ready: installs when the lockfile changed, then builds what changed. Runs on any Node that comes
// with npm (the pinned runtime arrives with the install), and takes a second when there is nothing to do.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const windows = process.platform === "win32";

function run(command, args, cwd) {
  const result = spawnSync(command, args, {
    cwd,
    stdio: ["ignore", process.stderr.fd, process.stderr.fd],
    shell: windows,
  });
  if (result.status !== 0) {
    console.error(`set-up failed: ${command} ${args.join(" ")} ended with ${result.status ?? result.signal}`);
    process.exit(1);
  }
}

/** Installs a folder's locked packages, unless that very lockfile was installed before. */
function install(folder) {
  const wanted = createHash("sha256")
    .update(readFileSync(join(folder, "package-lock.json")))
    .digest("hex");
  const marker = join(folder, "node_modules", ".installed-lockfile");
  if (existsSync(marker) && readFileSync(marker, "utf8") === wanted) return;
  console.error(`installing packages${folder === root ? "" : ` of ${folder.slice(root.length + 1)}`} …`);
  // Not `npm ci`: it refuses a lockfile that lacks the optional binaries of platforms a registry does not carry. The
  // versions are those of the lockfile all the same, and `--no-save` leaves it as it is.
  run("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"], folder);
  writeFileSync(marker, wanted);
}

install(root);
// Only the tests need the other line of the OpenTelemetry SDK, which cannot share a node_modules with the root's.
if (process.env.npm_lifecycle_event === "pretest") install(join(root, "examples", "otel-sdk-2x"));
const runtime = join(root, "node_modules", ".bin", windows ? "node.cmd" : "node");
if (!existsSync(runtime)) {
  console.error(
    "set-up failed: the pinned Node runtime was not installed; allow the install script of the package `node`",
  );
  process.exit(1);
}
run(runtime, [join(root, "node_modules", "typescript", "bin", "tsc"), "-b"], root);
