import { callInterceptor, type CallAnswer } from "../../capture/call-interceptor.ts";
import { captureValue, type CapturedValue } from "../../capture/capture-value.ts";
import { errorClassOf } from "../../capture/error-class.ts";
import type { Attempt } from "../../contract/evidence.ts";
import { failOpen } from "../../fail-open.ts";
import { sha256Hex } from "../../json/canonical.ts";
import { parseJson, type JsonObject, type JsonValue } from "../../json/json.ts";
import { realMonotonicMillis } from "../../real-sources.ts";
import { attemptsText, callStart, captureText, sharedAttributes } from "../../run/call-attributes.ts";
import { openCallSpan, type CallSpan } from "../../run/call-span.ts";
import { openCallsOf } from "../../run/open-calls.ts";
import { recordEvent } from "../../run/record-event.ts";
import { nextCallPath, type StepScope } from "../../run/run-scope.ts";
import * as semconv from "../../semconv.ts";
import { modelCallOf, type ModelCall } from "../model-traffic/model-api.ts";
import { readModelExchange, type ModelReading } from "../model-traffic/model-attributes.ts";
import { answerJson, type AnswerHead } from "./answer-json.ts";
import { ByteCollector, type ByteBudget, type CollectedBytes } from "./byte-collector.ts";
import { triesSoFar } from "./earlier-attempts.ts";
import { parseRecordedAnswer, type ExchangeEnd, type RecordedAnswer } from "./recorded-answer.ts";
import { headerOf, requestJson, type HeaderList } from "./request-json.ts";
import { wireErrorFrom } from "./wire-error.ts";

export interface ExchangeStart {
  readonly method: string;
  readonly url: URL;
  /** Asked when the request has been sent: clients may still add some. Names in lower case. */
  readonly headers: () => HeaderList;
}

/** Why an exchange came to its end without a whole answer. */
export type Broken = { readonly type: "aborted" } | { readonly type: "failed"; readonly error: unknown };

type HeadSeen = Omit<AnswerHead, "offsetMillis">;

/** One HTTP exchange on its way: what passes by is told to it, and it becomes one recorded call. */
export class OpenExchange {
  readonly #start: ExchangeStart;
  readonly #scope: StepScope;
  readonly #name: string;
  readonly #path: string;
  readonly #span: CallSpan;
  readonly #began = realMonotonicMillis();
  readonly #sent: ByteCollector;
  readonly #received: ByteCollector;
  readonly #leave = (): void => this.break({ type: "aborted" });
  #turn: number | undefined;
  #given: CapturedValue | undefined;
  #model: ModelCall | undefined;
  #head: AnswerHead | undefined;
  #isOver = false;

