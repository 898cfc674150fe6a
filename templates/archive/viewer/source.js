// Where the bytes of attachments come from: the folder or the ZIP files that the person chose or dropped.

const PLACE = /(?:^|\/)(media\/[^/]+)$/; // names there are the same in no two volumes
const MOST_FILES = 2000000;

class Source {
  constructor() {
    this.files = new Map(); // "media/00001-name.png" -> a function that gives its Blob
  }

  // Files as an input or a drop gives them; how many of the archive's are known now
  async add(files) {
    for (const each of files) {
      const path = each.webkitRelativePath || each.name;
      if (/\.zip$/i.test(each.name)) await this.addZip(each);
      else this.put(path, () => each);
    }
    return this.files.size;
  }

  async addZip(blob) {
    for (const found of await zipEntries(blob)) this.put(found.name, () => zipEntry(blob, found));
  }

  put(path, give) {
    const place = PLACE.exec(path.replace(/\\/g, "/"));
    if (place && this.files.size < MOST_FILES) this.files.set(place[1], give);
  }

  // The Blob of a file of the archive, put together if it is in pieces; Problem "no-file"
  async blob(path) {
    if (this.files.has(path)) return this.files.get(path)();
    const pieces = [];
    for (let part = 1; this.files.has(piece(path, part)); part += 1) {
      pieces.push(await this.files.get(piece(path, part))());
    }
    if (pieces.length === 0) throw new Problem("no-file");
    return new Blob(pieces);
  }
}

function piece(path, part) {
  return `${path}.part${String(part).padStart(3, "0")}`;
}

// What was dropped, folders walked through. Browsers differ in which way they offer from file://
async function droppedFiles(transfer) {
  const items = Array.from(transfer.items || []).filter((item) => item.kind === "file");
  const offered = items.map((item) => ({
    entry: item.webkitGetAsEntry ? item.webkitGetAsEntry() : null,
    handle: item.getAsFileSystemHandle ? item.getAsFileSystemHandle() : null,
    file: item.getAsFile(),
  }));
  const files = [];
  for (const each of offered) {
    const folder = each.entry && each.entry.isDirectory;
    if (!folder && each.file) files.push(each.file);
    else if (each.handle) await walkHandle(await each.handle, "", files);
    else if (each.entry) await walkEntry(each.entry, files);
  }
  return files;
}

async function walkHandle(handle, path, files) {
  if (handle.kind === "file") {
    const file = await handle.getFile();
    files.push(placed(file, path + file.name));
    return;
  }
  for await (const inner of handle.values()) await walkHandle(inner, `${path}${handle.name}/`, files);
}

async function walkEntry(entry, files) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    files.push(placed(file, entry.fullPath));
    return;
  }
  const reader = entry.createReader();
  const some = () => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
  for (let inner = await some(); inner.length > 0; inner = await some()) {
    for (const each of inner) await walkEntry(each, files);
  }
}

function placed(file, path) {
  Object.defineProperty(file, "webkitRelativePath", { value: path });
  return file;
}
