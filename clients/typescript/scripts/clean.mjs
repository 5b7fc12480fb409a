// Removes what the last build left, so that nothing that is gone from src can be packed.
import { rmSync } from "node:fs";

rmSync(new URL("../dist", import.meta.url), { recursive: true, force: true });
