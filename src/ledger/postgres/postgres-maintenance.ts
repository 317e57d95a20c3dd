import type { LedgerMaintenance } from '../../uploads/maintenance/ports.ts';
import { CONTRADICTIONS, describeContradictions } from '../contradictions.ts';
import type { ContradictionRow } from '../contradictions.ts';
import { withClient } from './connections.ts';
import type { PostgresAddress } from './connections.ts';
import { WRONG_TOTALS, describeWrongTotals } from './wrong-totals.ts';
import type { WrongTotalRow } from './wrong-totals.ts';

/** What an operator of the gateways does with a ledger in PostgreSQL; its copies are those of PostgreSQL. */
export class PostgresMaintenance implements Pick<LedgerMaintenance, 'findDamage'> {
  readonly #address: PostgresAddress;

  constructor(address: PostgresAddress) {
    this.#address = address;
  }

  /** Each contradiction is looked for at one moment, so gateways may be running. */
  findDamage(): Promise<string[]> {
    return withClient(this.#address, async (client) => {
      const damage: string[] = [];
      for (const each of CONTRADICTIONS) {
        const { rows } = await client.query<ContradictionRow>(each.sql);
        damage.push(...describeContradictions(each, rows));
      }
      const { rows } = await client.query<WrongTotalRow>(WRONG_TOTALS);
      return [...damage, ...describeWrongTotals(rows)];
    });
  }
}
