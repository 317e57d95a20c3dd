import { execFileSync } from 'node:child_process';

/*
 * A network namespace for one gateway. Two links lead to it: clients use one, and the engines are behind the other, which
 * can be cut: packets then vanish without an answer, as behind a broken switch. The addresses are of 198.18.0.0/15, which
 * is for tests of networks.
 */

/** A gateway that can be cut off from its engines. */
export interface CutOff {
  /** Where clients reach it. */
  readonly address: string;
  /** Where it reaches its engines, and others that are not cut off do too. */
  readonly engines: string;
  /** What starts a program inside. */
  readonly launcher: readonly string[];
  /** Lets every packet between it and its engines vanish. */
  cut(): void;
  isUp(): boolean;
  /** Lets packets flow again. */
  mend(): void;
  remove(): void;
}

function ip(...args: readonly string[]): void {
  try {
    execFileSync('ip', args, { stdio: 'pipe' });
  } catch (error) {
    const advice = 'this test needs iproute2, and the right to make network namespaces (root)';
    throw new Error(`ip ${args.join(' ')} has failed: ${advice}`, { cause: error });
  }
}

/** Makes a namespace with its links. */
export function createCutOff(): CutOff {
  const id = process.pid % 65_536;
  const name = `ota-${String(id)}`;
  const [front, back] = [`ota-f${String(id)}`, `ota-b${String(id)}`];
  const subnet = `198.18.${String(id % 256)}`;
  const engines = `198.19.${String(id % 256)}.1`;
  const remove = (): void => {
    // Its links go with it.
    ip('netns', 'delete', name);
    ip('address', 'delete', `${engines}/32`, 'dev', 'lo');
  };
  let isUp = true;
  ip('netns', 'add', name);
  try {
    ip('address', 'add', `${engines}/32`, 'dev', 'lo');
    for (const [link, first] of [
      [front, 1],
      [back, 5],
    ] as const) {
      ip('link', 'add', link, 'type', 'veth', 'peer', 'name', link, 'netns', name);
      ip('address', 'add', `${subnet}.${String(first)}/30`, 'dev', link);
      ip('-netns', name, 'address', 'add', `${subnet}.${String(first + 1)}/30`, 'dev', link);
      ip('link', 'set', link, 'up');
      ip('-netns', name, 'link', 'set', link, 'up');
    }
    ip('-netns', name, 'link', 'set', 'lo', 'up');
    ip('-netns', name, 'route', 'add', engines, 'via', `${subnet}.5`);
  } catch (error) {
    remove();
    throw error;
  }
  return {
    ...{ address: `${subnet}.2`, engines, remove },
    launcher: ['ip', 'netns', 'exec', name],
    isUp: () => isUp,
    cut: () => {
      ip('link', 'set', back, 'down');
      isUp = false;
    },
    mend: () => {
      ip('link', 'set', back, 'up');
      isUp = true;
    },
  };
}
