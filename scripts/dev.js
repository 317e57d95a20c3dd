// Compiles on every change and restarts the server on every compilation.
const { spawn, spawnSync } = require('node:child_process');

// Type errors do not prevent the start: the compiler reports them and still writes the files.
spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });

const compiler = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--watch'];
const server = ['--watch', 'dist/cli/main.js', 'serve', ...process.argv.slice(2)];
const children = [[...compiler, '--preserveWatchOutput'], server].map((command) =>
  spawn(process.execPath, command, { stdio: 'inherit' }),
);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => children.forEach((child) => child.kill(signal)));
}
