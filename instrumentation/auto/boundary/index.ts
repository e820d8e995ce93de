export { atBoundary, openBoundaryRun, type BoundaryEnd, type BoundaryRun, type BoundarySpec } from "./boundary-run.ts";
export {
  BOUNDARY_KINDS,
  configureBoundaries,
  setContracts,
  type BoundaryKind,
  type BoundaryOptions,
} from "./boundary-settings.ts";
