// What was dropped, as files with their paths. A folder is read a hundred names at a time.

/** The dropped files and folders. The browser forgets them when the event is over, so this is not async. */
export function entriesOf({ items, files }) {
  const entries = [...(items ?? [])].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  return entries.length ? entries : [...files].map((file) => ({ path: file.name, open: async () => file }));
}

/** { path, open } of each file in these, with folders opened; `open` gives the File. */
export async function* filesIn(entries) {
  for (const entry of entries) {
    if (entry.open) yield entry;
    else if (entry.isFile) yield { path: entry.fullPath.slice(1), open: () => new Promise((resolve, reject) => entry.file(resolve, reject)) };
    else yield* filesIn(await childrenOf(entry));
  }
}

async function childrenOf(folder) {
  const reader = folder.createReader();
  const children = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return children.sort((a, b) => (a.name < b.name ? -1 : 1));
    children.push(...some);
  }
}
