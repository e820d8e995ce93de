import { ATTR_SERVICE_NAME } from "../../instrumentation/semconv.ts";
import type { AttributeMap } from "../clickhouse/rows.ts";
import { attributeMapFrom, markLosses } from "../otlp/attribute-map.ts";
import { noLosses } from "../otlp/cut-text.ts";
import type { Resource } from "../otlp/model.ts";
import { readResource } from "../otlp/protobuf-common.ts";
import { ProtobufReader } from "../otlp/protobuf-reader.ts";
import { checkKeyValue, innerEnd } from "./check-attribute.ts";
import { GrowableBytes } from "./growable-bytes.ts";
import { lengthDelimited } from "./protobuf-piece.ts";
import type { SpanColumns } from "./span-columns.ts";
import { StringColumn } from "./string-column.ts";
import { WireCursor } from "./wire-cursor.ts";

/** What the spans of one resource share, decoded once by the slow path and then copied into every row. */
export interface ResourceColumns {
  readonly serviceName: string;
  readonly attributes: AttributeMap;
  /** What the decoder counts for it. */
  readonly nodes: number;
  /** Characters of the map, as `RowBatchBuilder.repeat` counts them. */
  readonly length: number;
  readonly cutValues: number;
  readonly droppedAttributes: number;
  /** The map's values as Native `String`s. */
  readonly values: Uint8Array;
}

/** From the content of a `Resource` message. */
export function resourceColumnsFrom(content: Uint8Array): ResourceColumns {
  const nodes = nodesOf(content);
  const resource: Resource = { attributes: [] };
  const reader = new ProtobufReader(lengthDelimited(1, content));
  if (reader.nextField()) readResource(reader, resource);
  const losses = noLosses();
  const attributes = attributeMapFrom(resource.attributes, { column: "ResourceAttributes" }, losses);
  markLosses(attributes, losses);
  const values = new StringColumn();
  let length = 0;
  for (const [key, value] of Object.entries(attributes)) {
    values.appendText(value);
    length += key.length + value.length;
  }
  return {
    serviceName: attributes[ATTR_SERVICE_NAME] ?? "",
    attributes,
    nodes,
    length,
    cutValues: losses.values.length,
    droppedAttributes: losses.droppedAttributes,
    values: new Uint8Array(values.data.taken()),
  };
}

/** Checks the structure as well: the decoder must not be the one to find a fault in a piece. */
function nodesOf(content: Uint8Array): number {
  const cursor = new WireCursor(content);
  const end = content.length;
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    if (tag >>> 3 === 1) checkKeyValue(cursor, innerEnd(cursor, tag, end), 1);
    else cursor.skip(tag, end);
  }
  return cursor.nodes;
}

/** Writes one resource into row after row; ids are looked up again when the block or the resource changes. */
export class ResourceWriter {
  readonly #columns: SpanColumns;
  #resource: ResourceColumns | undefined;
  #generation = -1;
  readonly #keyIds = new GrowableBytes();
  #serviceNameId = 0;
  #serviceNameGeneration = -1;

  constructor(columns: SpanColumns) {
    this.#columns = columns;
  }

  append(resource: ResourceColumns): void {
    const { resourceAttributes: map, serviceName } = this.#columns;
    if (
      resource !== this.#resource ||
      this.#generation !== map.keys.dictionary.generation ||
      this.#serviceNameGeneration !== serviceName.dictionary.generation
    ) {
      this.#lookUp(resource);
    }
    map.keys.ids.appendAll(this.#keyIds);
    map.values.data.appendBytes(resource.values);
    map.end();
    serviceName.ids.appendUint32(this.#serviceNameId);
  }

  #lookUp(resource: ResourceColumns): void {
    const { resourceAttributes, serviceName } = this.#columns;
    const { dictionary } = resourceAttributes.keys;
    this.#keyIds.length = 0;
    for (const key in resource.attributes) this.#keyIds.appendUint32(dictionary.idOfText(key));
    this.#serviceNameId = serviceName.dictionary.idOfText(resource.serviceName);
    this.#resource = resource;
    this.#generation = dictionary.generation;
    this.#serviceNameGeneration = serviceName.dictionary.generation;
  }
}
