// SHA-256 (FIPS 180-4), HMAC (RFC 2104) and HKDF (RFC 5869) at once: the ratchet needs some fifteen of them for each
// message, and each asynchronous call of WebCrypto costs more than the hash itself. Everything else is WebCrypto.

const [STARTED, ROUNDS] = constants();

// The fractions of the square and cube roots of the first primes (FIPS 180-4, 4.2.2 and 5.3.3)
function constants() {
  const primes = [];
  for (let next = 2; primes.length < 64; next += 1) {
    if (primes.every((prime) => next % prime)) primes.push(next);
  }
  const fraction = (root) => (root - Math.floor(root)) * 4294967296;
  return [
    Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime))),
    Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime))),
  ];
}

const SCHEDULE = new Int32Array(64);

// One block of 64 bytes into a state of eight words
function compress(state, bytes, from) {
  const w = SCHEDULE;
  for (let at = 0; at < 16; at += 1, from += 4) {
    w[at] = (bytes[from] << 24) | (bytes[from + 1] << 16) | (bytes[from + 2] << 8) | bytes[from + 3];
  }
  for (let at = 16; at < 64; at += 1) {
    const x = w[at - 15];
    const y = w[at - 2];
    const low = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const high = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[at] = (w[at - 16] + low + w[at - 7] + high) | 0;
  }
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  let f = state[5];
  let g = state[6];
  let h = state[7];
  for (let at = 0; at < 64; at += 1) {
    const high = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const one = (h + high + ((e & f) ^ (~e & g)) + ROUNDS[at] + w[at]) | 0;
    const low = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const two = (low + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

class Sha256 {
  constructor() {
    this.state = new Int32Array(8);
    this.block = new Uint8Array(64);
    this.begin(STARTED, 0);
  }

  // From a state that "length" bytes made, a multiple of 64
  begin(state, length) {
    this.state.set(state);
    this.length = length;
    this.filled = 0;
    return this;
  }

  add(bytes) {
    let at = 0;
    this.length += bytes.length;
    if (this.filled > 0) {
      at = Math.min(64 - this.filled, bytes.length);
      this.fill(bytes, 0, at);
      if (this.filled < 64) return this;
      compress(this.state, this.block, 0);
      this.filled = 0;
    }
    for (; at + 64 <= bytes.length; at += 64) compress(this.state, bytes, at);
    this.fill(bytes, at, bytes.length);
    return this;
  }

  fill(bytes, from, to) {
    for (let at = from; at < to; at += 1) this.block[this.filled++] = bytes[at];
  }

  // The 32 bytes into "out", from "at" on
  finish(out, at) {
    const { block, state } = this;
    block.fill(0, this.filled);
    block[this.filled] = 128;
    if (this.filled > 55) {
      compress(state, block, 0);
      block.fill(0);
    }
    put(block, 56, Math.floor(this.length / 536870912));
    put(block, 60, this.length << 3);
    compress(state, block, 0);
    for (let word = 0; word < 8; word += 1) put(out, at + word * 4, state[word]);
    return out;
  }

  digest() {
    return this.finish(new Uint8Array(32), 0);
  }
}

function put(bytes, at, word) {
  bytes[at] = word >> 24;
  bytes[at + 1] = word >> 16;
  bytes[at + 2] = word >> 8;
  bytes[at + 3] = word;
}

const HASH = new Sha256(); // one for all HMACs: they finish before anything else begins
const BLOCK = new Uint8Array(64);
const DIGEST = new Uint8Array(32);

// A key with both its pads hashed, for as many messages as are wanted
class Hmac {
  constructor(key) {
    const short = key.length > 64 ? new Sha256().add(key).digest() : key;
    this.inner = padded(short, 0x36);
    this.outer = padded(short, 0x5c);
  }

  // The 32 bytes of some parts into "out", from "at" on
  into(out, at, ...parts) {
    HASH.begin(this.inner, 64);
    for (const part of parts) HASH.add(part);
    HASH.finish(DIGEST, 0);
    return HASH.begin(this.outer, 64).add(DIGEST).finish(out, at);
  }

  of(...parts) {
    return this.into(new Uint8Array(32), 0, ...parts);
  }
}

function padded(key, filler) {
  for (let at = 0; at < 64; at += 1) BLOCK[at] = at < key.length ? key[at] ^ filler : filler;
  const state = STARTED.slice();
  compress(state, BLOCK, 0);
  return state;
}

const NO_SALT = new Hmac(new Uint8Array(32));

// "length" bytes of a secret, with a salt of zeros
function hkdf(secret, info, length) {
  const extracted = new Hmac(NO_SALT.of(secret));
  const made = new Uint8Array(Math.ceil(length / 32) * 32);
  for (let at = 0, count = 1; at < made.length; at += 32, count += 1) {
    extracted.into(made, at, made.subarray(Math.max(0, at - 32), at), info, Uint8Array.of(count));
  }
  return made.subarray(0, length);
}
