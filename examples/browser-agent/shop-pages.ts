import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A shop and, at another origin, a partner that it links to. Both are local pages. */
export interface Shops {
  readonly shop: string;
  readonly partner: string;
  close(): Promise<void>;
}

export async function startShops(): Promise<Shops> {
  const partner = createServer((_request, response) =>
    page(response, "Partner", "<p>Kettle 29.00 EUR, today only</p>"),
  );
  const partnerUrl = await listening(partner);
  const shop = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://shop");
    if (pathname === "/search") return page(response, "Found", '<p>One hit: <a href="/p/kettle">Kettle</a></p>');
    // Short addresses lead on within the shop; offers lead out of it.
    if (pathname === "/p/kettle") return redirect(response, "/products/kettle");
    if (pathname === "/offers/kettle") return redirect(response, `${partnerUrl}/kettle`);
    if (pathname !== "/products/kettle") return page(response, "Nothing here", "<p>No such page</p>", 404);
    const links = `<a rel="alternate" href="${partnerUrl}/kettle">at our partner</a> <a rel="help" href="/help">help</a>`;
    page(response, "Kettle", `<h1>Kettle</h1><p>39.90 EUR</p><p>${links}</p>`);
  });
  return {
    shop: await listening(shop),
    partner: partnerUrl,
    close: async () => void (await Promise.all([closed(shop), closed(partner)])),
  };
}

const page = (response: ServerResponse, title: string, body: string, status = 200): void =>
  void response
    .writeHead(status, { "content-type": "text/html; charset=utf-8" })
    .end(`<!doctype html><title>${title}</title><body>${body}</body>`);

const redirect = (response: ServerResponse, location: string): void => void response.writeHead(302, { location }).end();

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
