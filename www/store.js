/** Named files that the browser keeps for this page. A session of the package, by another name. */
export async function openStore(name) {
  if (!navigator.storage?.getDirectory) throw new Error('noOpfs');
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(`insitu-${name}`, { create: true });
  return {
    async get(file) {
      try {
        return await (await folder.getFileHandle(file)).getFile();
      } catch (error) {
        if (error.name === 'NotFoundError') return null;
        throw error;
      }
    },
    async put(file, content) {
      const stream = await (await folder.getFileHandle(file, { create: true })).createWritable();
      await stream.write(content);
      await stream.close();
    },
    remove: (file) => folder.removeEntry(file),
    async names() {
      const names = [];
      for await (const one of folder.keys()) names.push(one);
      return names;
    },
    forget: () => root.removeEntry(`insitu-${name}`, { recursive: true }),
  };
}
