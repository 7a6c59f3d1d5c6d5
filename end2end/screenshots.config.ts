// Takes a picture of every page into `screenshots/`; it tests nothing.

import { defineConfig } from '@playwright/test';
import { launchOptions } from './support/chromium.ts';
import type { Options } from './support/test.ts';

export default defineConfig<Options>({
  testDir: 'screenshots.spec',
  testMatch: '*.ts',
  timeout: 120_000,
  reporter: 'line',
  use: { launchOptions, locale: 'en-GB', timezoneId: 'UTC', mode: 'script', database: 'sqlite' },
});
