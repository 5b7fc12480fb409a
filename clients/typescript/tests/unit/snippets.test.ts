import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, onTestFinished, test } from "vitest";

const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));
const FOLDER = `${PACKAGE}node_modules/.snippets/`;
const PAGES = ["README.md", "../../docs/clients.md"];
/** What the prose takes for given. */
const GIVEN = `
declare const url: string, org: string, token: string, id: string;
declare const session: { token(): Promise<string> };
declare function show(value: unknown): void;
`;

function snippetsOf(page: string): string[] {
  const text = readFileSync(`${PACKAGE}${page}`, "utf8");
  return [...text.matchAll(/^```tsx?\n(.*?)^```$/gms)].map((found) => found[1] ?? "");
}

/** What the compiler has against these files, as strictly as it is with the package. */
function faultsOf(files: readonly string[]): string[] {
  const config = ts.readConfigFile(`${PACKAGE}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, PACKAGE);
  const program = ts.createProgram([...files], {
    ...options,
    noUnusedLocals: false,
    jsx: ts.JsxEmit.ReactJSX,
    paths: {
      "@flowstrand/client": [`${PACKAGE}src/index.ts`],
      "@flowstrand/client/react": [`${PACKAGE}src/react/index.ts`],
    },
  });
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

test("the examples in the prose compile", { timeout: 180_000 }, () => {
  const snippets = PAGES.flatMap(snippetsOf);
  expect(snippets.length).toBeGreaterThan(3);
  mkdirSync(FOLDER, { recursive: true });
  onTestFinished(() => rmSync(FOLDER, { recursive: true }));
  writeFileSync(`${FOLDER}package.json`, '{"type": "module"}');
  const files = snippets.map((text, index) => {
    writeFileSync(`${FOLDER}${index}.tsx`, `export {};\n${GIVEN}\n${text}`);
    return `${FOLDER}${index}.tsx`;
  });
  expect(faultsOf(files)).toEqual([]);
});
