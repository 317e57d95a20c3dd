import { COST, GrowingBuffer } from '../../../src/http/growing-buffer.ts';
import { BudgetExhausted, MemoryBudget } from '../../../src/http/memory-budget.ts';

const PATIENT = 60_000;

describe('a budget of memory', () => {
  it('lets requests hold memory up to the total, and takes it back', () => {
    const budget = new MemoryBudget({ total: 100, free: 0, waitLimit: 0, maxWaiting: 10 });
    const share = budget.open();
    expect(share.grow(60)).toBeUndefined();
    expect(share.grow(40)).toBeUndefined();
    expect(budget.held).toBe(100);
    share.shrink(30);
    expect(budget.held).toBe(70);
    share.release();
    share.release();
    expect(budget.held).toBe(0);
  });

  it('rejects a reservation that does not fit in time', async () => {
    const budget = new MemoryBudget({ total: 100, free: 0, waitLimit: 0, maxWaiting: 10 });
    expect(budget.open().grow(100)).toBeUndefined();
    const late = budget.open();
    await expect(late.grow(1)).rejects.toThrow(BudgetExhausted);
    expect(budget.held).toBe(100);
  });

  it('rejects a reservation at once while as many others wait as may', async () => {
    const budget = new MemoryBudget({ total: 100, free: 0, waitLimit: PATIENT, maxWaiting: 1 });
    const first = budget.open();
    expect(first.grow(100)).toBeUndefined();
    const waiting = budget.open().grow(50);
    await expect(budget.open().grow(50)).rejects.toThrow('100 are held, 1 requests wait');
    first.release();
    await waiting;
    expect(budget.open().grow(50)).toBeUndefined();
  });

  it('lets each request hold its free part while others hold the total', () => {
    const budget = new MemoryBudget({ total: 100, free: 10, waitLimit: 0, maxWaiting: 10 });
    expect(budget.open().grow(100)).toBeUndefined();
    const small = budget.open();
    expect(small.grow(6)).toBeUndefined();
    expect(small.grow(4)).toBeUndefined();
    expect(budget.held).toBe(110);
  });

  it('admits waiting requests in their order, as soon as there is room', async () => {
    const budget = new MemoryBudget({ total: 100, free: 0, waitLimit: PATIENT, maxWaiting: 10 });
    const first = budget.open();
    expect(first.grow(100)).toBeUndefined();
    const order: string[] = [];
    const shares = ['a', 'b', 'c'].map((name) => {
      const share = budget.open();
      const admitted = share.grow(50)?.then(() => order.push(name));
      return { share, admitted };
    });
    first.release();
    for (const { admitted } of shares.slice(0, 2)) await admitted;
    expect(order).toEqual(['a', 'b']);
    expect(budget.held).toBe(100);
    shares[0]?.share.release();
    await shares[2]?.admitted;
    expect(order).toEqual(['a', 'b', 'c']);
    for (const { share } of shares) share.release();
    expect(budget.held).toBe(0);
  });

  it('does not let a later small reservation pass the waiting ones', async () => {
    const budget = new MemoryBudget({ total: 100, free: 0, waitLimit: PATIENT, maxWaiting: 10 });
    const first = budget.open();
    expect(first.grow(60)).toBeUndefined();
    const large = budget.open();
    const waited = large.grow(50);
    const late = budget.open().grow(1);
    expect(late).toBeDefined();
    first.release();
    await waited;
    await late;
    expect(budget.held).toBe(51);
  });

  it('takes back memory that a request receives after its end', async () => {
    const budget = new MemoryBudget({ total: 100, free: 0, waitLimit: PATIENT, maxWaiting: 10 });
    const first = budget.open();
    expect(first.grow(100)).toBeUndefined();
    const gone = budget.open();
    const waited = gone.grow(50);
    gone.release();
    first.release();
    await waited;
    expect(budget.held).toBe(0);
  });
});

describe('a growing buffer', () => {
  const text = Buffer.from('the quick brown fox jumps over the lazy dog '.repeat(50));

  it('joins pieces of any size', async () => {
    for (const size of [1, 7, 300, text.length]) {
      const share = new MemoryBudget({ total: 1e6, free: 0, waitLimit: 0, maxWaiting: 10 }).open();
      const buffer = new GrowingBuffer(share, text.length);
      for (let at = 0; at < text.length; at += size) {
        await buffer.append(text.subarray(at, at + size));
      }
      expect(buffer.bytes().equals(text)).toBe(true);
    }
  });

  it('takes its memory from its share, and never more than its maximum', async () => {
    const budget = new MemoryBudget({ total: 1e6, free: 0, waitLimit: 0, maxWaiting: 10 });
    const buffer = new GrowingBuffer(budget.open(), text.length);
    for (const byte of text) {
      await buffer.append(Buffer.from([byte]));
      expect(budget.held).toBeGreaterThanOrEqual(buffer.length);
      expect(budget.held).toBeLessThanOrEqual(COST * Math.max(256, 2 * buffer.length));
    }
    expect(budget.held).toBe(COST * text.length);
  });

  it('reuses its memory after it is cleared', async () => {
    const budget = new MemoryBudget({ total: 1e6, free: 0, waitLimit: 0, maxWaiting: 10 });
    const buffer = new GrowingBuffer(budget.open(), text.length);
    await buffer.append(text);
    buffer.clear();
    expect(buffer.bytes()).toHaveLength(0);
    await buffer.append(text.subarray(0, 100));
    expect(buffer.bytes().equals(text.subarray(0, 100))).toBe(true);
    expect(budget.held).toBe(COST * text.length);
  });

  it('does not hold a piece that its share refuses', async () => {
    const budget = new MemoryBudget({ total: COST * 1000, free: 0, waitLimit: 0, maxWaiting: 10 });
    const buffer = new GrowingBuffer(budget.open(), 10_000);
    await buffer.append(Buffer.alloc(900));
    await expect(buffer.append(Buffer.alloc(900))).rejects.toThrow(BudgetExhausted);
    expect(buffer.length).toBe(900);
    expect(budget.held).toBe(COST * 900);
  });
});
