/** The tables of words against each other and against the page; colours against every common colour blindness. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import ts from 'typescript';
import { root } from '../../scripts/tools.mjs';
import { COLORS } from '../../www/edit/table.js';
import { engineInWords } from '../../www/engine-words.js';
import engineDe from '../../www/i18n/de.engine.js';
import de from '../../www/i18n/de.js';
import en from '../../www/i18n/en.js';
import { chooseLanguage, setLanguage } from '../../www/i18n.js';

const www = join(root, 'www');
const sources = readdirSync(www, { recursive: true })
  .filter((name) => /\.(js|html)$/.test(name) && !/^(dist|node_modules|i18n\/)/.test(name))
  .map((name) => readFileSync(join(www, name), 'utf8'))
  .join('\n');
const blanks = (sentence) => (sentence.match(/\{\w+\}/g) ?? []).sort();

/** What is built, what writes the tables, and what runs without a page. */
const NOT_SHOWN = /^(dist|node_modules|i18n\/|vite\.config|offline|sw\.template)/;
/** Two words of letters beside each other, as no key, no path and no class has them. */
const SENTENCE = /[A-Za-z]{2,},? [A-Za-z]{2,}/;
/** A piece of a page, in which only texts are read. */
const MARKUP = /^\s*<\w/;
/** In files, which are in English whatever the page speaks; classes and selectors. */
const ALLOWED = [
  ...['unsigned char', 'signed char', 'unsigned short', 'signed short', 'unsigned int', 'signed int'],
  ...['short int', 'unsigned short int', 'signed short int'],
  ...['data file', 'space directions', 'space origin', 'space units', 'line skip', 'byte skip'],
  'Not a medical device. Not for diagnosis.',
  'box away',
  'side across',
  'side along',
  'quiet small',
  'insitu-seg SPACE=RAS; millimetres',
  'input, select, textarea',
];

/** Where the engine may put a sentence together of parts. */
const SEAMS = /[;:,().]|\{\d\}|(?<=it is )|(?<=it uses )|(?<=used )because/;

/** Strings and templates of a script that read like sentences. */
function sentencesOf(name, text) {
  const found = [];
  const visit = (node) => {
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddle(node) || ts.isTemplateTail(node);
    if (isText && MARKUP.test(node.text)) found.push(...textsIn(node.text));
    else if (isText && SENTENCE.test(node.text) && !ALLOWED.includes(node.text)) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true));
  return found;
}

/** Texts of the page itself, and of attributes that are read out; `noscript` is what remains without any script. */
const textsOf = (html) => textsIn(html.slice(html.indexOf('<body')).replace(/<noscript>.*?<\/noscript>/gs, ''));

/** Texts between tags, and in attributes that are read out. */
function textsIn(markup) {
  const texts = [...markup.matchAll(/>([^<]*)</g)].map(([, text]) => text.trim());
  const attributes = [...markup.matchAll(/ (?:title|aria-label|placeholder|alt)="([^"]*)"/g)].map(([, text]) => text);
  return [...texts, ...attributes].filter((text) => /[A-Za-z]{2,}/.test(text) && text !== 'insitu-seg');
}

describe('the words', () => {
  it('are the same in every language, with the same blanks', () => {
    assert.deepEqual(Object.keys(de), Object.keys(en));
    for (const key of Object.keys(en)) {
      assert.deepEqual(blanks(de[key]), blanks(en[key]), key);
      assert.notEqual(de[key].trim(), '', key);
    }
  });

  it('are there for everything that the page says, and nothing is there that it does not say', () => {
    const said = new Set([...sources.matchAll(/data-i18n(?:-label|-title)?="(\w+)"/g)].map(([, key]) => key));
    for (const [, key] of sources.matchAll(/\bt\(\s*'(\w+)'/g)) said.add(key);
    for (const key of said) assert.ok(key in en, `there is no sentence '${key}'`);
    const mentioned = (key) => said.has(key) || sources.includes(`'${key}'`) || /^state/.test(key);
    assert.deepEqual(
      Object.keys(en).filter((key) => !mentioned(key)),
      [],
    );
  });

  it('are all that a person reads: no sentence stands in the code or in the page itself', () => {
    const found = [];
    for (const name of readdirSync(www, { recursive: true })) {
      if (!/\.(js|html)$/.test(name) || NOT_SHOWN.test(name)) continue;
      const text = readFileSync(join(www, name), 'utf8');
      for (const sentence of name.endsWith('.html') ? textsOf(text) : sentencesOf(name, text)) found.push(`${name}: ${sentence}`);
    }
    assert.deepEqual(found, []);
  });

  it('come in the language of the address, of the last visit, of the browser, or in English', () => {
    assert.equal(chooseLanguage('de', 'en', ['en-GB']), 'de');
    assert.equal(chooseLanguage(null, 'de', ['en-GB']), 'de');
    assert.equal(chooseLanguage(null, null, ['fr-FR', 'de-AT', 'en']), 'de');
    assert.equal(chooseLanguage('xx', null, ['fr']), 'en');
  });
});

/** What makes the engine's sentences, each as one line. */
const engine = ['src', 'pkg']
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => join(root, folder, name)))
  .filter((name) => /\.(rs|js)$/.test(name) && !/[/\\](wasm|node_modules)[/\\]/.test(name))
  .map((name) => readFileSync(name, 'utf8').replace(/\\\n\s*/g, ''))
  .join('\n');

