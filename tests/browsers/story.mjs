#!/usr/bin/env node
/**
 * `npm run test:story`: a person's hour with eight files (tests/web/story.test.mjs), in each browser.
 *
 *   npm run test:story -- [chromium] [firefox]
 *
 * A browser that is not there is "not run", unless INSITU_REQUIRE lists it. Pictures are made by the first.
 */
import { run } from '../../scripts/tools.mjs';
import { askedFor, whyNot } from './asked.mjs';
import * as chromium from './chromium.mjs';
import * as firefox from './firefox.mjs';

const BROWSERS = { chromium, firefox };

let failed = false;
for (const kind of askedFor(process.argv.slice(2), Object.keys(BROWSERS))) {
  const { name, lacks } = BROWSERS[kind];
  const missing = whyNot(kind, lacks);
  if (missing) {
    console.log(`${name}: not run: ${missing}`);
    continue;
  }
  const env = { INSITU_BROWSER: kind };
  console.log(name);
  if (!(await run(process.execPath, ['--test', '--test-reporter=spec', 'tests/web/story.test.mjs'], { env }))) failed = true;
}
process.exit(failed ? 1 : 0);
