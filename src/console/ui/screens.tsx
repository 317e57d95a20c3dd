import type { JSX } from 'preact';
import type { AboutShape } from '../../operator/shapes.ts';
import { About } from './about/about.tsx';
import { Packages } from './packages/packages.tsx';
import { Refusals } from './refusals/refusals.tsx';
import { Storage } from './storage/storage.tsx';
import { Uploads } from './uploads/uploads.tsx';

/** A place in the page. */
export interface ScreenEntry {
  readonly name: 'uploads' | 'packages' | 'refusals' | 'storage' | 'about';
  /** @param props.id - what is shown; empty: the list */
  readonly component: (props: { readonly id: string }) => JSX.Element;
  readonly isForOperators?: boolean;
  /** Is reached in another way than by the navigation. */
  readonly isHidden?: boolean;
  /** The number beside its name. */
  readonly count?: (about: AboutShape) => number;
}

/** Every screen. To add one, add a line. */
export const SCREENS: readonly ScreenEntry[] = [
  {
    name: 'uploads',
    component: Uploads,
    count: ({ usage }) => usage.uploads.stored.count,
  },
  { name: 'packages', component: Packages, count: ({ usage }) => usage.packages },
  { name: 'refusals', component: Refusals },
  { name: 'storage', component: Storage, isForOperators: true },
  { name: 'about', component: About, isHidden: true },
];