describe('the engine’s sentences', () => {
  after(() => setLanguage('en'));

  it('are those that it makes: each part of them stands in its sources', () => {
    for (const [english] of engineDe)
      for (const part of english.split(SEAMS).map((one) => one?.trim()))
        if (/[a-z]{3}/i.test(part)) assert.ok(engine.includes(part), `${english}: "${part}"`);
  });

  it('have the same blanks in German', () => {
    for (const [english, german] of engineDe) assert.deepEqual([...new Set(blanks(german))], [...new Set(blanks(english))], english);
  });

  it('are told in German, one inside another too, and as they are in English', () => {
    const unlike =
      "left: the image is unlike those that this model was trained on: bright and dark lie elsewhere (correlation -0.62 with the training images' mean, as if the contrast were turned round; they have 0.51 to 0.93); do not expect a correct mask";
    const why = 'The CPU was asked for; it uses one thread, as this page is not cross-origin isolated.';
    assert.deepEqual(engineInWords(why), { text: why, isPages: true });
    setLanguage('de');
    assert.deepEqual(engineInWords(why), {
      text: 'Die CPU wurde verlangt; sie nutzt einen Thread, denn diese Seite ist nicht „cross-origin isolated“.',
      isPages: true,
    });
    assert.match(
      engineInWords(unlike).text,
      /^links: Das Bild ist anders .*: hell und dunkel liegen anders \(Korrelation -0,62 .*umgekehrt; diese haben 0,51 bis 0,93\)/,
    );
    assert.equal(
      engineInWords(
        'the intracranial volume comes near the end of the image (posterior, inferior): if it goes on beyond, it is larger than measured',
      ).text,
      'Das Volumen „intrakraniell“ reicht bis an den Rand des Bildes (hinten, unten): Geht es dort weiter, ist es größer als gemessen.',
    );
    assert.deepEqual(engineInWords('what nobody knows'), { text: 'what nobody knows', isPages: false });
  });
});

/** Machado, Oliveira and Fernandes 2009, severity 1: linear RGB as the colour-blind see it. */
const BLINDNESS = {
  none: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** '#rrggbb' -> CIE Lab under one kind of sight. */
function labOf(color, matrix) {
  const linear = [1, 3, 5]
    .map((at) => parseInt(color.slice(at, at + 2), 16) / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  const [r, g, b] = matrix.map((row) =>
    Math.min(
      1,
      Math.max(
        0,
        row.reduce((sum, value, i) => sum + value * linear[i], 0),
      ),
    ),
  );
  const f = (t) => (t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116);
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047);
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** Twice the distance (CIE76) that a person notices beside each other is 5; labels lie apart and are seen through. */
const TOLD_APART = 11;

describe('the colours of labels', () => {
  const models = readdirSync(join(root, 'pkg/models')).map((name) =>
    JSON.parse(readFileSync(join(root, 'pkg/models', name, 'model.json'), 'utf8')),
  );
  const palettes = {
    'new labels': COLORS,
    ...Object.fromEntries(models.map(({ name, labels }) => [name, labels.map(({ color }) => color)])),
  };
  for (const [name, colors] of Object.entries(palettes)) {
    for (const [sight, matrix] of Object.entries(BLINDNESS)) {
      it(`are told apart: ${name}, ${sight === 'none' ? 'full sight' : sight}`, (t) => {
        let nearest = [Infinity];
        colors.forEach((a, i) => {
          for (const b of colors.slice(i + 1)) {
            const far = Math.hypot(...labOf(a, matrix).map((value, k) => value - labOf(b, matrix)[k]));
            if (far < nearest[0]) nearest = [far, a, b];
          }
        });
        t.diagnostic(`${nearest[1]} and ${nearest[2]} are ${nearest[0].toFixed(1)} apart`);
        assert.ok(nearest[0] >= TOLD_APART, `${nearest[1]} and ${nearest[2]} are ${nearest[0].toFixed(1)} apart`);
      });
    }
  }
});
