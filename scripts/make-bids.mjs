#!/usr/bin/env node
/**
 * Makes a data set in BIDS form of the sample volume, to try `insitu bids` and the workflows on:
 *
 *   node scripts/make-bids.mjs FOLDER [SCANS]     12 scans where no number is given
 *
 * Participants have two sessions. Scans differ in the size of their voxels, and so in volume; one is much smaller than the others. The
 * last but one is cut in half, and the last is a series of three volumes: these two have no mask. The same number makes the same bytes.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { root } from './tools.mjs';

/** Bytes of a NIfTI-1 header up to the voxels. */
const HEADER = 352;
/** The scan that is smaller than the others. */
const SMALL = 4;

/** The sample with voxels of `mm`. */
function scaled(plain, mm) {
  const bytes = Buffer.from(plain);
  for (const at of [80, 84, 88, 280, 300, 320]) bytes.writeFloatLE(bytes.readFloatLE(at) * mm, at);
  return bytes;
}

/** The sample three times over, as a series in time. */
function series(plain) {
  const header = Buffer.from(plain.subarray(0, HEADER));
  header.writeInt16LE(4, 40);
  header.writeInt16LE(3, 48);
  const voxels = plain.subarray(HEADER);
  return Buffer.concat([header, voxels, voxels, voxels]);
}

/** The participant, the session and the path of each of `count` scans. */
export function scans(count) {
  return Array.from({ length: count }, (_, index) => {
    const participant = String(Math.floor(index / 2) + 1).padStart(2, '0');
    const session = 'AB'[index % 2];
    const name = `sub-${participant}_ses-${session}_T1w.nii.gz`;
    return { participant, session, path: `sub-${participant}/ses-${session}/anat/${name}` };
  });
}

/** Writes the data set into a folder; its scans. */
export function makeBids(folder, count = 12) {
  const sample = readFileSync(join(root, 'pkg/samples/hippocampus/image.nii.gz'));
  const plain = gunzipSync(sample);
  const write = (path, bytes) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  };
  write(
    'dataset_description.json',
    `${JSON.stringify({ Name: 'Made scans', BIDSVersion: '1.10.0', DatasetType: 'raw', License: 'CC-BY-SA-4.0' }, null, 2)}\n`,
  );
  write('README.md', '# Made scans\n\nThe sample volume of insitu-seg with voxels of several sizes; nobody was scanned for it.\n');
  const made = scans(count);
  made.forEach(({ path }, index) => {
    const steps = ((index * 5) % 7) - 3;
    const image = scaled(plain, index === SMALL ? 0.8 : 1 + 0.012 * steps + 0.001 * index);
    const packed = gzipSync(index === count - 1 ? series(plain) : image);
    write(path, index === count - 2 ? packed.subarray(0, packed.length / 2) : packed);
  });
  return made;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder, count = '12'] = process.argv.slice(2);
  if (!folder || !(Number(count) >= 3)) {
    console.error('usage: node scripts/make-bids.mjs FOLDER [SCANS, 3 at least]');
    process.exit(2);
  }
  console.log(`${folder}: ${makeBids(folder, Number(count)).length} scans`);
}
