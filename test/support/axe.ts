import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';

const SOURCE = readFile(require.resolve('axe-core/axe.min.js'), 'utf8');
// It is off by default, and a part of WCAG 2.2 AA.
const OPTIONS = { rules: { 'target-size': { enabled: true } } };

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

/** Makes axe run in a page, beside its policy. Call it before the page is opened. */
export async function prepareAxe(page: Page): Promise<void> {
  await page.addInitScript(await SOURCE);
}

/** @returns what axe finds in a page: the rule, the element, and why */
export async function axeProblems(page: Page): Promise<string[]> {
  const { violations } = await page.evaluate<AxeResults>(
    `axe.run(document, ${JSON.stringify(OPTIONS)})`,
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ failureSummary, html }) => `${id}: ${html} ${failureSummary ?? ''}`),
  );
}
