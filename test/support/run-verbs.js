/*
 * Runs many commands of the built program in one process, which is quicker than a process for each. Everything is loaded
 * before the process gives up its rights, because another user may not be able to read the program.
 * Arguments: JSON of {"uid"?: number, "commands": [["ls", "--json"], ...]}. Prints JSON of {code, stdout, stderr} for each.
 */
const { readdirSync } = require('node:fs');
const { join } = require('node:path');
const SqliteDatabase = require('better-sqlite3');

const CLI = join(__dirname, '..', '..', 'dist', 'cli');
const { commands, uid } = JSON.parse(process.argv[2]);

for (const name of readdirSync(CLI, { recursive: true })) {
  if (name.endsWith('.js') && name !== 'main.js') require(join(CLI, name));
}
// Loads its native part.
new SqliteDatabase(':memory:').close();
if (uid !== undefined) process.setuid(uid);

const write = process.stdout.write.bind(process.stdout);

async function runOne(args) {
  const { runCommand } = require(join(CLI, 'run-command.js'));
  const written = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) {
    process[stream].write = (text) => {
      written[stream] += text;
      return true;
    };
  }
  process.argv = [...process.argv.slice(0, 2), ...args];
  process.exitCode = undefined;
  const code = (await runCommand(args)) ?? process.exitCode ?? 0;
  return { code, ...written };
}

async function runAll() {
  const results = [];
  for (const args of commands) results.push(await runOne(args));
  process.exitCode = 0;
  write(JSON.stringify(results));
}

void runAll();
