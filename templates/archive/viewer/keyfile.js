// The file that Element exports (Matrix specification, "Key exports"): all sessions under a passphrase.

const KEYFILE = /-----BEGIN MEGOLM SESSION DATA-----([^-]*)-----END MEGOLM SESSION DATA-----/;
const MOST_ROUNDS = 10000000;

// The sessions in the file's text: a list of {algorithm, room_id, session_id, session_key, ...}
async function openKeyFile(text, passphrase) {
  const found = KEYFILE.exec(text);
  if (!found) throw new Problem("not-a-key-file");
  let bytes;
  try {
    bytes = fromBase64(found[1].replace(/\s+/g, ""));
  } catch {
    throw new Problem("not-a-key-file");
  }
  if (bytes.length < 69 || bytes[0] !== 1) throw new Problem("not-a-key-file");
  return sessionsIn(await openedFile(bytes, passphrase));
}

// Version, salt (16), counter (16), rounds (4), ciphertext, HMAC-SHA-256 of all that
async function openedFile(bytes, passphrase) {
  const rounds = new DataView(bytes.buffer).getUint32(33);
  if (rounds < 1 || rounds > MOST_ROUNDS) throw new Problem("not-a-key-file");
  const keys = await pbkdf2(passphrase, bytes.subarray(1, 17), rounds, 512);
  const end = bytes.length - 32;
  const mac = new Hmac(keys.subarray(32)).of(bytes.subarray(0, end));
  if (!sameBytes(mac, bytes.subarray(end))) throw new Problem("wrong-passphrase");
  return aesCtr(keys.subarray(0, 32), bytes.subarray(17, 33), bytes.subarray(37, end));
}

function sessionsIn(bytes) {
  try {
    const list = JSON.parse(fromUtf8(bytes));
    if (Array.isArray(list)) return list;
  } catch {
    // no JSON: said below
  }
  throw new Problem("not-a-key-file");
}

// With SHA-512, as both key files and passphrases of secret storage have it
async function pbkdf2(passphrase, salt, iterations, bits) {
  const key = await crypto.subtle.importKey("raw", toUtf8(passphrase), "PBKDF2", false, ["deriveBits"]);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-512", salt, iterations }, key, bits));
}
