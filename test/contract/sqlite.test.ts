import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedgerDatabase } from '../../src/ledger/sqlite/database.ts';
import { SqliteLedger } from '../../src/ledger/sqlite/sqlite-ledger.ts';
import { SqliteNonces } from '../../src/ledger/sqlite/sqlite-nonces.ts';
import { SqliteRefusals } from '../../src/ledger/sqlite/sqlite-refusals.ts';
import { SqliteUsage } from '../../src/ledger/sqlite/sqlite-usage.ts';
import { describeLedgerChanges } from './ledger-changes-contract.ts';
import { describeLedgerQueries } from './ledger-queries-contract.ts';
import { describeNonces } from './nonces-contract.ts';
import { describeRefusalGroups } from './refusal-groups-contract.ts';
import { describeRefusals } from './refusals-contract.ts';
import { describeUploadLedger } from './upload-ledger-contract.ts';
import { describeUsageHistory } from './usage-history-contract.ts';

/** Everything that SQLite records; each port twice, over one database. */
function openAll(dataDir: string | undefined) {
  const database = openLedgerDatabase(dataDir);
  return {
    ledgers: { ledger: new SqliteLedger(database), another: new SqliteLedger(database) },
    nonces: { nonces: new SqliteNonces(database), another: new SqliteNonces(database) },
    refusals: { refusals: new SqliteRefusals(database) },
    usage: { usage: new SqliteUsage(database) },
    dispose: () => database.close(),
  };
}

async function openFile() {
  const folder = await mkdtemp(join(tmpdir(), 'ota-ledger-'));
  const opened = openAll(folder);
  const dispose = async (): Promise<void> => {
    await opened.dispose();
    await rm(folder, { recursive: true });
  };
  return { ...opened, dispose };
}

describe.each([
  ['SQLite in memory', () => Promise.resolve(openAll(undefined))],
  ['SQLite in a file', openFile],
])('%s', (name, open) => {
  type Opened = ReturnType<typeof openAll>;
  const only =
    <T extends object>(choose: (opened: Opened) => T) =>
    async (): Promise<T & Pick<Opened, 'dispose'>> => {
      const opened = await open();
      return { ...choose(opened), dispose: opened.dispose };
    };
  describeUploadLedger(
    name,
    only(({ ledgers }) => ledgers),
  );
  describeLedgerQueries(
    name,
    only(({ ledgers }) => ledgers),
  );
  describeLedgerChanges(
    name,
    only(({ ledgers }) => ledgers),
  );
  describeNonces(
    name,
    only(({ nonces }) => nonces),
  );
  describeRefusals(
    name,
    only(({ refusals }) => refusals),
  );
  describeRefusalGroups(
    name,
    only(({ refusals }) => refusals),
  );
  describeUsageHistory(
    name,
    only(({ usage }) => usage),
  );
});
