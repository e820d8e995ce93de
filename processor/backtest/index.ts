export type { Finding } from "./finding.ts";
export { type BacktestProgress, type BacktestResult, runBacktest } from "./run-backtest.ts";
export type { Counts } from "./tally.ts";
