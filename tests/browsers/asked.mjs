/** Which browsers a command is to look at, and whether they are there. */
import { required } from '../not-run.mjs';

/** @param {string[]} words of the command line @param {string[]} kinds all there are @returns {string[]} */
export function askedFor(words, kinds) {
  const unknown = words.filter((word) => !kinds.includes(word));
  if (unknown.length > 0) throw new Error(`expected of ${kinds.join(', ')}, found ${unknown.join(' ')}`);
  return words.length > 0 ? words : kinds;
}

/** Why a browser is not looked at, or null; throws where it has to be. @param {string} kind @param {() => string | null} lacks */
export function whyNot(kind, lacks) {
  const why = lacks();
  if (why && required().has(kind === 'chromium' ? 'browser' : kind)) throw new Error(`not run, but INSITU_REQUIRE lists ${kind}: ${why}`);
  return why;
}
