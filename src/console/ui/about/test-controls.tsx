import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { announce } from '../lib/announce.ts';
import type { ApiError } from '../lib/api.ts';
import { callTest } from '../lib/api.ts';
import { inBackground } from '../lib/background.ts';
import { formatNumber, formatTime } from '../lib/format.ts';
import { language } from '../lib/preferences.ts';
import { toApiError } from '../lib/resource.ts';
import { overview } from '../overview.ts';
import { ErrorNotice } from '../parts/notice.tsx';
import { t } from '../text/text.ts';

const STEPS = [1, 61, 1440] as const;

/** The controls of the test mode: moves the clock, and purges. */
export function TestControls(): JSX.Element {
  const error = useSignal<ApiError | undefined>(undefined);
  const texts = t.value.about;
  const run = (work: () => Promise<string>): void => {
    const attempt = async (): Promise<void> => {
      try {
        announce(await work());
        error.value = undefined;
        await overview.read();
      } catch (problem) {
        error.value = toApiError(problem);
      }
    };
    inBackground(attempt());
  };
  const move = async (minutes: number): Promise<string> => {
    const body = { minutes };
    const { time } = await callTest<{ readonly time: string }>('clock/advance', {
      method: 'POST',
      body,
    });
    return texts.moved(formatTime(time, language.value));
  };
  const purge = async (): Promise<string> => {
    const { purged } = await callTest<{ readonly purged: number }>('purge', {
      method: 'POST',
      body: {},
    });
    return texts.purged(formatNumber(purged, language.value));
  };
  return (
    <section class="card">
      <h2>{texts.testMode}</h2>
      <p class="muted">{texts.testHint}</p>
      {error.value && <ErrorNotice error={error.value} />}
      <div class="row">
        {STEPS.map((minutes) => (
          <button
            key={minutes}
            type="button"
            onClick={() => {
              run(() => move(minutes));
            }}
          >
            {texts.move(texts.steps[minutes])}
          </button>
        ))}
        <button
          type="button"
          onClick={() => {
            run(purge);
          }}
        >
          {texts.purge}
        </button>
      </div>
    </section>
  );
}
