// Megolm, version 1: the ratchet of a session and the messages it opens (Matrix specification, "m.megolm.v1.aes-sha2").

const MEGOLM = "m.megolm.v1.aes-sha2";
const MEGOLM_KEYS = toUtf8("MEGOLM_KEYS");
const SEEDS = [Uint8Array.of(0), Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)];
const EXPORTED = 165; // version, index, four parts of 32 bytes, the public key

class Ratchet {
  constructor(index, parts) {
    this.index = index;
    this.parts = parts;
  }

  copy() {
    return new Ratchet(this.index, this.parts.slice());
  }

  part(which) {
    return this.parts.subarray(which * 32, which * 32 + 32);
  }

  renew(from, to) {
    new Hmac(this.part(from)).into(this.parts, to * 32, SEEDS[to]);
  }

  // To a later index: part 3 changes with each message, part 2 every 256 of them, and so on
  advance(target) {
    for (let which = 0; which < 4; which += 1) {
      const shift = (3 - which) * 8;
      const steps = (target >>> shift) - (this.index >>> shift);
      if (steps === 0) continue;
      for (let step = 1; step < steps; step += 1) this.renew(which, which);
      for (let to = 3; to >= which; to -= 1) this.renew(which, to);
      this.index = ((target >>> shift) << shift) >>> 0;
    }
    return this;
  }

  keys() {
    const made = hkdf(this.parts, MEGOLM_KEYS, 80);
    return { aes: made.subarray(0, 32), mac: made.subarray(32, 64), iv: made.subarray(64) };
  }
}

// A session from how it is exported; "id" (its public key) must be the one it is said to be
class Session {
  constructor(exported, id) {
    if (exported.length !== EXPORTED || exported[0] !== 1) throw new Problem("broken");
    if (toBase64(exported.subarray(133)) !== id.replace(/=+$/, "")) throw new Problem("broken");
    const index = new DataView(exported.buffer, exported.byteOffset).getUint32(1);
    this.first = new Ratchet(index, exported.slice(5, 133));
    this.now = this.first.copy();
  }

  // Forward is cheap; back means from the beginning again
  keys(index) {
    if (index < this.first.index) throw new Problem("missing");
    if (index < this.now.index) this.now = this.first.copy();
    return this.now.advance(index).keys();
  }
}

// "Megolm message format": version, index, ciphertext, and behind them 8 bytes of MAC and 64 of signature
function parsedMessage(text) {
  const bytes = fromBase64(text);
  const end = bytes.length - 72;
  if (end < 3 || bytes[0] !== 3) throw new Problem("broken");
  const message = { signed: bytes.subarray(0, end), mac: bytes.subarray(end, end + 8), index: -1, ciphertext: null };
  let at = 1;
  while (at < end) {
    const tag = bytes[at];
    const [value, next] = varint(bytes, at + 1, end);
    at = next;
    if (tag === 0x08) message.index = value;
    if ((tag & 7) !== 2) continue;
    if (at + value > end) throw new Problem("broken");
    if (tag === 0x12) message.ciphertext = bytes.subarray(at, at + value);
    at += value;
  }
  if (message.index < 0 || message.index > 4294967295 || !message.ciphertext) throw new Problem("broken");
  return message;
}

function varint(bytes, at, end) {
  let value = 0;
  for (let factor = 1; at < end && factor < 34359738369; factor *= 128) {
    const byte = bytes[at];
    at += 1;
    value += (byte & 127) * factor;
    if (byte < 128) return [value, at];
  }
  throw new Problem("broken");
}

// The clear bytes of a message; Problem "missing" if the session begins later, "altered" if the MAC is another
async function openMessage(session, message) {
  const keys = session.keys(message.index);
  const mac = new Hmac(keys.mac).of(message.signed).subarray(0, 8);
  if (!sameBytes(mac, message.mac)) throw new Problem("altered");
  return openCbc(keys.aes, keys.iv, message.ciphertext);
}
