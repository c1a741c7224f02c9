/** Some of every kind of fault; `npm run test:faults` makes them all. */
import { EVERY_DAY } from '../faults/matrix.mjs';
import { testFaults } from '../faults/run.mjs';

testFaults(`${EVERY_DAY.length} faults`, EVERY_DAY);
