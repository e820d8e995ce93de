import { fork } from "node:child_process";

const PLAYER = new URL(import.meta.url.endsWith(".ts") ? "./play.ts" : "./play.js", import.meta.url);

export interface PlayerOptions {
  readonly file: string;
  readonly otlpUrl: string;
  readonly stateDirectory: string;
  readonly onPlayed: (played: number, of: number) => void;
}

/** Runs the agent's process to its end. Gives its exit code, which is all a process supervisor would know. */
export function runPlayer(options: PlayerOptions): Promise<number | null> {
  const child = fork(PLAYER, [options.file], {
    env: {
      ...process.env,
      OTEL_EXPORTER_OTLP_ENDPOINT: options.otlpUrl,
      OTEL_SERVICE_NAME: "tau-airline",
      RUNPROOF_STATE_DIR: options.stateDirectory,
    },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  child.on("message", (message: { played: number; of: number }) => options.onPlayed(message.played, message.of));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
}
