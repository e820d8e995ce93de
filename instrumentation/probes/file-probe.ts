import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import type { ArtifactObservation } from "../contract/evidence.ts";
import {
  expectsJson,
  MAX_JSON_BYTES,
  notPresent,
  schemaErrorsOf,
  type ArtifactTarget,
} from "./artifact-observation.ts";
import { abortable, failureText, isMissing, pathOfRef, probeSignal, type ProbeContext } from "./probe-context.ts";

const CHUNK_BYTES = 256 * 1024;

/** Re-reads a file: it is there, it is a regular file, and every byte can be read; its JSON is held against the schema. */
export async function probeFile(target: ArtifactTarget, context: ProbeContext): Promise<ArtifactObservation> {
  const signal = probeSignal(context);
  let file: FileHandle | undefined;
  try {
    const path = pathOfRef(target.ref, context.cwd);
    // O_NONBLOCK: opening a pipe would wait for a writer for ever.
    const opening = open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    file = await abortable(opening, signal).catch((error: unknown) => {
      // One that opens after all must be closed: Node makes an error of a handle that is only let go of.
      opening.then((late) => late.close()).catch(() => {});
      throw error;
    });
    if (!(await file.stat()).isFile()) return notPresent(target, "unreadable", "not a regular file");
    return await observe(target, file, signal);
  } catch (error) {
    return notPresent(target, isMissing(error) ? "missing" : "unreadable", failureText(error, signal));
  } finally {
    await file?.close().catch(() => {});
  }
}

async function observe(target: ArtifactTarget, file: FileHandle, signal: AbortSignal): Promise<ArtifactObservation> {
  const hash = createHash("sha256");
  const kept: Buffer[] = [];
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let bytes = 0;
  for (;;) {
    const { bytesRead } = await abortable(file.read(buffer, 0, CHUNK_BYTES), signal);
    if (bytesRead === 0) break;
    const chunk = buffer.subarray(0, bytesRead);
    hash.update(chunk);
    bytes += bytesRead;
    if (!expectsJson(target)) continue;
    if (bytes <= MAX_JSON_BYTES) kept.push(Buffer.from(chunk));
    else kept.length = 0;
  }
  const tooLarge = `content is ${bytes} bytes, over the ${MAX_JSON_BYTES} that are parsed`;
  const { name, kind, ref } = target;
  const schemaErrors = !expectsJson(target)
    ? null
    : bytes > MAX_JSON_BYTES
      ? [tooLarge]
      : schemaErrorsOf(target, Buffer.concat(kept).toString("utf8"));
  return { name, kind, ref, state: "present", bytes, sha256: hash.digest("hex"), schemaErrors, detail: null };
}
