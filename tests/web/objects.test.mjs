/** A model of two objects in the package: each in a box of its own, found or given by name. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { root } from '../../scripts/tools.mjs';
import { launch, serve } from './browser.mjs';
import { EMPTY_PAGE } from './empty-page.mjs';
import { DIMS, imageFile, modelFiles, PLACES, sizeOf } from './objects.mjs';
import { snippets } from './packed.mjs';

const file = (body) => ({ type: 'application/octet-stream', body });
const served = (folder, files) => Object.fromEntries(Object.entries(files).map(([name, body]) => [`/${folder}/${name}`, file(body)]));
const MILLILITERS = DIMS.reduce((a, b) => a * b) / 1000;

let server;
let browser;
let page;
before(async () => {
  server = await serve(join(root, 'pkg'), {
    extra: {
      '/': EMPTY_PAGE,
      ...served('two', modelFiles()),
      ...served('one', modelFiles({ objects: ['left'], measured: [] })),
      '/objects.js': { type: 'text/javascript', body: snippets()['objects.js'].replace("'insitu-seg'", "'/index.js'") },
      '/both.nii.gz': file(imageFile()),
      '/right.nii.gz': file(imageFile(['right'])),
    },
  });
  browser = await launch();
  page = await browser.newPage();
  await page.goto(server.url);
  await page.evaluate(async () => {
    const { createSegmenter } = await import('/index.js');
    const image = async (name) => new Uint8Array(await (await fetch(`/${name}.nii.gz`)).arrayBuffer());
    const models = {};
    for (const model of ['one', 'two']) models[model] = await createSegmenter({ model: `/${model}/`, backend: 'cpu' });
    /** A run as plain values. */
    const run = async (model, name, options) => {
      const result = await models[model].segment(await image(name), options);
      const { labels, classes, box, boxes, intracranialMl, warnings, timings, report } = result;
      const stages = timings.map(({ stage }) => stage);
      const values = [...new Set(labels)].sort();
      return { values, classes, box, boxes, intracranialMl, warnings, stages, report, csv: result.toCsv() };
    };
    const refused = (...call) =>
      run(...call).then(
        () => null,
        ({ name, code, message }) => ({ name, code, message }),
      );
    window.t = { image, run, refused };
  });
});
after(async () => {
  await browser?.close();
  await server?.close();
});

const run = (...call) => page.evaluate((call) => t.run(...call), call);
const voxels = ({ classes }) => Object.fromEntries(classes.map((one) => [one.name, one.voxels]));
const holds = ({ start, end }, name) => start.every((at, axis) => at <= PLACES[name].start[axis] && end[axis] >= PLACES[name].end[axis]);

