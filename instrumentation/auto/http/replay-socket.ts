import { Duplex } from "node:stream";

/**
 * The other end of a connection that does not exist. What the client writes is dropped; what it reads is pushed.
 * It has the few methods of a real socket that Node's HTTP client calls.
 */
export class ReplaySocket extends Duplex {
  readonly connecting = false;
  readonly authorized = true;
  readonly encrypted: boolean;
  readonly remoteAddress = "127.0.0.1";
  readonly remoteFamily = "IPv4";
  readonly remotePort: number;

  constructor(url: URL) {
    super({ allowHalfOpen: false });
    this.encrypted = url.protocol === "https:";
    this.remotePort = Number(url.port) || (this.encrypted ? 443 : 80);
    // A keep-alive connection that is free again has nobody to go back to.
    this.once("free", () => this.destroy());
  }

  override _read(): void {}
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }

  destroySoon(): void {
    this.destroy();
  }
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}
