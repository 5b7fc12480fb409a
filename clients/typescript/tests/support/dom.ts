/** A document for React, beside the platform's own fetch. Imported before React. */

import { Window } from "happy-dom";

const window = new Window();
const { document, navigator } = window;
Object.assign(globalThis, { window, document, navigator, IS_REACT_ACT_ENVIRONMENT: true });
