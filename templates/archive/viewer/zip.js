// Reading ZIP files by pieces (APPNOTE 6.3.10): the directory at the end, ZIP64 too, then only the entries wanted.

const MOST_DIRECTORY = 268435456;
const STORED = 0;
const DEFLATED = 8;

async function viewOf(blob, from, to) {
  const bytes = await blob.slice(from, to).arrayBuffer();
  return new DataView(bytes);
}

// The entries of a ZIP: [{name, method, packed, size, at}]; Problem "not-a-zip"
async function zipEntries(blob) {
  try {
    const { from, size } = await directoryOf(blob);
    if (size > MOST_DIRECTORY || from + size > blob.size) throw new Problem("not-a-zip");
    return entriesIn(await viewOf(blob, from, from + size));
  } catch (error) {
    if (error instanceof RangeError) throw new Problem("not-a-zip");
    throw error;
  }
}

// 4.3.16: the end record stands within the last 65,557 bytes; its fields are all ones if ZIP64 has them (4.3.14)
async function directoryOf(blob) {
  const start = Math.max(0, blob.size - 65557);
  const view = await viewOf(blob, start, blob.size);
  let at = view.byteLength - 22;
  while (at >= 0 && view.getUint32(at, true) !== 0x06054b50) at -= 1;
  if (at < 0) throw new Problem("not-a-zip");
  const small = { size: view.getUint32(at + 12, true), from: view.getUint32(at + 16, true) };
  if (at < 20 || view.getUint32(at - 20, true) !== 0x07064b50) return small;
  const where = wide(view, at - 12);
  const large = await viewOf(blob, where, where + 56);
  if (large.getUint32(0, true) !== 0x06064b50) throw new Problem("not-a-zip");
  return { size: wide(large, 40), from: wide(large, 48) };
}

function wide(view, at) {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 4294967296;
}

// 4.3.12: one header after another
function entriesIn(view) {
  const entries = [];
  for (let at = 0; at + 46 <= view.byteLength && view.getUint32(at, true) === 0x02014b50; ) {
    const lengths = [view.getUint16(at + 28, true), view.getUint16(at + 30, true), view.getUint16(at + 32, true)];
    const found = {
      name: fromUtf8(new Uint8Array(view.buffer, at + 46, lengths[0])),
      method: view.getUint16(at + 10, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      at: view.getUint32(at + 42, true),
    };
    widen(found, view, at + 46 + lengths[0], lengths[1]);
    entries.push(found);
    at += 46 + lengths[0] + lengths[1] + lengths[2];
  }
  return entries;
}

// 4.5.3: what does not fit into 32 bits stands in the extra field, in this order
function widen(found, view, from, length) {
  for (let at = from; at + 4 <= from + length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    let next = at + 4;
    for (const field of ["size", "packed", "at"]) {
      if (found[field] !== 4294967295) continue;
      found[field] = wide(view, next);
      next += 8;
    }
  }
}

// An entry's bytes as a Blob; never more than the directory said
async function zipEntry(blob, found) {
  const head = await viewOf(blob, found.at, found.at + 30);
  if (head.byteLength < 30 || head.getUint32(0, true) !== 0x04034b50) throw new Problem("not-a-zip");
  const from = found.at + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  const packed = blob.slice(from, from + found.packed);
  if (found.method === STORED) return packed;
  if (found.method !== DEFLATED) throw new Problem("not-a-zip");
  return inflated(packed, found.size);
}

async function inflated(packed, size) {
  const reader = packed.stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const parts = [];
  let read = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      read += next.value.length;
      if (read > size) throw new Problem("not-a-zip");
      parts.push(next.value);
    }
  } catch (error) {
    throw error instanceof TypeError ? new Problem("not-a-zip") : error;
  }
  return new Blob(parts);
}
