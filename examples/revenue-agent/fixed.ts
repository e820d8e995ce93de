import { type BillingTask, createBillingAgent } from "./billing-agent.ts";
import { handlesFirstDeliveries } from "./ways.ts";

const agent = createBillingAgent(handlesFirstDeliveries);

export default (task: BillingTask): Promise<string> => agent(task);
