import { hookModules } from "../../processor/register/hook-modules.ts";
import { STACK_MODULES } from "../../processor/register/stacks.ts";

/** What a recorded process met through `runproof/register`: tools of stacks are calls, and a replay answers them. */
export function hookStacks(): void {
  hookModules(STACK_MODULES);
}
