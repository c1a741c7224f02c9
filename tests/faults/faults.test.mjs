/** `npm run test:faults`: all of the matrix. */
import { MATRIX } from './matrix.mjs';
import { testFaults } from './run.mjs';

testFaults(`${MATRIX.length} faults`, MATRIX);
