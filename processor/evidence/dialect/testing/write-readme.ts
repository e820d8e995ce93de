/** Writes the generated parts of README.md: `node processor/evidence/dialect/testing/write-readme.ts`. */
import { writeFileSync } from "node:fs";
import { generatedReadme, README } from "./readme.ts";

writeFileSync(README, generatedReadme());
