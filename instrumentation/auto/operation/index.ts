export { callTool, failedBeforeCall } from "./call-tool.ts";
export { beginOperation, inOperation, thrown, type Operation } from "./operation.ts";
export { overriding } from "./overriding.ts";
export { placeHere, type Place } from "./place.ts";
export {
  isPatchable,
  memberOf,
  patch,
  prototypeOf,
  textOf,
  undoAll,
  type AnyFunction,
  type Patchable,
} from "./patch.ts";
export { writableExports } from "./writable-exports.ts";
