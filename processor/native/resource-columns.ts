import { ATTR_SERVICE_NAME } from "../../instrumentation/semconv.ts";
import type { AttributeMap } from "../clickhouse/rows.ts";
import { attributeMapFrom, markLosses } from "../otlp/attribute-map.ts";
import { noLosses } from "../otlp/cut-text.ts";
import type { Resource } from "../otlp/model.ts";
import { readResourceFields } from "../otlp/protobuf-common.ts";
import { ProtobufReader } from "../otlp/protobuf-reader.ts";
import { stampResource } from "../receivers/stamp-project.ts";
import { checkKeyValue, innerEnd } from "./check-attribute.ts";
import { GrowableBytes } from "./growable-bytes.ts";
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
  readonly values: Uint8Array<ArrayBuffer>;
}

/** From the content of a `Resource` message. */
export function resourceColumnsFrom(content: Uint8Array): ResourceColumns {
  const nodes = nodesOf(content);
  const resource: Resource = { attributes: [] };
  readResourceFields(new ProtobufReader(content), resource);
  const losses = noLosses();
  const attributes = attributeMapFrom(resource.attributes, { column: "ResourceAttributes" }, losses);
  markLosses(attributes, losses);
  let length = 0;
  for (const key in attributes) length += key.length + attributes[key]!.length;
  return {
    serviceName: attributes[ATTR_SERVICE_NAME] ?? "",
    attributes,
    nodes,
    length,
    cutValues: losses.values.length,
    droppedAttributes: losses.droppedAttributes,
    values: nativeTexts(attributes),
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

/** Writes one resource into row after row; it is looked up again when the block, the resource or the project changes. */
export class ResourceWriter {
  readonly #columns: SpanColumns;
  #resource: ResourceColumns | undefined;
  #project = "";
  #generation = -1;
  readonly #keyIds = new GrowableBytes();
  #values = new Uint8Array();
  #serviceNameId = 0;
  #serviceNameGeneration = -1;

  constructor(columns: SpanColumns) {
    this.#columns = columns;
  }

  /** With a project, what `stampProject` makes of the resource. */
  append(resource: ResourceColumns, project: string): void {
    const { resourceAttributes: map, serviceName } = this.#columns;
    if (
      resource !== this.#resource ||
      project !== this.#project ||
      this.#generation !== map.keys.dictionary.generation ||
      this.#serviceNameGeneration !== serviceName.dictionary.generation
    ) {
      this.#lookUp(resource, project);
    }
    map.keys.ids.appendAll(this.#keyIds);
    map.values.data.appendBytes(this.#values);
    map.end();
    serviceName.ids.appendUint32(this.#serviceNameId);
  }

  #lookUp(resource: ResourceColumns, project: string): void {
    const { resourceAttributes, serviceName } = this.#columns;
    const { dictionary } = resourceAttributes.keys;
    const attributes = project === "" ? resource.attributes : stamped(resource.attributes, project);
    this.#keyIds.length = 0;
    for (const key in attributes) this.#keyIds.appendUint32(dictionary.idOfText(key));
    this.#values = project === "" ? resource.values : nativeTexts(attributes);
    this.#serviceNameId = serviceName.dictionary.idOfText(resource.serviceName);
    this.#resource = resource;
    this.#project = project;
    this.#generation = dictionary.generation;
    this.#serviceNameGeneration = serviceName.dictionary.generation;
  }
}

function stamped(attributes: AttributeMap, project: string): AttributeMap {
  const copy: AttributeMap = Object.assign(Object.create(null), attributes);
  stampResource(copy, project);
  return copy;
}

/** The map's values as Native `String`s. */
function nativeTexts(attributes: AttributeMap): Uint8Array<ArrayBuffer> {
  const values = new StringColumn();
  for (const key in attributes) values.appendText(attributes[key]!);
  return new Uint8Array(values.data.taken());
}
