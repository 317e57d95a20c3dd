import { runInThisContext } from 'node:vm';

/**
 * The global object of Node itself. Jest runs tests in another one: its fake timers do not reach Node, and its
 * environment jsdom has no `Response`.
 */
const nodeGlobal: unknown = runInThisContext('globalThis');

/** @returns a member of Node's own global object */
export function nodeMember(name: 'process' | 'queueMicrotask'): unknown {
  return memberOf(nodeGlobal, name);
}

export function memberOf(value: unknown, name: string): unknown {
  return isObject(value) ? Reflect.get(value, name) : undefined;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** @returns Node's own class, or another one that replaced it */
export function nodeResponse(): typeof Response {
  const own = memberOf(nodeGlobal, 'Response');
  return isResponseClass(own) ? own : Response;
}

function isResponseClass(value: unknown): value is typeof Response {
  return typeof value === 'function';
}

/**
 * Defines the symbol of `await using` where it is missing: Jest's environment jsdom has a `Symbol` of its own, and Node
 * adds the member only to its own.
 */
export function provideAsyncDispose(): void {
  const own = memberOf(memberOf(nodeGlobal, 'Symbol'), 'asyncDispose');
  if (memberOf(Symbol, 'asyncDispose') !== undefined || own === undefined) return;
  Object.defineProperty(Symbol, 'asyncDispose', { value: own });
}
