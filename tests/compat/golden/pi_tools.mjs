// Calls Pi's own tools in the current directory: reads [[tool, arguments], ...] from stdin and
// prints their schemas and answers. The package is imported from $PACKAGE.
import { existsSync, globSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const pi = await import(pathToFileURL(`${process.env.PACKAGE}/dist/index.js`).href);
const cwd = process.cwd();
// Pi's own `find` needs a newer `fd` than distributions have; the texts are Pi's all the same.
const find = {
  exists: existsSync,
  glob: (pattern, where, { limit }) =>
    globSync(pattern.includes("/") ? pattern : `**/${pattern}`, { cwd: where }).slice(0, limit),
};
const tools = Object.fromEntries(
  ["Read", "Bash", "Edit", "Write", "Grep", "Find", "Ls"].map((name) => {
    const tool = pi[`create${name}Tool`](cwd, name === "Find" ? { operations: find } : {});
    return [tool.name, tool];
  }),
);
const schemas = Object.values(tools).map(({ name, description, parameters }) => ({
  name,
  description,
  parameters,
}));
const calls = [];
for (const [tool, given] of JSON.parse(readFileSync(0, "utf8"))) {
  let answer;
  try {
    const prepared = tools[tool].prepareArguments?.(given) ?? given;
    const result = await tools[tool].execute("1", prepared);
    const text = result.content.map((block) => block.text ?? "").join("");
    answer = { text, is_error: result.isError ?? false };
  } catch (error) {
    answer = { text: error.message, is_error: true };
  }
  calls.push(answer);
}
console.log(JSON.stringify({ tools: schemas, answers: calls }));
