#!/usr/bin/env node
/**
 * `npm run compare`: one forward pass of the same network, ours beside its peers, in turn in one headless Chromium.
 * Every contestant runs once, then each again, after a round that does not count; the medians are compared.
 *
 *   -- --only ort,ours-1    these alone, by key or by the beginning of a key
 *   -- --rounds 5           how many rounds count
 *   -- --base 8 --size 48 48 48    one network; without it, base 8 at 48^3 and base 32 at 64^3
 *   -- --train              a training step in place of the forward pass; --batch 2 of so many samples, natively
 *   -- --native             onnxruntime for Python and `insitu bench` as well, outside the browser
 *   -- --head               a made head of 256^3 in place of a network: memory and seconds (tests/memory/run.mjs)
 *   -- --json FILE          every time that was measured
 */
import { writeFileSync } from 'node:fs';
import { run } from '../tools.mjs';
import { chosen, contestants, reluctance } from './contestants.mjs';
import { readOptions } from './options.mjs';
import { machine, markdown, summary } from './report.mjs';
import { Stage } from './stage.mjs';

/** Between two turns: a pool of threads spins for a moment after its work, and would take the next one's core. */
const REST_MS = 200;
const rest = () => new Promise((resolve) => setTimeout(resolve, REST_MS));

/** The first line of what went wrong, without what Playwright puts before it. */
const firstLine = (error) =>
  String(error?.message ?? error)
    .trim()
    .split('\n')[0]
    .replace(/^page\.evaluate: (Error: )?/, '');

/** One network, all that entered: each gets its times in milliseconds, or the reason why it has none. */
async function race({ base, size }, { entered, only, rounds, train, batch, stage }) {
  const rows = entered.map((contestant) => ({ ...contestant, times: [] }));
  const guarded = async (row, work) => {
    try {
      await work();
    } catch (error) {
      row.notRun = firstLine(error);
      await row.player?.close();
      console.error(`  ${row.key}: not run: ${row.notRun}`);
    }
    await rest();
  };
  for (const row of rows) {
    await guarded(row, async () => {
      const reason = reluctance(row, base, only);
      if (reason) throw new Error(reason);
      row.player = await row.start({ base, size, train, batch, ...row.options }, stage);
      if (row.player.version) row.name += ` ${row.player.version}`;
    });
  }
  for (let round = 0; round <= rounds; round += 1) {
    for (const row of rows.filter(({ notRun }) => !notRun)) {
      await guarded(row, async () => {
        const ms = await row.player.turn();
        if (!(ms > 0)) throw new Error(`expected milliseconds, found ${ms}`);
        if (round > 0) row.times.push(ms);
        console.error(`  round ${round || 'to warm up'}: ${row.key} ${ms.toFixed(0)} ms`);
      });
    }
  }
  for (const { player, notRun } of rows) if (!notRun) await player.close();
  return summary({ base, size, rows });
}

const { only, rounds, networks, native, train, batch, head, json } = readOptions(process.argv.slice(2));
if (head) process.exit((await run(process.execPath, ['tests/memory/run.mjs', 'head', 'box', 'object'])) ? 0 : 1);
const entered = chosen({ only, native, train });
if (entered.length === 0)
  throw new Error(`nobody to run: the keys are ${contestants.map(({ key }) => key).join(', ')}; native ones need --native`);
const stage = new Stage();
try {
  const about = await machine(stage, rounds);
  const results = [];
  for (const network of networks) {
    console.error(`base ${network.base}, ${network.size.join(' x ')}`);
    results.push(await race(network, { entered, only, rounds, train, batch, stage }));
  }
  console.log(markdown({ ...about, train, batch }, results));
  if (json) writeFileSync(json, `${JSON.stringify({ ...about, train, batch, results }, null, 2)}\n`);
} finally {
  await stage.close();
}
