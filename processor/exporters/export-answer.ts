import { ProtobufReader } from "../otlp/protobuf-reader.ts";

export interface PartialSuccess {
  /** Records the other side did not take and never will. */
  readonly rejected: number;
  readonly message: string;
}

const WHOLE: PartialSuccess = { rejected: 0, message: "" };

/** `Export…ServiceResponse`, of either signal. What cannot be read says nothing: the request was taken all the same. */
export function partialSuccessFrom(answer: Uint8Array): PartialSuccess {
  try {
    return readResponse(new ProtobufReader(answer));
  } catch {
    return WHOLE;
  }
}

function readResponse(reader: ProtobufReader): PartialSuccess {
  let rejected = 0;
  let message = "";
  while (reader.nextField()) {
    if (reader.field !== 1) {
      reader.skip();
      continue;
    }
    const outerEnd = reader.enter();
    while (reader.nextField()) {
      if (reader.field === 1) rejected = Number(reader.int64());
      else if (reader.field === 2) message = reader.string();
      else reader.skip();
    }
    reader.leave(outerEnd);
  }
  // A figure from outside: more than was sent is for the caller to judge, less than nothing is nonsense.
  return { rejected: Math.max(0, rejected), message };
}

export interface RpcStatus {
  readonly message: string;
  /** `google.rpc.RetryInfo` among the details. */
  readonly retryMillis: number | undefined;
}

const RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo";

/** Protobuf `google.rpc.Status`; `undefined` when the bytes are none. */
export function rpcStatusFrom(bytes: Uint8Array): RpcStatus | undefined {
  try {
    return readStatus(new ProtobufReader(bytes));
  } catch {
    return undefined;
  }
}

function readStatus(reader: ProtobufReader): RpcStatus {
  let message = "";
  let retryMillis: number | undefined;
  while (reader.nextField()) {
    if (reader.field === 2) message = reader.string();
    else if (reader.field === 3) retryMillis = readDetail(reader) ?? retryMillis;
    else reader.skip();
  }
  return { message, retryMillis };
}

/** `google.protobuf.Any`. */
function readDetail(reader: ProtobufReader): number | undefined {
  let type = "";
  let value: Uint8Array = new Uint8Array();
  const outerEnd = reader.enter();
  while (reader.nextField()) {
    if (reader.field === 1) type = reader.string();
    else if (reader.field === 2) value = reader.bytes();
    else reader.skip();
  }
  reader.leave(outerEnd);
  return type === RETRY_INFO ? readRetryInfo(new ProtobufReader(value)) : undefined;
}

/** Without a delay it still says that the request may be sent again. */
function readRetryInfo(reader: ProtobufReader): number {
  let millis = 0;
  while (reader.nextField()) {
    if (reader.field !== 1) {
      reader.skip();
      continue;
    }
    const outerEnd = reader.enter();
    while (reader.nextField()) {
      if (reader.field === 1) millis += Number(reader.int64()) * 1_000;
      else if (reader.field === 2) millis += reader.int32() / 1_000_000;
      else reader.skip();
    }
    reader.leave(outerEnd);
  }
  return Math.max(0, millis);
}
