import { describe, expect, test } from "vitest";
import { parseCodeRef } from "./code-ref.ts";

describe("a code ref", () => {
  test.each([
    ["main", { ref: "main", module: null }],
    ["HEAD~3", { ref: "HEAD~3", module: null }],
    ["v1.2.0^{}", { ref: "v1.2.0^{}", module: null }],
    ["feature/änderung-1", { ref: "feature/änderung-1", module: null }],
    ["main@{yesterday}", { ref: "main@{yesterday}", module: null }],
    ["HEAD:agents/broken.ts", { ref: "HEAD", module: "agents/broken.ts" }],
    ["0123abc:a b/agent.mjs", { ref: "0123abc", module: "a b/agent.mjs" }],
  ])("can be %s", (text, value) => {
    expect(parseCodeRef(text)).toEqual({ ok: true, value });
  });

  test.each([
    ...[
      "",
      "-h",
      "--upload-pack=touch x",
      "--exec=sh",
      "; rm -rf /",
      "main; rm",
      "$(id)",
      "`id`",
      "a|b",
      "a\nb",
      "a\0b",
    ],
    ...["main..HEAD", "a b", "\u202emain", ":/text", "^main", "x".repeat(251), "main^{/fix it}", "*", "a\\b"],
    ...["main:", "main:/etc/passwd", "main:../x.ts", "main:a/../../x.ts", "main:./a.ts", "main:a//b.ts", "main:.git/x"],
    ...["main:a\0.ts", "main:a:b", "main:a\\b.ts", "main:a\n.ts", `main:${"x".repeat(1001)}`],
  ])("cannot be %j", (text) => {
    expect(parseCodeRef(text)).toMatchObject({ ok: false, reason: expect.any(String) });
  });
});
