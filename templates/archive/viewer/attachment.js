// Encrypted files (Matrix specification, "Sending encrypted attachments"): AES-CTR, and the SHA-256 of what lies there.

const CHUNK = 4194304; // bytes at once, a multiple of AES's block

// The clear Blob of a file's ciphertext; Problem if it is another file, or not as the message says
async function openAttachment(blob, sealed) {
  const key = mapping(sealed.key);
  const counter = sixteen(sealed.iv);
  const bytes = fromBase64(key.k);
  if (key.alg !== "A256CTR" || bytes.length !== 32) throw new Problem("unsupported");
  const hash = new Sha256();
  const parts = [];
  for (let at = 0; at < blob.size; at += CHUNK) {
    const chunk = new Uint8Array(await blob.slice(at, at + CHUNK).arrayBuffer());
    hash.add(chunk);
    parts.push(await aesCtr(bytes, counted(counter, at / 16), chunk));
  }
  if (!sameBytes(hash.digest(), fromBase64(mapping(sealed.hashes).sha256))) throw new Problem("altered");
  return new Blob(parts);
}

// The counter that many blocks later
function counted(counter, blocks) {
  const later = counter.slice();
  let carry = blocks;
  for (let at = 15; at >= 0 && carry > 0; at -= 1) {
    carry += later[at];
    later[at] = carry % 256;
    carry = Math.floor(carry / 256);
  }
  return later;
}

// The name to save under: no folders, an ending that nothing runs, nothing unseen
const HARMLESS = /\.(?:png|jpe?g|gif|webp|avif|bmp|mp4|m4v|webm|mov|mp3|m4a|aac|ogg|oga|ogv|opus|flac|wav|pdf|txt|csv|json|zip|gz|7z|odt|ods|odp|docx|xlsx|pptx)$/i;

function harmlessName(name) {
  const plain = safe(name, 100).replace(/[\\/:*?"<>|\ufffd\n\t]+/g, "-").replace(/^[.\s-]+|[.\s]+$/g, "");
  if (plain === "") return "file.bin";
  return HARMLESS.test(plain) ? plain : `${plain}.bin`;
}
