/** What gateways that share a ledger agree on. */
export interface SharedState {
  /** Remembers a value under a name, unless there is one. @returns the value that is remembered now */
  agree(name: string, value: string): Promise<string>;
  /** @returns the value that is remembered under a name; undefined when there is none */
  find(name: string): Promise<string | undefined>;
  /** @returns whether this gateway does a job now: no other one has begun it within an interval in milliseconds */
  beginJob(name: string, interval: number): Promise<boolean>;
  /** @returns the clock of the ledger, in Unix milliseconds */
  now(): Promise<number>;
}
