/** The command `insitu` for scripts that prove something with it: `$INSITU`, or built from this checkout. */
import { join } from 'node:path';
import { ask, run } from './tools.mjs';

const target = () => JSON.parse(ask('cargo', ['metadata', '--format-version', '1', '--no-deps'])).target_directory;
const built = async () => {
  if (!(await run('cargo', ['build', '--release', '--features', 'cli']))) process.exit(2);
  return join(target(), 'release', process.platform === 'win32' ? 'insitu.exe' : 'insitu');
};
const command = env.INSITU ?? (await built());

/** Runs it with its output shown; a failure ends the script. */
export async function insitu(...args) {
  const words = args.map(String);
  console.log(`\n$ insitu ${words.join(' ')}`);
  const started = Date.now();
  if (!(await run(command, words))) process.exit(2);
  console.log(`${((Date.now() - started) / 1000).toFixed(0)} s`);
}

/** The options of a script, `--name value`, over their defaults; a folder is made where none is named. */
export function options(defaults) {
  const given = { ...defaults };
  const words = process.argv.slice(2);
  for (let i = 0; i < words.length; i += 2) {
    const name = words[i].replace(/^--/, '');
    if (!(name in defaults) || words[i + 1] === undefined) {
      console.error(
        `found ${words[i]}, expected ${Object.keys(defaults)
          .map((key) => `--${key} VALUE`)
          .join(', ')}`,
      );
      process.exit(2);
    }
    given[name] = words[i + 1];
  }
  return given;
}
