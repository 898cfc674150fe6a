"use strict";
// Checks the receipt of an erasure: the same rules as dpobot/receipt/check.py, in a browser or in Node, without network.

const FIELDS = ["case", "counts", "key_id", "notice", "plan", "residuals", "signature", "subject", "times", "version"];
const TEXTS = ["case", "plan", "notice", "subject", "key_id", "signature"];
const HASH = /^[0-9a-f]{64}$/;
const MOMENT = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/;
const MOST_CHARACTERS = 1000000;

class ReceiptError extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

function byCodePoint(left, right) {
  const a = Array.from(left, (sign) => sign.codePointAt(0));
  const b = Array.from(right, (sign) => sign.codePointAt(0));
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    if (a[at] !== b[at]) return a[at] - b[at];
  }
  return a.length - b.length;
}

// Matrix specification, Appendices, "Canonical JSON"; without the member of the outermost object that "without" names
function canonical(value, without) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") {
    if (/\p{Surrogate}/u.test(value)) throw new ReceiptError("not_canonical");
    return JSON.stringify(value);
  }
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new ReceiptError("not_canonical");
    return String(value);
  }
  if (Array.isArray(value)) return "[" + value.map((each) => canonical(each)).join(",") + "]";
  const names = Object.keys(value).filter((name) => name !== without).sort(byCodePoint);
  return "{" + names.map((name) => canonical(name) + ":" + canonical(value[name])).join(",") + "}";
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// What is not exactly its own canonical form is refused: so no name can stand in it twice, and no number be written oddly
function parsed(text) {
  let said;
  try {
    if (text.length > MOST_CHARACTERS) throw new ReceiptError("not_json");
    said = JSON.parse(text);
  } catch {
    throw new ReceiptError("not_json");
  }
  if (!isObject(said)) throw new ReceiptError("not_json");
  if (canonical(said) !== text) throw new ReceiptError("not_canonical");
  return said;
}

function isCount(value) {
  return Number.isSafeInteger(value) && value >= 0;
}

function isMoment(value) {
  if (typeof value !== "string" || !MOMENT.test(value)) return false;
  const moment = new Date(value);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().slice(0, 19) === value.slice(0, 19);
}

function isResidual(value) {
  return isObject(value) && Object.keys(value).sort().join() === "category,count,reason"
    && typeof value.category === "string" && typeof value.reason === "string" && isCount(value.count);
}

function isShaped(said) {
  return Object.keys(said).sort().join() === FIELDS.join()
    && TEXTS.every((name) => typeof said[name] === "string")
    && HASH.test(said.plan) && HASH.test(said.subject)
    && isObject(said.counts) && Object.values(said.counts).every(isCount)
    && Array.isArray(said.residuals) && said.residuals.every(isResidual)
    && isObject(said.times) && Object.values(said.times).every(isMoment);
}

// Unpadded Base64, one text for one value
function decoded(text) {
  if (!/^[A-Za-z0-9+/]*$/.test(text) || text.length % 4 === 1) return null;
  const raw = atob(text);
  if (btoa(raw).replace(/=+$/, "") !== text) return null;
  return Uint8Array.from(raw, (sign) => sign.charCodeAt(0));
}

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function stripped(text) {
  return text.replace(/^[\ufeff \t\r\n]+|[\ufeff \t\r\n]+$/g, "");
}

async function verify(text, publicKey) {
  const said = parsed(stripped(text));
  if (said.version !== 1) throw new ReceiptError("wrong_version");
  if (!isShaped(said)) throw new ReceiptError("wrong_shape");
  const raw = decoded(stripped(publicKey).replace(/=+$/, ""));
  if (raw === null || raw.length !== 32) throw new ReceiptError("bad_key");
  if (said.key_id !== "ed25519:" + (await sha256(raw)).slice(0, 16)) throw new ReceiptError("unknown_key");
  const signature = decoded(said.signature);
  if (signature === null || signature.length !== 64) throw new ReceiptError("bad_signature");
  const key = await crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
  const message = new TextEncoder().encode(canonical(said, "signature"));
  if (!(await crypto.subtle.verify({ name: "Ed25519" }, key, signature, message))) throw new ReceiptError("bad_signature");
  return said;
}

