import { join } from 'node:path';
import type { BuiltGateway } from './built-gateway.ts';
import { startBuiltGateway, temporaryFolder } from './built-gateway.ts';

// Call these functions at the top of a `describe` or of a file: they register the hooks that set up and clean up.

/** A temporary folder; its path is known while a test or a hook runs. */
export interface SuiteFolder {
  readonly path: string;
}

/** Makes one temporary folder for all tests of a suite, and removes it after them. */
export function folderForSuite(): SuiteFolder {
  const folder = new CurrentFolder();
  beforeAll(() => folder.make());
  afterAll(() => folder.remove());
  return folder;
}

/** Makes a new temporary folder for each test, and removes it after the test. */
export function folderForEachTest(): SuiteFolder {
  const folder = new CurrentFolder();
  beforeEach(() => folder.make());
  afterEach(() => folder.remove());
  return folder;
}

class CurrentFolder implements SuiteFolder {
  #current: Awaited<ReturnType<typeof temporaryFolder>> | undefined;

  get path(): string {
    return running(this.#current).path;
  }

  async make(): Promise<void> {
    this.#current = await temporaryFolder();
  }

  async remove(): Promise<void> {
    await this.#current?.remove();
  }
}

/** A gateway that runs while a test or a hook runs. */
export interface SuiteGateway extends Pick<BuiltGateway, 'url' | 'port' | 'dataDir' | 'output'> {
  /** A temporary folder; the data folder of the gateway is a subfolder of it. */
  readonly folder: string;
}

/**
 * Starts one built gateway for all tests of a suite. After them it stops the gateway, checks that its exit code is 0,
 * and removes the folder.
 * @param start - starts the gateway in a folder
 */
export function gatewayForSuite(
  start: (folder: string) => Promise<BuiltGateway> = (folder) =>
    startBuiltGateway(join(folder, 'data')),
): SuiteGateway {
  const folder = new CurrentFolder();
  let gateway: BuiltGateway | undefined;
  beforeAll(async () => {
    await folder.make();
    gateway = await start(folder.path);
  });
  afterAll(async () => {
    try {
      expect(await gateway?.stop()).toBe(0);
    } finally {
      await folder.remove();
    }
  });
  return {
    get url() {
      return running(gateway).url;
    },
    get port() {
      return running(gateway).port;
    },
    get dataDir() {
      return running(gateway).dataDir;
    },
    get folder() {
      return folder.path;
    },
    output: () => running(gateway).output(),
  };
}

function running<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the hooks of the suite have not run yet');
  return value;
}
