/** Label maps of other programs: read, and laid where their headers put them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { gridOf } from '../../www/edit/grid.js';
import { OffLattice, ontoGrid } from '../../www/open/lattice.js';
import { readNrrd } from '../../www/open/nrrd.js';

const DIMS = [4, 3, 2];
/** Half a millimetre along z, off the middle, to the left. */
const AFFINE = [
  [-1, 0, 0, 9],
  [0, 1, 0, -4],
  [0, 0, 0.5, 2],
  [0, 0, 0, 1],
];
const grid = gridOf({ dims: DIMS, affine: AFFINE });
const VALUES = Uint8Array.from({ length: 24 }, (_, i) => (i % 5 === 0 ? (i % 3) + 1 : 0));

/** The same labels with axes in the order z, x, y, the second turned round. */
function turned() {
  const [nx, ny, nz] = DIMS;
  const values = new Uint8Array(24);
  for (let z = 0; z < nz; z++)
    for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++) values[z + nz * (nx - 1 - x + nx * y)] = VALUES[x + nx * (y + ny * z)];
  const affine = AFFINE.slice(0, 3).map(([a, b, c, d]) => [c, -a, b, d + a * (nx - 1)]);
  return { dims: [nz, nx, ny], affine: [...affine, [0, 0, 0, 1]], values, classes: [] };
}

describe('labels of another file', () => {
  it('lie on their voxels whatever the order and direction of the axes', () => {
    assert.deepEqual(ontoGrid(grid, { dims: DIMS, affine: AFFINE, values: VALUES, classes: [] }), { labels: VALUES, outside: 0 });
    assert.deepEqual(ontoGrid(grid, turned()), { labels: VALUES, outside: 0 });
  });

  it('may be of a part of the image, as 3D Slicer saves them; what lies outside is counted', () => {
    const moved = (voxels) => AFFINE.map(([a, b, c, d]) => [a, b, c, d + a * voxels]);
    const part = { dims: [1, 3, 2], affine: moved(2), values: Uint8Array.of(1, 2, 3, 4, 5, 6), classes: [] };
    const { labels, outside } = ontoGrid(grid, part);
    assert.equal(outside, 0);
    assert.deepEqual(
      [2, 6, 10, 14, 18, 22].map((at) => labels[at]),
      [1, 2, 3, 4, 5, 6],
    );
    assert.equal(ontoGrid(grid, { ...part, affine: moved(4) }).outside, 6);
  });

  it('between voxels, or of other sizes, are refused', () => {
    const map = { dims: DIMS, values: VALUES, classes: [] };
    const half = AFFINE.map(([a, b, c, d], row) => [a, b, c, row === 1 ? d + 0.4 : d]);
    assert.throws(
      () => ontoGrid(grid, { ...map, affine: half }),
      (error) => error instanceof OffLattice && Math.abs(error.voxels - 0.4) < 1e-9,
    );
    const coarse = AFFINE.map(([a, b, c, d]) => [2 * a, b, c, d]);
    assert.throws(() => ontoGrid(grid, { ...map, affine: coarse }), OffLattice);
    const oblique = AFFINE.map((row, r) => (r === 0 ? [-0.98, 0.2, 0, 9] : r === 1 ? [0.2, 0.98, 0, -4] : row));
    assert.throws(() => ontoGrid(grid, { ...map, affine: oblique }), OffLattice);
  });
});

const HEADER = `NRRD0004
# Complete NRRD file format specification at:
type: short
dimension: 3
space: left-posterior-superior
sizes: 4 3 2
space directions: (1,0,0) (0,-1,0) (0,0,0.5)
kinds: domain domain domain
endian: little
encoding: gzip
space origin: (-9,4,2)
Segment0_Color:=0.5 0.25 1
Segment0_LabelValue:=3
Segment0_Layer:=0
Segment0_Name:=Head: left

`;
const nrrd = (header = HEADER, values = VALUES) =>
  new Uint8Array(Buffer.concat([Buffer.from(header), gzipSync(Buffer.from(Int16Array.from(values).buffer))]));

describe('NRRD', () => {
  it('is read with the names and colours of its segments', async () => {
    const { dims, affine, values, classes } = await readNrrd(nrrd());
    assert.deepEqual([dims, affine, [...values]], [DIMS, AFFINE, [...VALUES]]);
    assert.deepEqual(classes, [{ index: 3, name: 'Head: left', color: '#8040ff' }]);
    const windows = await readNrrd(nrrd(HEADER.replaceAll('\n', '\r\n')));
    assert.deepEqual([...windows.values], [...VALUES]);
  });

  const faults = {
    'segments in layers': [HEADER.replace('sizes: 4', 'sizes: 2 4'), /sizes: 2 4 3 2, nrrdLayers/],
    'real numbers': [HEADER.replace('short', 'float'), /type: float, nrrdType/],
    'another encoding': [HEADER.replace('encoding: gzip', 'encoding: bzip2'), /encoding: bzip2, nrrdEncoding/],
    'no place in the patient': [HEADER.replace(/space: .*\n/, ''), /space: –, nrrdSpace/],
    'too few voxels': [HEADER.replace('4 3 2', '4 3 9'), /voxels: 48, nrrdLength/],
    'a size that is no number': [HEADER.replace('4 3 2', '4 3 x'), /sizes: 4 3 x, nrrdSizes/],
    'another file': ['NRRD and no more', /header: –, nrrdHeader/],
  };
  for (const [kind, [header, said]] of Object.entries(faults)) {
    it(`(${kind}) is refused by what is wrong`, () => assert.rejects(readNrrd(nrrd(header)), said));
  }
});
