import { effect, signal } from '@preact/signals';

/** What a person has chosen for this browser. It is no secret, so the browser may keep it. */

export const LANGUAGES = ['en', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export const language = signal<Language>(
  keptChoice('language', LANGUAGES) ?? (navigator.language.startsWith('zh') ? 'zh' : 'en'),
);
export const theme = signal<Theme>(keptChoice('theme', THEMES) ?? 'auto');

effect(() => {
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en';
});
effect(() => {
  document.documentElement.dataset['theme'] = theme.value;
});

/** Changes the language, and keeps that for the next visit. */
export function setLanguage(value: Language): void {
  language.value = value;
  keep('language', value);
}

/** Changes the colors, and keeps that for the next visit. */
export function setTheme(value: Theme): void {
  theme.value = value;
  keep('theme', value);
}

function keptChoice<T extends string>(name: string, choices: readonly T[]): T | undefined {
  const kept = read(name);
  return choices.find((choice) => choice === kept);
}

function read(name: string): string | null {
  try {
    return localStorage.getItem(`ota-gateway.${name}`);
  } catch {
    // The browser keeps nothing for this page.
    return null;
  }
}

function keep(name: string, value: string): void {
  try {
    localStorage.setItem(`ota-gateway.${name}`, value);
  } catch {
    // It holds until the page is left.
  }
}
