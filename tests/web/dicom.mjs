/** As much of DICOM as the tests need: a series of MR slices, explicit little-endian, made of a NIfTI file of 16-bit values along RAS. */
import { readNifti } from './nifti.mjs';

const uid = (...parts) => `1.2.826.0.1.3680043.10.99.${parts.join('.')}`;

function element(group, tag, vr, value) {
  const body = Buffer.isBuffer(value) ? value : Buffer.from(value.length % 2 ? `${value}${vr === 'UI' ? '\0' : ' '}` : value, 'latin1');
  const long = ['OB', 'OW', 'UN'].includes(vr);
  const head = Buffer.alloc(long ? 12 : 8);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(tag, 2);
  head.write(vr, 4, 'latin1');
  if (long) head.writeUInt32LE(body.length, 8);
  else head.writeUInt16LE(body.length, 6);
  return Buffer.concat([head, body]);
}

const short = (value) => {
  const body = Buffer.alloc(2);
  body.writeUInt16LE(value);
  return body;
};

/**
 * @param {Buffer} nifti axial, RAS, 1 mm @param {{ series: number, description: string, slices?: number }} what
 * @returns {Record<string, Buffer>} a file for each slice
 */
export function dicomSeries(nifti, { series, description, slices }) {
  const { dims, datatype, voxels } = readNifti(nifti);
  const [nx, ny] = dims;
  const nz = Math.min(slices ?? dims[2], dims[2]);
  const at = {
    2: (i) => voxels[i],
    4: (i) => voxels.readInt16LE(2 * i),
    16: (i) => voxels.readFloatLE(4 * i),
    512: (i) => voxels.readUInt16LE(2 * i),
  }[datatype];
  const files = {};
  for (let z = 0; z < nz; z++) {
    const pixels = Buffer.alloc(2 * nx * ny);
    // DICOM goes to the left and to the back: both axes of the slice are turned.
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++)
        pixels.writeUInt16LE(Math.max(0, Math.round(at(nx - 1 - x + nx * (ny - 1 - y + ny * z)))), 2 * (x + nx * y));
    const sop = uid(series, 3, z + 1);
    const meta = Buffer.concat([
      element(2, 1, 'OB', Buffer.from([0, 1])),
      element(2, 2, 'UI', '1.2.840.10008.5.1.4.1.1.4'),
      element(2, 3, 'UI', sop),
      element(2, 0x10, 'UI', '1.2.840.10008.1.2.1'),
      element(2, 0x12, 'UI', uid(1)),
    ]);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(meta.length);
    files[`${series}-${String(z + 1).padStart(3, '0')}.dcm`] = Buffer.concat([
      Buffer.alloc(128),
      Buffer.from('DICM'),
      element(2, 0, 'UL', size),
      meta,
      element(8, 8, 'CS', 'ORIGINAL\\PRIMARY\\M\\ND'),
      element(8, 0x16, 'UI', '1.2.840.10008.5.1.4.1.1.4'),
      element(8, 0x18, 'UI', sop),
      element(8, 0x20, 'DA', '20200101'),
      element(8, 0x30, 'TM', '120000'),
      element(8, 0x60, 'CS', 'MR'),
      element(8, 0x70, 'LO', 'Made up'),
      element(8, 0x103e, 'LO', description),
      element(0x10, 0x10, 'PN', 'Secret^Patient'),
      element(0x10, 0x20, 'LO', 'secret-id'),
      element(0x18, 0x50, 'DS', '1'),
      element(0x18, 0x88, 'DS', '1'),
      element(0x20, 0xd, 'UI', uid(1, 1)),
      element(0x20, 0xe, 'UI', uid(series, 2)),
      element(0x20, 0x11, 'IS', String(series)),
      element(0x20, 0x13, 'IS', String(z + 1)),
      element(0x20, 0x32, 'DS', `0\\0\\${z}`),
      element(0x20, 0x37, 'DS', '1\\0\\0\\0\\1\\0'),
      element(0x20, 0x52, 'UI', uid(1, 4)),
      element(0x28, 2, 'US', short(1)),
      element(0x28, 4, 'CS', 'MONOCHROME2'),
      element(0x28, 0x10, 'US', short(ny)),
      element(0x28, 0x11, 'US', short(nx)),
      element(0x28, 0x30, 'DS', '1\\1'),
      element(0x28, 0x100, 'US', short(16)),
      element(0x28, 0x101, 'US', short(16)),
      element(0x28, 0x102, 'US', short(15)),
      element(0x28, 0x103, 'US', short(0)),
      element(0x7fe0, 0x10, 'OW', pixels),
    ]);
  }
  return files;
}
