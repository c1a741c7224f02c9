/**
 * What a test does where it cannot run: it says so, and fails where it has to run. `tests/common/not_run.rs` is the same
 * for the Rust tests: a line `need<TAB>test<TAB>why` in the file that INSITU_NOT_RUN names, and a failure where
 * INSITU_REQUIRE lists the need.
 */
import { appendFileSync } from 'node:fs';

/**
 * What a test may find missing: the folder ../shared/data; Python's readers; a GPU; a browser; what an
 * earlier check builds or writes; the network; Firefox; WebKit; something else of the machine.
 */
export const NEEDS = ['data', 'python', 'gpu', 'browser', 'build', 'network', 'firefox', 'webkit', 'machine'];

/** The needs that INSITU_REQUIRE lists; a word that is none of them is an error. */
export function required(list = process.env.INSITU_REQUIRE ?? '') {
  const names = list
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  const unknown = names.filter((name) => !NEEDS.includes(name));
  if (unknown.length > 0) throw new Error(`INSITU_REQUIRE: found ${unknown.join(', ')}, expected some of ${NEEDS.join(', ')}`);
  return new Set(names);
}

/** Records that `test` cannot run here; throws where it has to. Gives the reason, for the option `skip` of `describe`. */
export function cannotRun(test, need, why) {
  if (!NEEDS.includes(need)) throw new Error(`found the need ${need}, expected one of ${NEEDS.join(', ')}`);
  if (required().has(need)) throw new Error(`not run, but INSITU_REQUIRE lists ${need}: ${why}`);
  const file = process.env.INSITU_NOT_RUN;
  if (file) appendFileSync(file, `${need}\t${test}\t${why}\n`);
  return `not run: ${why}`;
}

/** Skips the test whose context is `t`, or the rest of it: `return notRun(t, ...)`. */
export const notRun = (t, need, why) => t.skip(cannotRun(t.fullName ?? t.name, need, why));