  constructor(start: ExchangeStart, scope: StepScope, budget: ByteBudget) {
    const { redactor, options } = scope.run.runtime;
    this.#start = start;
    this.#scope = scope;
    this.#name = redactor.text(`${start.method} ${start.url.host}`);
    this.#path = nextCallPath(scope, this.#name);
    const sideEffect = SAFE.has(start.method) ? "read" : "network";
    const attributes = sharedAttributes({ kind: "http", name: this.#name, sideEffect }, {});
    const own = { callId: undefined, path: this.#path, given: undefined };
    this.#span = openCallSpan(scope, callStart({ kind: "http", spanName: this.#name, attributes }, own));
    this.#sent = new ByteCollector(options.captureMaxBytes, budget);
    this.#received = new ByteCollector(options.captureMaxBytes, budget);
    openCallsOf(scope.run).add(this.#leave);
    scope.run.exchangeCount++;
  }

  sent(bytes: Uint8Array): void {
    if (!this.#isOver && this.#given === undefined) this.#sent.add(bytes, 0);
  }

  answered(head: HeadSeen): void {
    this.#head = { ...head, offsetMillis: this.#elapsed() };
  }

  received(bytes: Uint8Array): void {
    if (!this.#isOver) this.#received.add(bytes, this.#turnOffset());
  }

  complete(): void {
    this.#finish("complete", undefined);
  }

  break(broken: Broken): void {
    const { redactor } = this.#scope.run.runtime;
    // A client that has seen the status may not care for the rest; the status is what the exchange came to.
    const status = this.#classOfStatus();
    if (broken.type === "aborted") this.#finish("aborted", status ?? "cancelled");
    else this.#finish({ error: wireErrorFrom(broken.error, redactor.text) }, status ?? errorClassOf(broken.error));
  }

  /** The connection became something else (a WebSocket, a tunnel): what follows cannot be told. */
  upgraded(): void {
    this.#end({ problem: "the connection was upgraded, and what went over it was not recorded" }, null);
  }

  /**
   * What a replay answers, or `undefined` when the request has to be made. To be asked once the request is complete.
   * Rejects with what the client has to be told: a miss, or a cassette that holds no HTTP answer here.
   */
  async replayed(): Promise<RecordedAnswer | undefined> {
    const answer = await this.#ask();
    if (answer === undefined) return undefined;
    if (answer.outcome === "threw") throw this.#refused(answer.error);
    const recorded = parseRecordedAnswer(answer.result);
    if (recorded === undefined) throw this.#refused(new Error("the recorded answer is no answer of HTTP"));
    this.#end({ result: answer.result }, classOfAnswer(recorded));
    return recorded;
  }

  async #ask(): Promise<CallAnswer | undefined> {
    const interceptor = callInterceptor();
    if (interceptor === undefined) return undefined;
    const given = this.#arguments();
    const text = given.form === "hash" ? undefined : given.text;
    const args = text === undefined ? undefined : parseJson(text);
    try {
      return await interceptor({ kind: "http", name: this.#name, path: this.#path, arguments: args });
    } catch (error) {
      throw this.#refused(error);
    }
  }

  #refused(error: unknown): unknown {
    this.break({ type: "failed", error });
    return error;
  }

  #arguments(): CapturedValue {
    if (this.#given !== undefined) return this.#given;
    const { redactor, options } = this.#scope.run.runtime;
    const { method, url, headers } = this.#start;
    const body = this.#sent.finish();
    const json = requestJson({ method, url: bareUrl(url), headers: headers(), body }, redactor);
    const { capture: policy, captureMaxBytes: maxBytes } = options;
    this.#model = modelCallOf(method, url, json["body"]);
    const kept = captureValue(json, { policy, maxBytes, redactor, label: "the arguments" });
    this.#given = body.kept ? kept : { ...kept, problem: overLimit("the body of the request", body) };
    return this.#given;
  }

  #finish(end: ExchangeEnd, errorClass: string | null | undefined): void {
    if (this.#isOver) return;
    failOpen(
      "recording the end of an HTTP exchange",
      () => this.#record(end, errorClass ?? this.#classOfStatus()),
      undefined,
    );
  }

  #record(end: ExchangeEnd, errorClass: string | null): void {
    const endedMillis = this.#elapsed();
    const body = this.#received.finish();
    if (!body.kept) return this.#end({ problem: overLimit("the answer", body) }, errorClass);
    const { redactor, options } = this.#scope.run.runtime;
    const isRedacted = options.capture !== "full";
    const json = answerJson({ head: this.#head, body, end, endedMillis }, isRedacted ? redactor : undefined);
    if (json === undefined) return this.#end({ problem: "the answer was withheld: it cannot be decoded" }, errorClass);
    this.#end({ result: json }, errorClass);
  }

  #end(how: { readonly result: JsonValue } | { readonly problem: string }, wireErrorClass: string | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    openCallsOf(this.#scope.run).delete(this.#leave);
    const given = this.#arguments();
    const model = this.#modelReading(given, "result" in how ? how.result : undefined);
    const errorClass = exchangeErrorClass(wireErrorClass, model);
    const kept =
      "result" in how ? this.#captured(how.result) : ({ form: "hash", bytes: 0, problem: how.problem } as const);
    const attempts = this.#tries(given, errorClass);
    if (errorClass === null && attempts.length > 1) this.#tellSilentRetry(attempts);
    this.#span.end({
      attributes: {
        ...model?.attributes,
        ...(given.text === undefined ? {} : { [semconv.ATTR_HTTP_REQUEST]: given.text }),
        ...(kept.text === undefined ? {} : { [semconv.ATTR_HTTP_RESPONSE]: kept.text }),
        [semconv.ATTR_CALL_CAPTURE]: captureText(given, kept),
        [semconv.ATTR_CALL_ATTEMPTS]: attemptsText(attempts),
        ...(errorClass === null ? {} : { [semconv.ATTR_ERROR_TYPE]: errorClass }),
      },
      error: errorClass,
    });
  }

  #tries(given: CapturedValue, errorClass: string | null): Attempt[] {
    const { method, url, headers } = this.#start;
    const said = Number(headerOf(headers(), "x-stainless-retry-count"));
    return triesSoFar(this.#scope, {
      request: given.text === undefined ? `${method} ${bareUrl(url)}` : sha256Hex(given.text),
      startedMillis: this.#began,
      endedMillis: realMonotonicMillis(),
      status: this.#head?.status,
      errorClass,
      saidEarlier: Number.isInteger(said) && said > 0 ? said : 0,
    });
  }

  /** It came through, so nobody else will ever speak of what it took. */
  #tellSilentRetry(attempts: readonly Attempt[]): void {
    const { run } = this.#scope;
    run.silentRetryCount++;
    const tries = JSON.parse(attemptsText(attempts)) as JsonValue;
    void recordEvent(run, semconv.EVENT_SILENT_RETRY, { call: this.#name, path: this.#path, attempts: tries });
  }

  #modelReading(given: CapturedValue, answer: JsonValue | undefined): ModelReading | undefined {
    const asked = this.#model;
    if (asked === undefined) return undefined;
    const { redactor, options } = this.#scope.run.runtime;
    const { method, url } = this.#start;
    const read = (): ModelReading => {
      const text = given.form === "hash" ? undefined : given.text;
      const recorded = text === undefined ? undefined : (parseJson(text) as JsonObject | undefined);
      const kept = modelCallOf(method, url, recorded?.["body"]);
      const capture = { policy: options.capture, maxBytes: options.captureMaxBytes, redactor };
      return readModelExchange({ url, asked, kept, answer }, capture);
    };
    return failOpen("reading a model's exchange", read, undefined);
  }

  /** It was redacted with an eye on chunks and headers; once more would tear them. */
  #captured(result: JsonValue): CapturedValue {
    const { capture, captureMaxBytes: maxBytes } = this.#scope.run.runtime.options;
    const policy = capture === "redacted" ? "full" : capture;
    // JSON of a body is longer than the body, which is what the limit speaks of.
    return captureValue(result, { policy, maxBytes: maxBytes * 2 + 65_536, redactor: AS_IT_IS, label: "the result" });
  }

  #classOfStatus(): string | null {
    const status = this.#head?.status ?? 0;
    return status >= 400 ? errorClassOf({ status }) : null;
  }

