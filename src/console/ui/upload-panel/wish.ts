import { signal } from '@preact/signals';
import { hrefOf, route } from '../lib/route.ts';
import { forgetters } from '../session.ts';
import { addFiles } from './transfers.ts';

/* What the next files that are chosen shall become. */

export const name = signal('');
export const version = signal('');
export const isClaimWanted = signal(false);
/** Whether files were chosen to be claimed at once, without a name and a version for their package. */
export const isNameMissing = signal(false);

forgetters.add(() => {
  name.value = '';
  version.value = '';
  isClaimWanted.value = false;
  isNameMissing.value = false;
});

/** Begins to upload files, unless a claim is wanted whose name or version is missing. */
export function startFiles(files: readonly File[]): void {
  if (files.length === 0) return;
  const wish = { name: name.value.trim(), version: version.value.trim() };
  isNameMissing.value = isClaimWanted.value && (wish.name === '' || wish.version === '');
  if (isNameMissing.value) return;
  addFiles(files, isClaimWanted.value ? wish : undefined);
}

/** Takes files that are dropped anywhere on the page. @returns a function that ends it */
export function takeDroppedFiles(): () => void {
  const allow = (event: DragEvent): void => {
    if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
  };
  const drop = (event: DragEvent): void => {
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0) return;
    // Else the browser would leave the page for the file.
    event.preventDefault();
    startFiles(files);
    if (route.peek().screen !== 'uploads' || route.peek().id !== '') {
      location.hash = hrefOf('uploads');
    }
  };
  addEventListener('dragover', allow);
  addEventListener('drop', drop);
  return () => {
    removeEventListener('dragover', allow);
    removeEventListener('drop', drop);
  };
}
