import { applyEdits, findNodeAtLocation, parseTree } from 'jsonc-parser';
import type { Edit, Node } from 'jsonc-parser';
import type { JsonValue } from './json-layout.ts';
import { appendElement, removeChild, removeMember, setMember } from './json-layout.ts';

/*
 * Changes of the text of a valid accounts file. Each function returns the new text, in which nothing else has changed.
 */

/** A permanent access key. */
export interface NewAccessKey {
  readonly id: string;
  readonly secret: string;
}

/** Adds an account. @param text - undefined for a new file */
export function addAccount(
  text: string | undefined,
  account: Readonly<Record<string, JsonValue>>,
): string {
  if (text === undefined) return `${JSON.stringify({ accounts: [account] }, undefined, 2)}\n`;
  return applyEdits(text, [appendElement(text, accountsOf(text), account)]);
}

/** Adds an access key to an account. */
export function addAccessKey(
  text: string,
  accountId: string,
  { id, secret }: NewAccessKey,
): string {
  const keys = findNodeAtLocation(findById(accountsOf(text), accountId), ['accessKeys']);
  return applyEdits(text, [appendElement(text, required(keys), { id, secret })]);
}

/** Disables an access key: now, or from a time on. @param from - Unix milliseconds */
export function disableAccessKey(text: string, accessKeyId: string, from?: number): string {
  const key = findAccessKey(text, accessKeyId);
  const edit =
    from === undefined
      ? setMember(text, key, 'disabled', true)
      : setMember(text, key, 'disabledFrom', new Date(from).toISOString());
  return applyEdits(text, [edit]);
}

/** Enables an access key, however it was disabled. */
export function enableAccessKey(text: string, accessKeyId: string): string {
  return ['disabled', 'disabledFrom'].reduce(
    (changed, name) => applyEdits(changed, removeMember(findAccessKey(changed, accessKeyId), name)),
    text,
  );
}

/** Removes an access key. */
export function removeAccessKey(text: string, accessKeyId: string): string {
  return applyEdits(text, [removeFromParent(findAccessKey(text, accessKeyId))]);
}

/** Removes an account with its access keys. */
export function removeAccount(text: string, accountId: string): string {
  return applyEdits(text, [removeFromParent(findById(accountsOf(text), accountId))]);
}

function removeFromParent(element: Node): Edit {
  return removeChild(required(element.parent), element);
}

function accountsOf(text: string): Node {
  const tree = required(parseTree(text));
  return required(findNodeAtLocation(tree, ['accounts']));
}

function findAccessKey(text: string, accessKeyId: string): Node {
  const keys = accountsOf(text).children?.flatMap((account) => {
    return findNodeAtLocation(account, ['accessKeys'])?.children ?? [];
  });
  return required(keys?.find((key) => hasId(key, accessKeyId)));
}

function findById(array: Node, id: string): Node {
  return required(array.children?.find((element) => hasId(element, id)));
}

function hasId(element: Node, id: string): boolean {
  return findNodeAtLocation(element, ['id'])?.value === id;
}

/** The file was validated before, and the caller has found the account or the key in it. */
function required(node: Node | undefined): Node {
  if (node === undefined) throw new Error('the accounts file does not have what shall be changed');
  return node;
}
