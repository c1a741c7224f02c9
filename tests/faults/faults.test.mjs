/** `npm run test:faults`: all of the matrix, and a GPU process killed five times. */
import { testKills } from './kills.mjs';
import { MATRIX } from './matrix.mjs';
import { testFaults } from './run.mjs';

testFaults(`${MATRIX.length} faults`, MATRIX);
testKills(5);
