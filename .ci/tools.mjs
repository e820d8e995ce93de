// Brings the programs that some tests drive and npm does not have: Prometheus, promtool, Alertmanager and amtool, from Debian's
// packages, unpacked beside node_modules and not installed. Where they are on the PATH, nothing is done.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PROGRAMS = ["prometheus", "promtool", "prometheus-alertmanager", "amtool"];
const PACKAGES = ["prometheus", "prometheus-alertmanager"];
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, "node_modules", ".cache", "runproof-tools");

// Debian's Alertmanager reads its templates from here and from nowhere else.
const TEMPLATES = "usr/share/prometheus/alertmanager";

const found = (folder) => PROGRAMS.every((program) => existsSync(join(folder, program)));
const onPath = (process.env.PATH ?? "").split(delimiter).some((folder) => folder !== "" && found(folder));
if (onPath) process.exit(0);
if (found(join(target, "usr", "bin"))) {
  placeTemplates();
  process.exit(0);
}

const run = (command, args, cwd) =>
  spawnSync(command, args, { cwd, stdio: ["ignore", "ignore", "inherit"] }).status === 0;

const making = `${target}.${process.pid}`;
mkdirSync(making, { recursive: true });
const download = () => run("apt-get", ["download", "-qq", ...PACKAGES], making);
const unpacked =
  (download() || (run("apt-get", ["update", "-qq"], making) && download())) &&
  readdirSync(making)
    .filter((name) => name.endsWith(".deb"))
    .every((name) => run("dpkg", ["-x", name, making], making));
if (unpacked && found(join(making, "usr", "bin"))) {
  for (const name of readdirSync(making)) if (name.endsWith(".deb")) rmSync(join(making, name));
  rmSync(target, { recursive: true, force: true });
  renameSync(making, target);
  placeTemplates();
  console.error("unpacked Prometheus and Alertmanager for the tests of deploy/");
} else {
  rmSync(making, { recursive: true, force: true });
  console.error(
    `no ${PROGRAMS.join(", ")} on the PATH, and Debian's packages cannot be had here: their tests are skipped`,
  );
}

/** Two small files, the only thing that leaves the project's folder. */
function placeTemplates() {
  if (existsSync(join("/", TEMPLATES, "default.tmpl"))) return;
  try {
    cpSync(join(target, TEMPLATES), join("/", TEMPLATES), { recursive: true });
  } catch (error) {
    console.error(
      `Alertmanager's templates cannot be placed in /${TEMPLATES} (${error.code}); install prometheus-alertmanager`,
    );
  }
}
