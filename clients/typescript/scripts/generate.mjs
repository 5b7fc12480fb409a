// Writes src/generated/api.ts and src/generated/eventTypes.ts from docs/openapi.json: node scripts/generate.mjs [--check].
// With --check it writes nothing, and exits 1 where they are not what it would write.
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const ROOTS = [
  "CancelExecution",
  "Error",
  "Event",
  "ExecutionStarted",
  "ExecutionView",
  "HistoryFound",
  "SignalExecution",
  "SignalRecorded",
  "StartExecution",
];
const OPTIONS = { defaultNonNullable: false, alphabetize: true };
const HEAD = "// Generated from docs/openapi.json by `npm run generate`; not to be edited.\n";

const description = JSON.parse(readFileSync(new URL("../../../docs/openapi.json", import.meta.url), "utf8"));
const wanted = {
  api: HEAD + (await schemas(description)),
  eventTypes: HEAD + eventTypes(description),
};
const stale = Object.entries(wanted).filter(([name, text]) => current(name) !== text);
if (process.argv.includes("--check")) {
  for (const [name] of stale) console.error(`src/generated/${name}.ts is stale: npm run generate`);
  process.exitCode = stale.length ? 1 : 0;
} else {
  for (const [name, text] of stale) writeFileSync(pathOf(name), text);
}

/** The types of the roots, and of all that they refer to. */
async function schemas({ openapi, info, components }) {
  const kept = {};
  const pending = [...ROOTS];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (kept[name]) continue;
    kept[name] = components.schemas[name];
    const references = JSON.stringify(kept[name]).matchAll(/#\/components\/schemas\/(\w+)/g);
    for (const [, reference] of references) pending.push(reference);
  }
  const sorted = Object.fromEntries(Object.entries(kept).sort(([a], [b]) => (a < b ? -1 : 1)));
  // It writes into what it is given.
  const subset = structuredClone({ openapi, info, paths: {}, components: { schemas: sorted } });
  return astToString(await openapiTS(subset, OPTIONS));
}

function eventTypes({ components }) {
  const types = components.schemas.Event.oneOf.map(
    ({ $ref }) => components.schemas[$ref.split("/").at(-1)].properties.type.const,
  );
  const lines = types.map((type) => `  ${JSON.stringify(type)},\n`).join("");
  return `/** Every type of event, in the order of the contract. */\nexport const EVENT_TYPES = [\n${lines}] as const;\n`;
}

function current(name) {
  try {
    return readFileSync(pathOf(name), "utf8");
  } catch {
    return undefined;
  }
}

function pathOf(name) {
  return new URL(`../src/generated/${name}.ts`, import.meta.url);
}
