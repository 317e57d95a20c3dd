// Jest's globalTeardown.
const { started } = require('./start-engines.js');

module.exports = () => {
  for (const { stop } of started.splice(0).reverse()) stop();
};
