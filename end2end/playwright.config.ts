// Every flow four times: with JavaScript and without, on SQLite and on PostgreSQL; what needs no browser once a database.

import { defineConfig } from '@playwright/test';
import { launchOptions } from './support/chromium.ts';
import type { Database, Mode, Options } from './support/test.ts';

const modes: Mode[] = ['script', 'plain'];
const databases: Database[] = ['sqlite'];
if (process.env.LATCHKEY_TEST_POSTGRES) {
  databases.push('postgres');
} else if (process.env.CI) {
  throw new Error('LATCHKEY_TEST_POSTGRES is not set, and CI wants PostgreSQL; .ci/with-postgres sets it');
} else if (process.env.TEST_WORKER_INDEX === undefined) {
  console.warn('\n!!! LATCHKEY_TEST_POSTGRES is not set: ONLY SQLITE IS TESTED (.ci/with-postgres sets it)\n');
}

export default defineConfig<Options>({
  testDir: 'tests',
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  workers: process.env.LATCHKEY_WORKERS ? Number(process.env.LATCHKEY_WORKERS) : 2,
  timeout: 30_000,
  reporter: process.env.CI || !process.stdout.isTTY ? 'list' : 'line',
  use: { launchOptions, locale: 'en-GB', timezoneId: 'UTC', trace: 'off' },
  projects: databases.flatMap((database) =>
    modes.map((mode) => ({
      name: `${mode}-${database}`,
      use: { mode, database, javaScriptEnabled: mode === 'script' },
      testIgnore: mode === 'plain' ? ['**/*.script.spec.ts', '**/*.api.spec.ts'] : undefined,
    })),
  ),
});
