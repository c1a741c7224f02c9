/** Some of every kind of fault; `npm run test:faults` makes them all. */
import { testKills } from '../faults/kills.mjs';
import { EVERY_DAY } from '../faults/matrix.mjs';
import { testFaults } from '../faults/run.mjs';

testFaults(`${EVERY_DAY.length} faults`, EVERY_DAY);
testKills(1);
