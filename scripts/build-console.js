// Builds the page of the console into dist/console/ui.
const { join } = require('node:path');

const UI = join(__dirname, '..', 'src', 'console', 'ui');

async function buildConsole() {
  const { build } = await import('vite');
  await build({
    root: UI,
    configFile: false,
    // A proxy may put a prefix before the page.
    base: './',
    publicDir: false,
    logLevel: 'warn',
    build: {
      outDir: join(__dirname, '..', 'dist', 'console', 'ui'),
      emptyOutDir: true,
      target: 'es2022',
      // The policy of the page allows no inline script, and no data of other schemes.
      modulePreload: false,
      assetsInlineLimit: 0,
      license: { fileName: 'LICENSES.md' },
    },
  });
}

buildConsole().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
