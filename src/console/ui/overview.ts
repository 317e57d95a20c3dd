import { computed } from '@preact/signals';
import type { AboutShape } from '../../operator/shapes.ts';
import { callApi } from './lib/api.ts';
import { createResource } from './lib/resource.ts';
import { forgetters } from './session.ts';

/** The gateway, its limits, and how much there is: for the counts of the navigation and for About. */
export const overview = createResource((signal) => callApi<AboutShape>('about', { signal }));

forgetters.add(overview.forget);

export const isTestMode = computed(() => overview.value.value?.testMode === true);
