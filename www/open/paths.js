/** Where files lay when they were chosen or dropped, and names that tell them apart. Knows no page. */

/** @type {WeakMap<File, string>} */
const paths = new WeakMap();

/** A dropped file does not say itself in which folder it lay. @param {File} file @param {string} path with folders, as '/study/T1.nii' */
export const setPath = (file, path) => void paths.set(file, path.replace(/^\/+/, ''));

/** Its folders and its name; the name alone where nobody knows more. @param {File} file */
export const pathOf = (file) => paths.get(file) ?? (file.webkitRelativePath || file.name);

/** @param {string} path */
export const folderOf = (path) => path.slice(0, path.lastIndexOf('/') + 1);

/** @param {string} path */
export const lastOf = (path) => path.slice(path.lastIndexOf('/') + 1);

/** brain.nii.gz, brain.hdr, brain.mgz, brain.nrrd -> brain @param {string} name */
export const stem = (name) => name.replace(/\.(nii|hdr|mgz|mgh|nrrd|nhdr)(\.gz)?$|\.gz$/i, '');

/** Whether two paths may be of the same file, of which one was chosen with fewer of its folders. @param {string} a @param {string} b */
export const mayBeSame = (a, b) => a === b || a.endsWith(`/${b}`) || b.endsWith(`/${a}`);

/**
 * For each path its last part, with as many folders before it as tell it from the others; with a number where no folder does.
 * Upper and lower case are one, as they are for many file systems.
 * @param {readonly string[]} all
 */
export function tellApart(all) {
  const parts = all.map((path) => path.split('/'));
  const end = (/** @type {string[]} */ path, /** @type {number} */ depth) => path.slice(-depth).join('/');
  const low = parts.map((path) => path.map((part) => part.toLowerCase()));
  const names = parts.map((path, i) => {
    const isLike = (/** @type {number} */ depth) => low.some((other, j) => j !== i && end(other, depth) === end(low[i], depth));
    let depth = 1;
    while (depth < path.length && isLike(depth)) depth++;
    return end(path, depth);
  });
  /** @type {Map<string, number>} */
  const seen = new Map();
  return names.map((name) => {
    const key = name.toLowerCase();
    const nth = (seen.get(key) ?? 0) + 1;
    seen.set(key, nth);
    return nth === 1 ? name : `${name} (${nth})`;
  });
}
