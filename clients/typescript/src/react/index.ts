/** `@flowstrand/client/react`: executions in components. */

export { FlowstrandProvider, type FlowstrandProviderProps, useFlowstrand } from "./provider.js";
export { type FollowedExecution, useExecution } from "./useExecution.js";
export { type FollowedEvents, useExecutionEvents } from "./useExecutionEvents.js";
export type { FollowHookOptions, Following } from "./useFollowed.js";
