/** The client that the hooks use. */

import { createContext, createElement, type ReactElement, type ReactNode, useContext } from "react";
import type { Flowstrand } from "../client.js";

const ClientContext = createContext<Flowstrand | undefined>(undefined);

export interface FlowstrandProviderProps {
  /** Made once, outside of the component: another client makes the hooks begin anew. */
  readonly client: Flowstrand;
  readonly children?: ReactNode;
}

/** Gives a client to all hooks below. */
export function FlowstrandProvider({ client, children }: FlowstrandProviderProps): ReactElement {
  return createElement(ClientContext.Provider, { value: client }, children);
}

/**
 * The client of the provider above.
 *
 * @throws {Error} there is none.
 */
export function useFlowstrand(): Flowstrand {
  const client = useContext(ClientContext);
  if (client === undefined) throw new Error("there is no FlowstrandProvider above this component");
  return client;
}
