/** Part of `npm run test:burn`: faults of a tuning by burn. */
import { BURN } from './burn-matrix.mjs';
import { testFaults } from './run.mjs';

testFaults(`${BURN.length} faults of a tuning by burn`, BURN);
