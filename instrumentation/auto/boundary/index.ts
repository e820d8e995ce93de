export { atBoundary, openBoundaryRun, type BoundaryEnd, type BoundaryRun } from "./boundary-run.ts";
export {
  BOUNDARY_KINDS,
  configureBoundaries,
  setContracts,
  type BoundaryKind,
  type BoundaryOptions,
} from "./boundary-settings.ts";