// The subject of a receipt: SHA-256 of code, "|" and user ID
async function subjectOf(code, userId) {
  const signs = Array.from(code.normalize("NFKC").toUpperCase()).filter((sign) => !/[\s\p{Pd}\p{Cf}]/u.test(sign)).join("");
  if (!/^[A-HJ-NP-Z2-9]{20}$/.test(signs)) return null;
  return sha256(new TextEncoder().encode(signs.match(/.{4}/g).join("-") + "|" + userId.trim()));
}

const pageOf = (document) => {
  const at = (id) => document.getElementById(id);
  const words = (kind, code) => {
    const found = Array.from(document.querySelectorAll("#words li")).find((each) => each.dataset.word === kind + " " + code);
    return found ? found.textContent : code.slice(0, 80);
  };
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const moment = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });
  let known = null;

  function line(list, kind, text) {
    const item = document.createElement(kind);
    item.textContent = text;
    list.append(item);
    return item;
  }

  function verdict(text, bad) {
    at("verdict").className = bad ? "bad" : "good";
    at("verdict").replaceChildren();
    line(at("verdict"), "strong", text);
  }

  function pairs(id, rows) {
    at(id).replaceChildren();
    for (const [name, value] of rows) {
      line(at(id), "dt", name);
      line(at(id), "dd", value);
    }
  }

  function leftovers(residuals) {
    const groups = new Map();
    for (const each of residuals) groups.set(each.reason, [...(groups.get(each.reason) || []), each]);
    at("left").replaceChildren();
    for (const [reason, group] of groups) {
      const items = group.map((each) => words("category", each.category) + (each.count ? " (" + number.format(each.count) + ")" : ""));
      const bad = !document.querySelector('#words li[data-word="reason ' + CSS.escape(reason) + '"][data-expected]');
      line(at("left"), "li", items.join(", ") + ". " + words("reason", reason)).className = bad ? "bad" : "";
    }
  }

  function show(said) {
    const order = ["requested", "confirmed", "begun", "erased", "checked"];
    const moments = Object.entries(said.times).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
    pairs("times", moments.map(([name, value]) => [words("time", name), moment.format(new Date(value)) + " UTC"]));
    pairs("gone", Object.entries(said.counts).map(([name, count]) => [words("category", name), number.format(count)]));
    leftovers(said.residuals);
    at("case").textContent = said.case;
    at("plan").textContent = said.plan;
    at("notice").textContent = said.notice;
    at("key-id").textContent = said.key_id;
    const file = new Blob([canonical(said)], { type: "application/json" });
    at("save").href = URL.createObjectURL(file);
    at("save").download = "receipt-" + said.case.replace(/[^A-Za-z0-9-]/g, "") + ".json";
    at("said").hidden = false;
  }

  async function check() {
    known = null;
    at("said").hidden = true;
    at("whose").textContent = "";
    try {
      known = await verify(at("receipt").value, at("key").value);
    } catch (error) {
      if (!(error instanceof ReceiptError)) return verdict(words("page", "unsupported"), true);
      return verdict(words("page", "bad") + " " + words("error", error.code), true);
    }
    verdict(words("page", "good"), false);
    show(known);
  }

  async function mine() {
    const subject = await subjectOf(at("code").value, at("user").value);
    at("whose").textContent = words("page", known && subject === known.subject ? "mine" : "not-mine");
  }

  at("file").addEventListener("change", async () => {
    const file = at("file").files[0];
    if (file) at("receipt").value = await file.text();
    if (file) await check();
  });
  at("check").addEventListener("submit", (event) => {
    event.preventDefault();
    check();
  });
  at("owner").addEventListener("submit", (event) => {
    event.preventDefault();
    mine();
  });
  if (at("receipt").value) check();
};

if (typeof document !== "undefined") pageOf(document);
