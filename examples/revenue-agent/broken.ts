import { type BillingTask, createBillingAgent } from "./billing-agent.ts";
import { handlesAllDeliveries } from "./ways.ts";

const agent = createBillingAgent(handlesAllDeliveries);

export default (task: BillingTask): Promise<string> => agent(task);
