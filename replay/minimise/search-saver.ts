import type { Fixture } from "../fixture/fixture-format.ts";
import { type SavedSearch, sourceSha256 } from "./saved-search.ts";
import type { SearchOptions } from "./search.ts";

const TRIES_BETWEEN_SAVES = 50;

export interface SearchSaver {
  readonly onTried: NonNullable<SearchOptions["onTried"]>;
  /** Resolves when the last state is saved. Rejects when a state could not be. */
  saved(): Promise<void>;
}

export interface SearchSaverOptions {
  /** The search that is gone on with. */
  readonly saved?: SavedSearch;
  readonly onSave?: (search: SavedSearch) => Promise<void>;
}

/** One save after the other, and of several that wait only the last. */
export function createSearchSaver(
  fixture: Fixture,
  { saved, onSave = () => Promise.resolve() }: SearchSaverOptions,
): SearchSaver {
  const source = sourceSha256(fixture);
  const rejected = [...(saved?.rejected ?? [])];
  let waiting: SavedSearch | undefined;
  let saving = Promise.resolve();
  const saveWaiting = async (): Promise<void> => {
    const search = waiting;
    waiting = undefined;
    if (search !== undefined) await onSave(search);
  };
  return {
    onTried({ best, tries }, outcome, candidate) {
      if (outcome === "rejected") rejected.push(candidate.sha256);
      if (outcome === "rejected" && tries % TRIES_BETWEEN_SAVES !== 0) return;
      const content = { ...best, interactions: [...best.interactions] };
      const sofar = { best: content, rejected: [...rejected], tries: (saved?.tries ?? 0) + tries };
      waiting = { format_version: 1, source_sha256: source, ...sofar };
      saving = saving.then(saveWaiting);
      // Told by `saved()`.
      saving.catch(() => {});
    },
    saved: () => saving,
  };
}
