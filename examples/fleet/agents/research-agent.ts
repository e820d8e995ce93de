import { writeFile } from "node:fs/promises";
import { createLibraryReader, GOOD_WAYS, type ReadingWays, save } from "./library-reader.ts";
import { seeded } from "./seeded.ts";

export default seeded<ReadingWays, { readonly topic: string }>(
  {
    // Nobody made the folder, and a `catch` that was to keep the agent going keeps it quiet.
    report_missing: { ...GOOD_WAYS, saveReport: (path, text) => writeFile(path, text).catch(() => {}) },
    report_empty: { ...GOOD_WAYS, saveReport: (path) => save(path, "") },
    notes_empty: { ...GOOD_WAYS, saveNote: (path) => save(path, "") },
    sources_as_text: { ...GOOD_WAYS, sourcesOf: (sources) => sources.map(({ url }) => url).join(", ") },
  },
  createLibraryReader,
);
