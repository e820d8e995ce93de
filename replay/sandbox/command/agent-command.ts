/** An agent that is a program of any language. It comes from the configuration, never from the fixture. */
export interface AgentCommand {
  /** Program and arguments; no shell reads them. */
  readonly command: readonly string[];
  /** Folder that arguments which name a file in it start from: the agent itself starts in an empty work folder. */
  readonly directory: string;
  /**
   * Variables in which the program looks for the address of an API, by name, each with that address. They are set to the
   * address of the replay, which answers in its place.
   */
  readonly baseUrls?: Readonly<Record<string, string>>;
  readonly passEnvironment?: readonly string[];
}

/** What the clients of the two providers look at by themselves. */
export const DEFAULT_BASE_URLS: Readonly<Record<string, string>> = {
  OPENAI_BASE_URL: "https://api.openai.com/v1",
  ANTHROPIC_BASE_URL: "https://api.anthropic.com",
};
