// AES-256-CBC, only its opening (FIPS 197, 5.3; SP 800-38A, 6.2), at once: a message is some twenty blocks, and handing
// those to WebCrypto's threads and back takes longer than opening them. Whoever calls has checked a MAC before.

const [SUBSTITUTED, RESTORED, MIXED] = aesTables();
const SCHEDULED = new Int32Array(60);
const NOW = new Int32Array(4);
const NEXT = new Int32Array(4);

// The S-box, its inverse, and what a byte of that becomes in InvMixColumns as the first of its column
function aesTables() {
  const power = new Uint8Array(255);
  const log = new Uint8Array(256);
  for (let at = 0, value = 1; at < 255; at += 1) {
    power[at] = value;
    log[value] = at;
    value ^= (value << 1) ^ (value & 128 ? 0x11b : 0);
  }
  const times = (left, right) => (right === 0 ? 0 : power[(log[left] + log[right]) % 255]);
  const box = Uint8Array.from({ length: 256 }, (_, byte) => affine(byte === 0 ? 0 : power[(255 - log[byte]) % 255]));
  const back = new Uint8Array(256);
  box.forEach((value, byte) => (back[value] = byte));
  const column = (byte) => (times(14, byte) << 24) | (times(9, byte) << 16) | (times(13, byte) << 8) | times(11, byte);
  return [box, back, Int32Array.from(back, column)];
}

function affine(byte) {
  let value = byte ^ 0x63;
  for (let turn = 1; turn < 5; turn += 1) value ^= ((byte << turn) | (byte >> (8 - turn))) & 255;
  return value;
}

function substituted(word) {
  const box = SUBSTITUTED;
  return (box[word >>> 24] << 24) | (box[(word >>> 16) & 255] << 16) | (box[(word >>> 8) & 255] << 8) | box[word & 255];
}

function rotated(word, by) {
  return (word >>> by) | (word << (32 - by));
}

function wordAt(bytes, at) {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}

// A column as InvMixColumns leaves it, its bytes through the inverse S-box before
function mixed(first, second, third, fourth) {
  const one = MIXED[first >>> 24] ^ rotated(MIXED[(second >>> 16) & 255], 8);
  return one ^ rotated(MIXED[(third >>> 8) & 255], 16) ^ rotated(MIXED[fourth & 255], 24);
}

// The round keys as the equivalent inverse cipher wants them (5.2 and 5.3.5)
function schedule(key) {
  const words = SCHEDULED;
  for (let at = 0; at < 8; at += 1) words[at] = wordAt(key, at * 4);
  for (let at = 8, round = 1; at < 60; at += 1) {
    let word = words[at - 1];
    if (at % 8 === 0) {
      word = substituted(rotated(word, 24)) ^ (round << 24);
      round *= 2;
    } else if (at % 8 === 4) word = substituted(word);
    words[at] = words[at - 8] ^ word;
  }
  for (let at = 4; at < 56; at += 1) {
    const word = substituted(words[at]);
    words[at] = mixed(word, word, word, word);
  }
}

// A block that lies in "bytes", into the same place of "out", without what was before it
function openBlock(bytes, from, out) {
  for (let at = 0; at < 4; at += 1) NOW[at] = wordAt(bytes, from + at * 4) ^ SCHEDULED[56 + at];
  for (let round = 52; round > 0; round -= 4) {
    for (let at = 0; at < 4; at += 1) {
      NEXT[at] = mixed(NOW[at], NOW[(at + 3) & 3], NOW[(at + 2) & 3], NOW[(at + 1) & 3]) ^ SCHEDULED[round + at];
    }
    NOW.set(NEXT);
  }
  for (let at = 0; at < 4; at += 1) {
    for (let row = 0; row < 4; row += 1) {
      const shift = 24 - row * 8;
      out[from + at * 4 + row] = RESTORED[(NOW[(at - row) & 3] >>> shift) & 255] ^ (SCHEDULED[at] >>> shift);
    }
  }
}

// The clear bytes, without their padding (RFC 5652, 6.3); Problem "broken" if they have none
function openCbc(key, iv, ciphertext) {
  const { length } = ciphertext;
  if (length === 0 || length % 16 !== 0) throw new Problem("broken");
  schedule(key);
  const clear = new Uint8Array(length);
  for (let from = 0; from < length; from += 16) {
    openBlock(ciphertext, from, clear);
    for (let at = 0; at < 16; at += 1) clear[from + at] ^= from === 0 ? iv[at] : ciphertext[from - 16 + at];
  }
  const padding = clear[length - 1];
  if (padding < 1 || padding > 16) throw new Problem("broken");
  for (let at = length - padding; at < length; at += 1) if (clear[at] !== padding) throw new Problem("broken");
  return clear.subarray(0, length - padding);
}
