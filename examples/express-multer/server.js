const { createGateway } = require('ota-upload-gateway');
const { createApp } = require('./app.js');

async function main() {
  const gateway = await createGateway({ dataDir: './storage' });
  gateway.startJobs();
  const server = createApp(gateway).listen(3000, () => {
    console.log('listening on http://localhost:3000');
  });
  process.once('SIGTERM', () => {
    server.close(() => gateway.close());
  });
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
