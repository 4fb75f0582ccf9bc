#!/usr/bin/env node
/**
 * Builds a module: `stepwell-build task.js -o task.wasm`.
 *
 * Bundles the task with what it imports into one file, TypeScript or JavaScript, and puts it into a component together
 * with a JavaScript engine. rolldown and componentize-js do the work; they are installed where the task is, or in the
 * folder that --toolchain names.
 */

import { mkdir, mkdtemp, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const SOURCES = dirname(fileURLToPath(import.meta.url));
/** The same in the project's own repository and in what `stepwell new` writes. */
const WIT = resolve(SOURCES, "../../../wit/stepwell-task");
const WORLD = "task";
/** What a task's world has no place for: a module answers calls, and not requests. */
const NO_SERVER = ["fetch-event"];
/** Without it a module asks the host for no network. */
const NO_FETCH = ["http", ...NO_SERVER];

const HELP = `Builds a task into a component.

Usage: stepwell-build [FILE] [-o COMPONENT] [--http] [--toolchain DIR] [--wit DIR]

  FILE             the task, JavaScript or TypeScript (default: task.js, or task.ts)
  -o COMPONENT     what to write (default: build/task.wasm)
  --http           with fetch(), also if no module.toml beside FILE asks for [[grants.http]]
  --toolchain DIR  folder in whose node_modules rolldown and componentize-js are (default: that of FILE)
  --wit DIR        folder of the contract with the host`;

/** Why there is no component, for a person. */
class BuildError extends Error {}

/** Builds the task in `source`; gives the component's size in bytes. */
export async function build({ source, output, http, toolchain = dirname(source), wit = WIT }) {
  const version = await worldVersion(wit);
  const { rolldown } = await tool(toolchain, "rolldown");
  const { componentize } = await tool(toolchain, "@bytecodealliance/componentize-js");
  const folder = await mkdtemp(join(tmpdir(), "stepwell-build-"));
  try {
    const [entry, bundle] = [join(folder, "entry.js"), join(folder, "bundle.js")];
    await writeFile(entry, entryText(source, version));
    await bundled(rolldown, entry, bundle, dirname(source));
    const { component } = await componentize({
      sourcePath: bundle,
      witPath: wit,
      worldName: WORLD,
      disableFeatures: http || (await makesRequests(dirname(source))) ? NO_SERVER : NO_FETCH,
    }).catch((error) => fail(`the component cannot be made: ${error.message}`));
    await mkdir(dirname(output), { recursive: true });
    // Under another name first, so that nobody reads half a file.
    const partial = `${output}.partial-${process.pid}`;
    await writeFile(partial, component);
    await rename(partial, output);
    return component.length;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The module whose export the host calls. */
function entryText(source, version) {
  const imports = ["context", "log", "heartbeat", "secrets"];
  return [
    ...imports.map((name) => `import * as ${name} from "stepwell:task/${name}@${version}";`),
    `import { handler } from ${JSON.stringify(join(SOURCES, "guest.js"))};`,
    `import task from ${JSON.stringify(source)};`,
    `export const handle = handler(task, { ${imports.join(", ")} });`,
    "",
  ].join("\n");
}

async function bundled(rolldown, input, file, folder) {
  const alias = { "stepwell-sdk/testing": join(SOURCES, "testing.js"), "stepwell-sdk": join(SOURCES, "index.js") };
  try {
    const bundle = await rolldown({
      input,
      cwd: folder,
      platform: "neutral",
      external: /^(stepwell|wasi):/,
      resolve: { alias, mainFields: ["module", "main"] },
      logLevel: "silent",
      onLog: (_, { code, message }) => {
        if (code === "UNRESOLVED_IMPORT") fail(message);
      },
    });
    await bundle.write({ file, format: "esm", codeSplitting: false });
    await bundle.close();
  } catch (error) {
    fail(`the task cannot be bundled: ${error.message}`);
  }
}

/** Whether the manifest of a module asks for requests. */
async function makesRequests(folder) {
  const manifest = await readFile(join(folder, "module.toml"), "utf8").catch(() => "");
  return /^\s*\[\[\s*grants\s*\.\s*http\s*\]\]/m.test(manifest);
}

/** The version of the world, which is a part of the names of its interfaces. */
async function worldVersion(wit) {
  const text = await readFile(join(wit, "task.wit"), "utf8").catch(() =>
    fail(`the contract with the host is not in ${wit}; name its folder with --wit`),
  );
  return /^package stepwell:task@([0-9.]+);/m.exec(text)?.[1] ?? fail(`${wit} is not the contract with the host`);
}

async function tool(folder, name) {
  const found = createRequire(join(resolve(folder), "package.json"));
  for (const path of found.resolve.paths(name) ?? []) {
    const manifest = join(path, name, "package.json");
    if (!(await stat(manifest).catch(() => undefined))) continue;
    const { exports, main } = JSON.parse(await readFile(manifest, "utf8"));
    return import(pathToFileURL(join(path, name, importPath(exports) ?? main ?? "index.js")));
  }
  const { devDependencies } = JSON.parse(await readFile(join(SOURCES, "../package.json"), "utf8"));
  return fail(`${name} is not installed in ${folder}: npm install --save-dev ${name}@${devDependencies[name]}`);
}

/** The file of a package's own name, by its manifest. */
function importPath(exports) {
  const own = exports?.["."] ?? exports;
  return typeof own === "object" && own !== null ? importPath(own.import ?? own.default) : own;
}

function fail(message) {
  throw new BuildError(message);
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      output: { type: "string", short: "o", default: "build/task.wasm" },
      http: { type: "boolean", default: false },
      toolchain: { type: "string" },
      wit: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const source = await sourceFile(positionals);
  const output = resolve(values.output);
  const { http, toolchain } = values;
  const size = await build({ source, output, http, toolchain, wit: values.wit && resolve(values.wit) });
  console.log(`${output} (${(size / 1e6).toFixed(1)} MB)`);
}

async function sourceFile(given) {
  if (given.length > 1) fail(`one file has the task, and not ${given.join(", ")}`);
  const names = given.length > 0 ? given : ["task.js", "task.ts"];
  for (const name of names) {
    if (await stat(name).catch(() => undefined)) return resolve(name);
  }
  return fail(`there is no ${names.join(" and no ")} here`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(await realpath(process.argv[1])).href) {
  main().catch((error) => {
    const isTold = error instanceof BuildError || error.code?.startsWith("ERR_PARSE_ARGS");
    console.error(`error: ${isTold ? error.message : error.stack}`);
    process.exitCode = 1;
  });
}
