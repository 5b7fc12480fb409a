// Checks what would be published: the built modules with their types, the README and the license, and nothing else;
// and that what is built can be imported. Exits 1 where something is amiss.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const EXPECTED = /^(package\.json|README\.md|LICENSE|dist\/[\w/]+\.(js|d\.ts))$/;

const [packed] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json"], { encoding: "utf8" }));
const files = packed.files.map((file) => file.path);
const { exports } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const named = Object.values(exports)
  .flatMap(Object.values)
  .map((path) => path.slice(2));
const modules = readdirSync(new URL("../src", import.meta.url), { recursive: true })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => `dist/${path.replace(/\.ts$/, ".js")}`);

const faults = [
  ...files.filter((path) => !EXPECTED.test(path)).map((path) => `${path} does not belong into the package`),
  ...[...named, ...modules, "README.md", "LICENSE"]
    .filter((path) => !files.includes(path))
    .map((path) => `${path} is missing from the package`),
];
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exit(1);

const { Flowstrand } = await import(new URL("../dist/index.js", import.meta.url).href);
await import(new URL("../dist/react/index.js", import.meta.url).href);
if (typeof Flowstrand !== "function") throw new Error("the package has no client");
console.log(
  `${packed.filename}: ${files.length} files, ${Math.round(packed.unpackedSize / 1024)} KB unpacked`,
);
