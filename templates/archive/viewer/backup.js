// The key backup on the server (Matrix specification, "m.megolm_backup.v1.curve25519-aes-sha2").

const BACKUP = "m.megolm_backup.v1.curve25519-aes-sha2";
const PKCS8 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20); // RFC 8410
const NINE = Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 9 : 0)); // the base point (RFC 7748)

async function x25519(privateKey, publicKey) {
  const point = await crypto.subtle.importKey("raw", publicKey, "X25519", false, []);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "X25519", public: point }, privateKey, 256));
}

async function privateKeyOf(bytes) {
  try {
    return await crypto.subtle.importKey("pkcs8", joined(PKCS8, bytes), "X25519", false, ["deriveBits"]);
  } catch {
    throw new Problem("old-browser");
  }
}

// Those of the backups that a private key belongs to, as {version, key}
async function backupsOf(backups, bytes) {
  const key = await privateKeyOf(bytes);
  const mine = toBase64(await x25519(key, NINE));
  const fitting = backups.filter((backup) => {
    const said = mapping(mapping(backup).auth_data).public_key;
    return typeof said === "string" && said.replace(/=+$/, "") === mine;
  });
  if (fitting.some((backup) => backup.algorithm === BACKUP)) {
    return fitting.filter((backup) => backup.algorithm === BACKUP).map((backup) => ({ version: String(backup.version), key }));
  }
  if (fitting.length > 0) throw new Problem("unsupported");
  return [];
}

// The session in an entry of a backup: {algorithm, session_key, ...}
async function openBackedUp(key, entry) {
  const sealed = mapping(mapping(entry).session_data || entry);
  const shared = await x25519(key, fromBase64(sealed.ephemeral));
  const made = hkdf(shared, new Uint8Array(0), 80);
  // The MAC is one of nothing: so libolm had it, and so the specification writes it down
  const mac = new Hmac(made.subarray(32, 64)).of().subarray(0, 8);
  if (!sameBytes(mac, fromBase64(sealed.mac))) throw new Problem("altered");
  const clear = await aesCbc(made.subarray(0, 32), made.subarray(64), fromBase64(sealed.ciphertext));
  return mapping(JSON.parse(fromUtf8(clear)));
}
