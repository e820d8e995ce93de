/** Gives the text that takes the place of a scalar, or the same to keep it. `name` is the member's, if any. */
export interface JsonTextVisitor {
  string(value: string, name: string | undefined): string;
  /** A number as written. Returns the text of a string to put in its place. */
  number(raw: string, name: string | undefined): string | undefined;
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|[{}[\],:]/g;

/**
 * Rewrites the strings inside valid JSON text and leaves every other character, white space too, as it was: texts
 * that differed still differ. Member names are visited as strings without a name.
 */
export function rewriteJsonText(text: string, visitor: JsonTextVisitor): string {
  const walk = new JsonTextWalk(visitor);
  return text.replace(TOKEN, (token) => walk.next(token));
}

interface Frame {
  readonly object: boolean;
  /** Name of the member being read; a list inherits the name it stands under. */
  name: string | undefined;
  expectsName: boolean;
}

class JsonTextWalk {
  readonly #visitor: JsonTextVisitor;
  readonly #stack: Frame[] = [];

  constructor(visitor: JsonTextVisitor) {
    this.#visitor = visitor;
  }

  /** Takes the next token and returns what stands in its place. */
  next(token: string): string {
    const frame = this.#stack.at(-1);
    const first = token.charAt(0);
    if (first === "{") this.#stack.push({ object: true, name: undefined, expectsName: true });
    else if (first === "[") this.#stack.push({ object: false, name: frame?.name, expectsName: false });
    else if (first === "}" || first === "]") this.#stack.pop();
    else if (first === "," && frame !== undefined) frame.expectsName = frame.object;
    else if (first === '"') return this.#string(token, frame);
    else if (first !== ":" && first !== ",") return this.#number(token, frame?.name);
    return token;
  }

  #string(token: string, frame: Frame | undefined): string {
    const value = JSON.parse(token) as string;
    const isName = frame?.expectsName === true;
    if (isName) {
      frame.name = value;
      frame.expectsName = false;
    }
    const written = this.#visitor.string(value, isName ? undefined : frame?.name);
    return written === value ? token : JSON.stringify(written);
  }

  #number(token: string, name: string | undefined): string {
    const written = this.#visitor.number(token, name);
    return written === undefined ? token : JSON.stringify(written);
  }
}
