/**
 * A part of the service with a life of its own (OpenTelemetry Collector: `component.Component`).
 *
 * Obligations of an implementation:
 * - the constructor or factory only assigns; `start()` does the work and throws when the part cannot serve;
 * - `shutdown()` finishes what was accepted, is safe to call twice and without `start()`.
 */
export interface Component {
  start(): Promise<void>;
  shutdown(): Promise<void>;
}
