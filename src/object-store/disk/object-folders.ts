import { makeDurableFolder } from '../files.ts';
import { objectFolder } from './layout.ts';

/** Creates the subfolders of `objects/`, each once. */
export class ObjectFolders {
  readonly #dataDir: string;
  /** The subfolders that exist or are being created. */
  readonly #created = new Map<string, Promise<void>>();

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /** Creates the folder of a body, unless it exists. Its name survives a power cut. */
  async create(locator: string): Promise<void> {
    const folder = objectFolder(this.#dataDir, locator);
    const creating = this.#created.get(folder) ?? makeDurableFolder(folder);
    this.#created.set(folder, creating);
    try {
      await creating;
    } catch (error) {
      this.#created.delete(folder);
      throw error;
    }
  }
}
