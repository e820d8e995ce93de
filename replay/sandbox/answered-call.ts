import { describeMiss } from "../cassette/describe-miss.ts";
import type { Player } from "../cassette/player.ts";
import type { CallReply, ToChild, ToParent } from "./messages.ts";

type Call = Extract<ToParent, { type: "call" }>;
type Answer = Extract<ToChild, { type: "answer" }>;

/** What the player says to a call that came from the agent's process. */
export function answeredCall(player: Player, { id, kind, name, path, ...call }: Call): Answer {
  const answer = player.answer({ kind, name, path, arguments: call.arguments });
  return { type: "answer", id, ...replyFrom(answer) };
}

function replyFrom(answer: ReturnType<Player["answer"]>): CallReply {
  if (answer.type === "miss") return { outcome: "missed", message: describeMiss(answer) };
  const { interaction } = answer;
  const attempts = interaction.attempts === undefined ? {} : { attempts: interaction.attempts };
  return interaction.outcome === "returned"
    ? { outcome: "returned", result: interaction.result, ...attempts }
    : { outcome: "threw", error: interaction.error, ...attempts };
}
