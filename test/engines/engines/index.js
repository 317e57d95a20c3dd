// Every engine: a line for each.
module.exports = [require('./postgres.js'), require('./s3-store.js')];