describe('a model of two objects', () => {
  it('finds each in a box of its own, and measures what is inside the skull', async () => {
    const found = await run('two', 'both');
    assert.deepEqual(voxels(found), { 'Left front': sizeOf('left'), 'Left back': 0, 'Right front': sizeOf('right'), 'Right back': 0 });
    assert.deepEqual(
      found.boxes.map(({ object, side }) => [object, side]),
      [
        ['left', 'left'],
        ['right', 'right'],
      ],
    );
    for (const { object, ...box } of found.boxes) assert.ok(holds(box, object), JSON.stringify(box));
    const { start, end } = found.boxes[0];
    assert.deepEqual(found.box, { start, end });
    assert.ok(Math.abs(found.intracranialMl - MILLILITERS) < 1e-6, found.intracranialMl);
    assert.deepEqual(found.report.boxes, found.boxes);
    assert.equal(found.report.intracranial_ml, found.intracranialMl);
  });

  it('has the volumes as a table, with what is inside the skull where that was measured', async () => {
    const { boxes, csv } = await run('two', 'both');
    const [left, right] = ['left', 'right'].map((name) => sizeOf(name) / 1000);
    const row = (index, name, volume) => {
      const share = ((1000 * volume) / MILLILITERS).toFixed(6);
      return `${index},${name},${1000 * volume},${volume.toFixed(4)},${MILLILITERS.toFixed(4)},${share}`;
    };
    assert.deepEqual(csv.split('\n'), [
      'index,name,voxels,milliliters,intracranial_milliliters,permille_of_intracranial',
      row(1, 'Left front', left),
      row(2, 'Left back', 0),
      row(3, 'Right front', right),
      row(4, 'Right back', 0),
      '',
    ]);
    const { start, end } = boxes[0];
    const only = await run('two', 'both', { boxes: { left: { start, end } }, only: true });
    assert.deepEqual(only.csv.split('\n'), [
      'index,name,voxels,milliliters',
      `1,Left front,${sizeOf('left')},${left.toFixed(4)}`,
      '2,Left back,0,0.0000',
      '',
    ]);
  });

  it('says which object it does not find', async () => {
    const found = await run('two', 'right');
    assert.deepEqual(
      found.boxes.map(({ object }) => object),
      ['right'],
    );
    assert.match(found.warnings.join(), /no left object/);
    assert.deepEqual(found.report.warnings, found.warnings);
  });

  it('segments an object in the box that is given, and looks for the others', async () => {
    const { start, end } = (await run('two', 'both')).boxes[0];
    const [from, to] = [PLACES.left.start[2], PLACES.left.end[2]];
    const half = { start, end: end.with(2, from + 4) };
    const found = await run('two', 'both', { boxes: { left: half } });
    assert.equal(voxels(found)['Left front'], (sizeOf('left') * 4) / (to - from));
    assert.equal(voxels(found)['Right front'], sizeOf('right'));
    assert.deepEqual(found.boxes[0], { object: 'left', ...half, side: 'left' });
    assert.ok(found.stages.includes('whole'));
  });

  it('does not look for objects whose boxes are all given', async () => {
    const { boxes } = await run('two', 'both');
    const given = Object.fromEntries(boxes.map(({ object, start, end }) => [object, { start, end }]));
    const found = await run('two', 'both', { boxes: given });
    assert.deepEqual(found.boxes, boxes);
    assert.equal(voxels(found)['Right front'], sizeOf('right'));
    assert.ok(!found.stages.includes('whole'), found.stages.join());
    assert.equal(found.intracranialMl, undefined);
  });

  it('segments one object and nothing else where only that is asked for, and all of them the next time', async () => {
    const { boxes } = await run('two', 'both');
    const [, { start, end }] = boxes;
    const only = await run('two', 'both', { boxes: { right: { start, end } }, only: true });
    assert.deepEqual(voxels(only), { 'Right front': sizeOf('right'), 'Right back': 0 });
    assert.deepEqual(only.values, [0, 3]);
    assert.deepEqual(only.boxes, [boxes[1]]);
    assert.ok(!only.stages.includes('whole'), only.stages.join());
    assert.deepEqual(
      only.warnings.filter((sentence) => sentence.includes('left')),
      [],
    );
    const outside = { right: { start, end: end.with(0, DIMS[0] + 1) } };
    assert.equal((await page.evaluate((boxes) => t.refused('two', 'both', { boxes, only: true }), outside)).code, 'argument');
    assert.equal(voxels(await run('two', 'both'))['Left front'], sizeOf('left'));
  });

  it('runs the JavaScript of the README as it stands there', async () => {
    const { classes, boxes } = await page.evaluate(async () => {
      const { shortened } = await import('/objects.js');
      return (({ classes, boxes }) => ({ classes, boxes }))(await shortened(await t.image('both'), '/two/'));
    });
    assert.deepEqual([classes.length, boxes.length, boxes[0].object], [2, 1, 'left']);
  });

  it('calls the one object of another model "object"', async () => {
    const { boxes } = await run('one', 'both');
    assert.deepEqual(
      boxes.map(({ object }) => object),
      ['object'],
    );
    const { start, end } = boxes[0];
    const found = await run('one', 'both', { boxes: { object: { start, end } }, only: true });
    assert.deepEqual([found.boxes, found.stages.includes('whole')], [boxes, false]);
  });
});

const BOX = { start: [1, 2, 3], end: [20, 20, 20] };
const REFUSALS = {
  'the name of no object': ['two', { boxes: { middle: BOX } }, /"middle".*left or right/],
  'a name, where the model has one object': ['one', { boxes: { left: BOX } }, /"left".*object/],
  'a box of half voxels': ['two', { boxes: { left: { ...BOX, start: [1, 2, 0.5] } } }, /boxes\.left.*whole voxels/],
  'a box without an end': ['two', { boxes: { right: { start: [1, 2, 3] } } }, /boxes\.right/],
  'a box that is empty': ['two', { boxes: { right: { start: [5, 5, 5], end: [5, 9, 9] } } }, /box/],
  'a box outside of the image': ['two', { boxes: { right: { start: [5, 5, 5], end: [5, 9, 900] } } }, /box/],
  'numbers too large for the engine': ['two', { boxes: { right: { start: [5, 5, 5], end: [9, 9, 1e15] } } }, /box/],
  'a box and boxes': ['two', { box: BOX, boxes: { left: BOX } }, /either/],
  'boxes that are none': ['two', { boxes: 'left' }, /boxes/],
  'only, without boxes': ['two', { only: true }, /only/],
};

describe('boxes that are wrong', () => {
  for (const [what, [model, options, sentence]] of Object.entries(REFUSALS)) {
    it(`are refused as 'argument': ${what}`, async () => {
      const error = await page.evaluate((call) => t.refused(...call), [model, 'both', options]);
      assert.equal(error?.code, 'argument', error?.message);
      assert.match(error.message, /^[^\n]+\.$/);
      assert.match(error.message, sentence);
    });
  }
});
