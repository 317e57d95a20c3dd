import { describeLedgerChanges } from '../contract/ledger-changes-contract.ts';
import { describeLedgerQueries } from '../contract/ledger-queries-contract.ts';
import { describeNonces } from '../contract/nonces-contract.ts';
import { describeQuota } from '../contract/quota-contract.ts';
import { describeRefusalGroups } from '../contract/refusal-groups-contract.ts';
import { describeRefusals } from '../contract/refusals-contract.ts';
import { describeUploadLedger } from '../contract/upload-ledger-contract.ts';
import { describeUsageHistory } from '../contract/usage-history-contract.ts';
import { createSchema, openNode, passOnServer } from './support/postgres.ts';

/** Everything that two gateways record in one database. */
async function openTwo() {
  const { drop, url } = await createSchema();
  const [one, other] = [await openNode(url), await openNode(url)];
  return {
    ...one,
    one,
    other,
    pass: passOnServer,
    dispose: async () => {
      await Promise.all([one.ledger.close(), other.ledger.close()]);
      await drop();
    },
  };
}

const NAME = 'PostgreSQL';

async function openLedgers() {
  const two = await openTwo();
  return { ...two, another: two.other.ledger };
}

describeUploadLedger(NAME, openLedgers);
describeLedgerQueries(NAME, openLedgers);
describeLedgerChanges(NAME, openLedgers);
describeNonces(NAME, async () => {
  const two = await openTwo();
  return { ...two, another: two.other.nonces };
});
describeQuota(NAME, async () => {
  const two = await openTwo();
  return { ...two, another: two.other.quota };
});
describeRefusals(NAME, openTwo);
describeRefusalGroups(NAME, openTwo);
describeUsageHistory(NAME, openTwo);
