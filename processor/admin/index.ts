export { createOperations, type Operations } from "./operations.ts";
export { OPERATIONS_VARIABLES, operationsConfigShape } from "./operations-config.ts";
