import { existsSync } from 'node:fs';

interface Cleanup {
  closeLater(close: () => unknown): void;
  runRow<T>(row: (options: object) => Promise<T>, options: object): Promise<T>;
}

interface Servers {
  startPeer(file: string, ...args: string[]): Promise<{ readonly pid: number }>;
  temporaryFolder(): { readonly path: string };
}

const { closeLater, runRow } = jest.requireActual<Cleanup>('../../../bench/cleanup.js');
const { startPeer, temporaryFolder } = jest.requireActual<Servers>('../../../bench/servers.js');

describe('a row of the benchmark', () => {
  it('closes what it has opened in the reverse order, and returns its figures', async () => {
    const closed: number[] = [];
    const row = async (options: object): Promise<object> => {
      for (const number of [1, 2, 3]) closeLater(() => closed.push(number));
      return options;
    };
    await expect(runRow(row, { rounds: 5 })).resolves.toEqual({ rounds: 5 });
    expect(closed).toEqual([3, 2, 1]);
  });

  it('closes all the rest, and throws its own error, when it fails and one close fails', async () => {
    const closed: number[] = [];
    const row = async (): Promise<never> => {
      closeLater(() => closed.push(1));
      closeLater(() => Promise.reject(new Error('not closed')));
      closeLater(() => closed.push(3));
      throw new Error('failed half way');
    };
    await expect(runRow(row, {})).rejects.toThrow('failed half way');
    expect(closed).toEqual([3, 1]);
  });

  it('throws the error of a close when nothing else has failed', async () => {
    const row = async (): Promise<void> => {
      closeLater(() => Promise.reject(new Error('not closed')));
    };
    await expect(runRow(row, {})).rejects.toThrow('not closed');
  });

  it('stops its server and removes its folder when it fails half way', async () => {
    let server = 0;
    let folder = '';
    const row = async (): Promise<never> => {
      folder = temporaryFolder().path;
      server = (await startPeer('json-peer.js', '{}')).pid;
      process.kill(server, 0);
      expect(existsSync(folder)).toBe(true);
      throw new Error('failed half way');
    };
    await expect(runRow(row, {})).rejects.toThrow('failed half way');
    expect(() => process.kill(server, 0)).toThrow('ESRCH');
    expect(existsSync(folder)).toBe(false);
  });
});
