// Removes the declarations in dist/ that no entry point of the package refers to: two thirds of them, which the exports of the package hide.
const { readdirSync, rmSync } = require('node:fs');
const { join, resolve } = require('node:path');
const { createProgram, ModuleKind, ModuleResolutionKind } = require('typescript');
const { exports: entries } = require('../package.json');

const dist = resolve(__dirname, '..', 'dist');
const roots = Object.values(entries).flatMap(({ types }) => (types === undefined ? [] : [types]));
const program = createProgram(
  roots.map((path) => resolve(__dirname, '..', path)),
  { module: ModuleKind.NodeNext, moduleResolution: ModuleResolutionKind.NodeNext, types: [] },
);
const needed = new Set(program.getSourceFiles().map(({ fileName }) => resolve(fileName)));
if (!roots.every((path) => needed.has(resolve(__dirname, '..', path))))
  throw new Error(`an entry point of the package has no declarations: ${roots.join(', ')}`);

for (const entry of readdirSync(dist, { recursive: true })) {
  const path = join(dist, entry);
  if (path.endsWith('.d.ts') && !needed.has(path)) rmSync(path);
}