  #elapsed(): number {
    return Math.max(0, Math.round((realMonotonicMillis() - this.#began) * 100) / 100);
  }

  /** The same for all chunks of one read, so that a replay hands them on together again. */
  #turnOffset(): number {
    if (this.#turn !== undefined) return this.#turn;
    setImmediate(() => (this.#turn = undefined)).unref();
    return (this.#turn = this.#elapsed());
  }
}

const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);
const AS_IT_IS = { json: (value: JsonValue): JsonValue => value };

const overLimit = (what: string, body: Extract<CollectedBytes, { kept: false }>): string =>
  `${what} is ${body.size} bytes (SHA-256 ${body.sha256}), over what is kept`;

/** SDKs stop listening at the last event of a stream, before the connection is closed: nothing was given up then. */
function exchangeErrorClass(wire: string | null, model: ModelReading | undefined): string | null {
  const isDone = wire === "cancelled" && model?.isComplete === true;
  return (isDone ? null : wire) ?? model?.errorClass ?? null;
}

/** The class that the exchange had when it was recorded. */
function classOfAnswer({ status = 0, end }: RecordedAnswer): string | null {
  if (status >= 400) return errorClassOf({ status });
  if (end === "aborted") return "cancelled";
  return end === "complete" ? null : errorClassOf(end.error);
}

function bareUrl(url: URL): string {
  const bare = new URL(url);
  bare.hash = "";
  return bare.href;
}
