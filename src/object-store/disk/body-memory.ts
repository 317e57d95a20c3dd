/** Memory that the bytes of one body may hold while they are gathered and written. */
export interface Loan {
  /** The memory is needed elsewhere: what was gathered should go to the disk now. Called once at most. */
  onNeeded: (() => void) | undefined;
  readonly isNeeded: boolean;
  /** The bytes are there; what happens next no longer depends on the client. */
  endGathering(): void;
  /** Gives the memory back. Idempotent. */
  giveBack(): void;
}

/** Bodies that wait for memory let the others gather for so long; who has not finished by then goes to the disk. */
const PATIENCE_MS = 250;

interface Waiting {
  readonly bytes: number;
  readonly resolve: (loan: Loan) => void;
}

/** A loan, as its lender sees it. */
interface Lent extends Loan {
  isNeeded: boolean;
  isGathering: boolean;
  /** It was gathering already when the lender looked last. */
  isOld: boolean;
}

/**
 * Memory for the bodies that are being gathered, of all uploads together. When there is no more, those that ask wait
 * in turn. Clients that stop in the middle of a body cannot keep it: when somebody waits, their bytes go to the disk.
 */
export class BodyMemory {
  #free: number;
  #waiting: Waiting[] = [];
  readonly #lent = new Set<Lent>();
  #watch: NodeJS.Timeout | undefined;

  /** @param bytes - that are lent at the most; a loan of more than that is given when nothing else is lent */
  constructor(bytes: number) {
    this.#free = bytes;
  }

  /** @returns as soon as there is so much memory */
  borrow(bytes: number): Promise<Loan> {
    if (this.#waiting.length === 0 && this.#fits(bytes)) return Promise.resolve(this.#lend(bytes));
    this.#watch ??= setInterval(() => {
      this.#look();
    }, PATIENCE_MS);
    return new Promise((resolve) => {
      this.#waiting.push({ bytes, resolve });
    });
  }

  #fits(bytes: number): boolean {
    return bytes <= this.#free || this.#lent.size === 0;
  }

  #lend(bytes: number): Loan {
    this.#free -= bytes;
    const loan: Lent = {
      onNeeded: undefined,
      isNeeded: false,
      isGathering: true,
      isOld: false,
      endGathering: () => {
        loan.isGathering = false;
      },
      giveBack: () => {
        if (!this.#lent.delete(loan)) return;
        this.#free += bytes;
        this.#serve();
      },
    };
    this.#lent.add(loan);
    return loan;
  }

  #serve(): void {
    let served = 0;
    for (const { bytes, resolve } of this.#waiting) {
      if (!this.#fits(bytes)) break;
      served += 1;
      resolve(this.#lend(bytes));
    }
    if (served > 0) this.#waiting = this.#waiting.slice(served);
    if (this.#waiting.length > 0) return;
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  #look(): void {
    for (const loan of this.#lent) {
      if (loan.isGathering && loan.isOld && !loan.isNeeded) {
        loan.isNeeded = true;
        loan.onNeeded?.();
      }
      loan.isOld = true;
    }
  }
}
