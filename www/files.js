/** Files in and out: the button, dropping anywhere, saving. */
const $ = (id) => document.getElementById(id);

/** Calls `take(files)` for what was chosen or dropped together, one file or more. */
export function onFiles(take) {
  const input = $('file');
  $('open').addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    const files = [...input.files];
    input.value = '';
    if (files.length > 0) take(files);
  });

  // dragenter and dragleave also fire for every element inside, so depth tells when the page itself is left.
  let depth = 0;
  const show = (change) => {
    depth = Math.max(0, depth + change);
    $('drop').hidden = depth === 0;
  };
  addEventListener('dragenter', (event) => {
    event.preventDefault();
    show(1);
  });
  addEventListener('dragleave', () => show(-1));
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', (event) => {
    event.preventDefault();
    show(-depth);
    const files = [...event.dataTransfer.files];
    if (files.length > 0) take(files);
  });
}

/** Gives `content` to the user as a download. */
export function save(content, name, type) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
