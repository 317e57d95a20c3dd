import type { PostResponse } from '../client/post-object.ts';

/** Elements of an OSS error that tell a person nothing. */
const LEFT_OUT = ['HostId', 'RecommendDoc'];

/** @returns what OSS has answered to a refused form: its code, its message, and a line for each other element */
export function describeRefusal({ body, status }: PostResponse): string {
  const elements = [...body.matchAll(/<(\w+)>([^<]*)<\/\1>/g)].map(
    ([, name = '', text = '']) => [name, unescapeXml(text)] as const,
  );
  const { Code, Message, ...others } = Object.fromEntries(elements);
  if (Code === undefined)
    return `the upload was refused with status ${String(status)}: ${body.slice(0, 200)}`;
  const details = Object.entries(others).filter(([name]) => !LEFT_OUT.includes(name));
  return [
    `the upload was refused with ${String(status)} ${Code}: ${Message ?? ''}`,
    ...details.map(([name, text]) => `  ${name}: ${text}`),
  ].join('\n');
}

function unescapeXml(text: string): string {
  const characters: Readonly<Record<string, string>> = {
    lt: '<',
    gt: '>',
    quot: '"',
    apos: "'",
    amp: '&',
  };
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => characters[name] ?? '');
}
