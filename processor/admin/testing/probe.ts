import { request } from "node:http";
import type { HealthReport } from "../health-check.ts";

export interface Probed {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface ProbeOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request on a connection of its own. */
export function probe(url: string, { method = "GET", headers = {}, body }: ProbeOptions = {}): Promise<Probed> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false }, (response) => {
      const { statusCode: status = 0, headers: got } = response;
      response
        .toArray()
        .then((chunks) => resolve({ status, body: Buffer.concat(chunks).toString(), headers: got }), reject);
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

export const reportOf = ({ body }: Probed): HealthReport => JSON.parse(body) as HealthReport;

/** Status of one check, `""` when it is not there. */
export const checkOf = (probed: Probed, name: string): string =>
  reportOf(probed).checks.find((check) => check.name === name)?.status ?? "";
