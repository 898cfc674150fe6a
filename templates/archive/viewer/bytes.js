// Bytes as text and back: base64 as Matrix writes it (Appendices, "Unpadded Base64"), base58, UTF-8.

class Problem extends Error {
  // What goes wrong and has a sentence: "code" names it among the words, "values" fill it.
  constructor(code, values) {
    super(code);
    this.code = code;
    this.values = values || null;
  }
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const UTF8 = new TextEncoder();
const FROM_UTF8 = new TextDecoder();
const SIXTETS = sixtets();

function sixtets() {
  const table = new Uint8Array(128).fill(255);
  for (let at = 0; at < 64; at += 1) table[BASE64.charCodeAt(at)] = at;
  table[45] = 62; // "-" and "_": the alphabet of addresses, which attachments' keys use (RFC 4648, section 5)
  table[95] = 63;
  return table;
}

// Padding may be there or not; anything else that is no base64 is a Problem
function fromBase64(text) {
  if (typeof text !== "string") throw new Problem("broken");
  let length = text.length;
  while (length > 0 && text.charCodeAt(length - 1) === 61) length -= 1;
  if (length % 4 === 1) throw new Problem("broken");
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  let wrong = 0;
  for (let at = 0, to = 0; at < length; at += 4) {
    const word =
      (sixtet(text, at, length) << 18) |
      (sixtet(text, at + 1, length) << 12) |
      (sixtet(text, at + 2, length) << 6) |
      sixtet(text, at + 3, length);
    wrong |= word;
    bytes[to++] = word >> 16;
    bytes[to++] = word >> 8;
    bytes[to++] = word;
  }
  if (wrong < 0) throw new Problem("broken");
  return bytes;
}

// -1 where there is none: it makes the whole word negative
function sixtet(text, at, length) {
  if (at >= length) return 0;
  const code = text.charCodeAt(at);
  if (code > 127 || SIXTETS[code] === 255) return -1;
  return SIXTETS[code];
}

function toBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const word = (bytes[at] << 16) | ((bytes[at + 1] || 0) << 8) | (bytes[at + 2] || 0);
    text += BASE64[word >> 18] + BASE64[(word >> 12) & 63] + BASE64[(word >> 6) & 63] + BASE64[word & 63];
  }
  return text.slice(0, Math.ceil((bytes.length * 4) / 3));
}

// Null if a sign is none of base58's
function fromBase58(text) {
  const bytes = [];
  for (const sign of text) {
    let carry = BASE58.indexOf(sign);
    if (carry < 0) return null;
    for (let at = 0; at < bytes.length; at += 1) {
      carry += bytes[at] * 58;
      bytes[at] = carry & 255;
      carry >>= 8;
    }
    for (; carry > 0; carry >>= 8) bytes.push(carry & 255);
  }
  for (let at = 0; at < text.length && text[at] === "1"; at += 1) bytes.push(0);
  return Uint8Array.from(bytes.reverse());
}

function toUtf8(text) {
  return UTF8.encode(text);
}

// What is no UTF-8 becomes U+FFFD
function fromUtf8(bytes) {
  return FROM_UTF8.decode(bytes);
}

// In one go whatever differs, so that how long it takes says nothing
function sameBytes(left, right) {
  if (left.length !== right.length) return false;
  let differ = 0;
  for (let at = 0; at < left.length; at += 1) differ |= left[at] ^ right[at];
  return differ === 0;
}

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
