import type { Command } from "commander";
import type { CommandContext } from "./context.ts";
import { mcp, type McpFlags } from "./mcp.ts";
import { action } from "./run-command-line.ts";

/** `runproof mcp` */
export function addMcp(program: Command, context: CommandContext): void {
  program
    .command("mcp")
    .description("serve coding agents over the Model Context Protocol: what failed, why, fixtures, gate")
    .option("--http", "streamable HTTP in place of standard input and output")
    .option("--host <address>", "with --http: address to listen on; default 127.0.0.1, others need a token")
    .option("--port <port>", "with --http: default 9465, 0 takes a free one")
    .option("--read-only", "tools that only read; this is the default")
    .option("--allow-writes", "also tools that write fixtures and run the agent's code; with --http it needs a token")
    .option("--dir <folder>", "where runproof.config and its fixtures are looked for; default the working folder")
    .addHelpText(
      "after",
      "\nNeeds the package @modelcontextprotocol/sdk. With --http a bearer token is asked for when RUNPROOF_MCP_TOKEN or\n" +
        "RUNPROOF_TOKENS_FILE is set (scopes read or admin for read tools, write for write tools). Ends when the client\n" +
        "closes standard input, or on Ctrl-C.",
    )
    .action(action(program, (flags: McpFlags) => mcp(flags, context, process.stdin)));
}
