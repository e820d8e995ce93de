import {
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
  SERVICE_NAME_RUNPROOF,
} from "../../instrumentation/semconv.ts";

export interface SelfIdentity {
  /** Unique to this process, long enough to be found nowhere else by chance. */
  readonly instanceId: string;
  /** Of the package. */
  readonly version: string;
}

/** The `Resource` of the OTel SDK, as far as providers and exporters use it: its package is nobody's direct dependency. */
export function selfResource({ instanceId, version }: SelfIdentity) {
  const attributes = {
    [ATTR_SERVICE_NAME]: SERVICE_NAME_RUNPROOF,
    [ATTR_SERVICE_INSTANCE_ID]: instanceId,
    [ATTR_SERVICE_VERSION]: version,
  };
  const resource = {
    attributes,
    asyncAttributesPending: false,
    merge: () => resource,
    getRawAttributes: () => Object.entries(attributes),
  };
  return resource;
}

/**
 * Tells bodies of this process's own telemetry from all others, however they reached us: also through a proxy, or under
 * another name. Anybody else's id is random, so theirs are not taken for ours.
 */
export function createOwnTelemetry(instanceId: string): (payload: Uint8Array) => boolean {
  const mark = Buffer.from(instanceId);
  return (payload) => Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).includes(mark);
}
