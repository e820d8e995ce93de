export { createForward, type Forward, FORWARD_READER } from "./forward.ts";
export { FORWARD_VARIABLES, forwardConfigShape } from "./forward-config.ts";
