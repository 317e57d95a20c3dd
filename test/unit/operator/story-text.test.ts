import { formatExplained, formatStory } from '../../../src/operator/explain/story-text.ts';
import type { ExplainedShape } from '../../../src/operator/shapes.ts';

const AT = Date.UTC(2024, 0, 1);
const explained: ExplainedShape = {
  refusal: {
    ...{ requestId: 'R1', at: new Date(AT).toISOString(), dialect: 'oss', code: 'AccessDenied' },
    ...{ status: 403, reason: 'condition_failed', message: 'text', repeats: 0 },
  },
  story: {
    headline: 'PostObject was refused',
    lines: [
      { mark: 'met', text: 'one' },
      { mark: 'notMet', text: 'two', details: ['sent\u202e'] },
      { mark: 'info', text: 'three' },
    ],
    toPass: 'send it again',
  },
};

describe('the text of a story', () => {
  it('has the headline with its age, the lines with their marks and details, and what to do', () => {
    expect(formatExplained(explained, AT + 150_000)).toBe(
      [
        'PostObject was refused, 2 min ago',
        '  met      one',
        '  NOT MET  two',
        '           sent\\u202e',
        '  three',
        'To pass: send it again.',
        '',
      ].join('\n'),
    );
  });

  it('colors what is not met', () => {
    const text = formatStory(explained.story, '', (style, part) => `<${style}>${part}`);
    expect(text).toContain('<bold>PostObject was refused\n');
    expect(text).toContain('<red>NOT MET  two\n');
  });
});
