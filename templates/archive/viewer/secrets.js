// Secret storage (Matrix specification, "Secrets"): what the person typed -> its key -> the key of the backup.

const SECRET_STORAGE = "m.secret_storage.v1.aes-hmac-sha2";
const BACKUP_SECRET = "m.megolm_backup.v1";
const KEY_PREFIX = "m.secret_storage.key.";

// "Recovery key": 0x8B 0x01, the key, a byte that makes all of them XOR to 0. Null if the text is none at all
function recoveryKey(text) {
  const bytes = fromBase58(text.replace(/[\s\u00ad\u200b-\u200f\u2060\ufeff]+/g, ""));
  if (!bytes || bytes.length !== 35 || bytes[0] !== 0x8b || bytes[1] !== 1) return null;
  if (bytes.reduce((all, byte) => all ^ byte, 0) !== 0) throw new Problem("mistyped");
  return bytes.subarray(2, 34);
}

// The descriptions of all keys of the storage, that of the default one first: [{id, description}]
function storageKeys(accountData) {
  const wanted = mapping(accountData["m.secret_storage.default_key"]).key;
  const keys = [];
  for (const type of Object.keys(accountData)) {
    if (!type.startsWith(KEY_PREFIX)) continue;
    const found = { id: type.slice(KEY_PREFIX.length), description: mapping(accountData[type]) };
    if (found.id === wanted) keys.unshift(found);
    else keys.push(found);
  }
  return keys;
}

// The key that a passphrase makes, or null: not each storage has one
async function keyOfPassphrase(description, passphrase) {
  const how = mapping(description.passphrase);
  if (how.algorithm !== "m.pbkdf2" || typeof how.salt !== "string") return null;
  if (!Number.isInteger(how.iterations) || how.iterations < 1 || how.iterations > MOST_ROUNDS) return null;
  const bits = how.bits === undefined ? 256 : how.bits;
  return bits === 256 ? pbkdf2(passphrase, toUtf8(how.salt), how.iterations, bits) : null;
}

function secretKeys(key, name) {
  const made = hkdf(key, toUtf8(name), 64);
  return { aes: made.subarray(0, 32), mac: new Hmac(made.subarray(32)) };
}

// Whether this is the key that the description is about: 32 zeros, encrypted, have the MAC that stands there. A
// description without one can't be asked (then the secret's own MAC decides)
async function isKey(description, key) {
  if (typeof description.mac !== "string" || typeof description.iv !== "string") return true;
  const { aes, mac } = secretKeys(key, "");
  const zeros = await aesCtr(aes, sixteen(description.iv), new Uint8Array(32));
  return sameBytes(mac.of(zeros), fromBase64(description.mac));
}

function sixteen(text) {
  const bytes = fromBase64(text);
  if (bytes.length !== 16) throw new Problem("broken");
  return bytes;
}

// A secret's bytes; Problem if the key is another one, or the secret is not there under it
async function openSecret(accountData, name, id, key) {
  const sealed = mapping(mapping(mapping(accountData[name]).encrypted)[id]);
  if (typeof sealed.ciphertext !== "string") throw new Problem("no-secret");
  const { aes, mac } = secretKeys(key, name);
  const ciphertext = fromBase64(sealed.ciphertext);
  if (!sameBytes(mac.of(ciphertext), fromBase64(sealed.mac))) throw new Problem("wrong-key");
  return aesCtr(aes, sixteen(sealed.iv), ciphertext);
}

// The private key of the backup (32 bytes) through the storage; null if no key of it is the one that was typed
async function backupKeyInStorage(accountData, typed, passphrase) {
  let unsupported = false;
  for (const { id, description } of storageKeys(accountData)) {
    if (description.algorithm !== SECRET_STORAGE) {
      unsupported = true;
      continue;
    }
    const key = typed || (await keyOfPassphrase(description, passphrase));
    if (!key || !(await isKey(description, key))) continue;
    return backupKeyUnder(accountData, id, key);
  }
  if (unsupported && storageKeys(accountData).length === 1) throw new Problem("unsupported");
  return null;
}

async function backupKeyUnder(accountData, id, key) {
  const secret = await openSecret(accountData, BACKUP_SECRET, id, key);
  const bytes = fromBase64(fromUtf8(secret).trim());
  if (bytes.length !== 32) throw new Problem("broken");
  return bytes;
}

// Whether a passphrase can be typed instead of a key
function hasPassphrase(accountData) {
  return storageKeys(accountData).some(({ description }) => mapping(description.passphrase).algorithm === "m.pbkdf2");
}
