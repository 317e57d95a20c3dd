import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { route, setQuery } from '../lib/route.ts';
import { TextField } from './field.tsx';

/** How long after the last key the list is read again. */
const PAUSE_MS = 250;

interface QueryFieldProps {
  /** In the query of the address. */
  readonly name: string;
  readonly label: string;
}

/** A field of a filter. Its text is kept in the address, so that the list can be bookmarked. */
export function QueryField({ label, name }: QueryFieldProps): JSX.Element {
  const kept = route.value.query.get(name) ?? '';
  const text = useSignal(kept);
  const sent = useRef(kept);
  useEffect(() => {
    if (kept === sent.current) return;
    sent.current = kept;
    text.value = kept;
  }, [kept]);
  useEffect(() => {
    const typed = text.value.trim();
    if (typed === sent.current) return undefined;
    const timer = window.setTimeout(() => {
      sent.current = typed;
      setQuery({ [name]: typed });
    }, PAUSE_MS);
    return () => {
      window.clearTimeout(timer);
    };
  }, [text.value]);
  return <TextField label={label} text={text} name={name} type="search" />;
}
