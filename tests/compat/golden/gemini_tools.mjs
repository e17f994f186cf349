// Calls Gemini CLI's own tools in the current directory: reads [[tool, arguments], ...] from
// stdin and prints their schemas and answers. The package is imported from $PACKAGE.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const core = await import(pathToFileURL(`${process.env.PACKAGE}/dist/src/index.js`).href);
const cwd = process.cwd();
const config = new core.Config({
  sessionId: "golden",
  targetDir: cwd,
  cwd,
  debugMode: false,
  model: "gemini-2.5-pro",
  interactive: false,
  trustedFolder: true,
  approvalMode: "yolo",
  disableLLMCorrection: true,
});
await config.initialize();
config.getBaseLlmClient = () => ({}); // it corrects nothing here, but it is asked for
const registry = config.getToolRegistry();
const calls = JSON.parse(readFileSync(0, "utf8"));
const names = [...new Set(calls.map(([name]) => name))];
const schemas = names.map((name) => {
  const { description, parametersJsonSchema } = registry.getTool(name).schema;
  return { name, description, parameters: parametersJsonSchema };
});
const answers = [];
for (const [name, given] of calls) {
  try {
    const invocation = registry.getTool(name).build(given);
    const abortSignal = new AbortController().signal;
    const { llmContent, error } = await invocation.execute({ abortSignal });
    const text = [llmContent].flat().map((part) => part.text ?? part).join("");
    answers.push({ text, is_error: error !== undefined });
  } catch (error) {
    answers.push({ text: error.message, is_error: true });
  }
}
process.stdout.write(`\n${JSON.stringify({ tools: schemas, answers })}\n`, () => process.exit(0));
