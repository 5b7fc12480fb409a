/** What pages of the tutorial have their readers write and run. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./devServer.js";

/** The blocks of code of one language on a page, in order. */
export function blocks(page: string, language: string): string[] {
  const text = readFileSync(join(ROOT, "docs", "tutorial", `${page}.md`), "utf8");
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(
    ([, code = ""]) => code,
  );
}

/** The files of a page, by their names, which their first lines tell. */
export function files(page: string): Map<string, string> {
  const named = [...blocks(page, "python"), ...blocks(page, "html")].map((code): [string, string] => {
    const [line = ""] = code.split("\n");
    return [/^(?:# |<!-- )(\S+)/.exec(line)?.[1] ?? "", code.slice(line.length + 1)];
  });
  return new Map(named.filter(([name]) => name !== ""));
}
