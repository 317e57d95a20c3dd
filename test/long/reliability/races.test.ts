import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { temporaryFolder } from '../../support/built-gateway.ts';
import { amount, Dice, report } from './dice.ts';
import { findProblems, inspectData } from './inspect-data.ts';
import type { UploadRow } from './inspect-data.ts';

const ROUNDS = amount('RELIABILITY_RACES', 500);
/** Rounds that run at the same time, each with its own key. */
const TOGETHER = 4;
const CONTENDERS = ['claim', 'store', 'delete', 'purge'] as const;

const result = z.object({
  kind: z.string(),
  locator: z.string().optional(),
  packageId: z.string().optional(),
});
const results = z.array(result);

interface Move {
  readonly move: (typeof CONTENDERS)[number];
  readonly key: string;
  /** Delay after the start, in milliseconds. */
  readonly after: number;
}

type Outcome = Move & z.infer<typeof result>;

const children = new Set<ChildProcess>();

/** Ends processes that a failed test has left running. */
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** A process that uses the ledger. */
class Player {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(dataDir: string): Promise<Player> {
    const child = fork(join(__dirname, 'race-player.js'), [dataDir]);
    children.add(child);
    await once(child, 'message');
    return new Player(child);
  }

  /** Does moves at a time of day. @returns their outcomes */
  async play(at: number, moves: readonly Move[]): Promise<Outcome[]> {
    const answered = once(this.#child, 'message');
    this.#child.send({ at, moves });
    const [answer] = await answered;
    const outcomes = results.parse(answer);
    return moves.map((move, n) => ({ ...move, ...outcomes[n], kind: outcomes[n]?.kind ?? '' }));
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }
}

/**
 * Compares the responses to the contenders for a key with its final state.
 * @returns the contradiction; undefined when there is none
 */
function findContradiction(
  key: string,
  outcomes: readonly Outcome[],
  rows: readonly UploadRow[],
): string | undefined {
  const fates = new Map(rows.map((row) => [row.locator, `${row.state} ${row.purge_reason ?? ''}`]));
  const story = JSON.stringify({ key, outcomes, fates: [...fates] });
  const claimed = rows.filter(({ state }) => state === 'claimed');
  const claim = outcomes.find(({ move }) => move === 'claim');
  if (claimed.length !== (claim?.kind === 'claimed' ? 1 : 0)) return `who has it? ${story}`;
  if (claimed.some((row) => row.package_id !== claim?.packageId)) return `whose is it? ${story}`;
  if (rows.filter(({ state }) => state === 'stored').length > 1) return `two at once: ${story}`;
  for (const { kind, locator } of outcomes) {
    if (kind === 'deleted' && !fates.get(locator ?? '')?.endsWith('deleted')) {
      return `deleted, but: ${story}`;
    }
    if (kind === 'stored' && !fates.has(locator ?? '')) return `stored, but: ${story}`;
    if (kind === 'immutable' && claimed.length === 0) return `immutable, but: ${story}`;
  }
  const tookPart = new Set(
    outcomes.flatMap(({ kind, locator }) => (kind === 'stored' ? [locator] : [])),
  );
  const strangers = rows.filter((row) => !tookPart.has(row.locator ?? ''));
  return strangers.length > 0 ? `who stored that? ${story}` : undefined;
}

describe('claim, purge, replace and delete of one key at the same instant, from two processes', () => {
  it(
    `have one consistent outcome in each of ${String(ROUNDS)} rounds`,
    async () => {
      const dice = Dice.roll('races');
      const folder = await temporaryFolder();
      const dataDir = join(folder.path, 'data');
      await mkdir(dataDir);
      // One after the other: the first process creates the ledger.
      const players = [await Player.start(dataDir), await Player.start(dataDir)] as const;
      const outcomes = new Map<string, Outcome[]>();
      for (let round = 0; round < ROUNDS; round += TOGETHER) {
        const keys = Array.from({ length: TOGETHER }, (_, n) => `key-${String(round + n)}`);
        const from = Date.now();
        const first = await players[0].play(
          0,
          keys.map((key) => ({ move: 'store', key, after: 0 })),
        );
        const storing = Date.now() - from;
        const orders: [Move[], Move[]] = [[], []];
        for (const key of keys) {
          // One purge handles all of them.
          const contenders = key === keys[0] ? CONTENDERS : CONTENDERS.slice(0, -1);
          for (const move of dice.shuffle(contenders)) {
            // Storing needs the longest time to reach the ledger, so the others start later.
            const after = move === 'store' ? 0 : dice.below(2 * storing);
            dice.pick(orders).push({ move, key, after });
          }
        }
        const at = Date.now() + 3;
        const both = await Promise.all(
          players.map((player, n) => player.play(at, orders[n] ?? [])),
        );
        for (const one of [...first, ...both.flat()]) {
          outcomes.set(one.key, [...(outcomes.get(one.key) ?? []), one]);
        }
      }
      const found = await inspectData(dataDir);
      const byKey = new Map<string, UploadRow[]>();
      for (const row of found.rows) byKey.set(row.key, [...(byKey.get(row.key) ?? []), row]);
      const contradictions = [...outcomes].flatMap(
        ([key, moves]) => findContradiction(key, moves, byKey.get(key) ?? []) ?? [],
      );
      expect(contradictions).toEqual([]);
      expect(await findProblems(found)).toEqual([]);

      // It was a race only if each of them has won some of the rounds.
      const winners = new Map<string, number>();
      for (const [, moves] of outcomes) {
        const [stored] = moves;
        const row = found.rows.find(({ locator }) => locator === stored?.locator);
        const fate = `${row?.state ?? ''} ${row?.purge_reason ?? ''}`;
        winners.set(fate, (winners.get(fate) ?? 0) + 1);
      }
      report('races', `final states of the first body: ${JSON.stringify([...winners])}`);
      expect([...winners.keys()].join()).toMatch(/claimed/);
      for (const reason of ['deleted', 'replaced', 'unclaimed']) {
        expect([...winners.keys()].join()).toContain(reason);
      }
      await Promise.all(players.map((player) => player.stop()));
      await folder.remove();
    },
    60_000 + ROUNDS * 100,
  );
});
