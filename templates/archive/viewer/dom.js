// Elements and sentences. Texts only ever become text nodes.

const HELD = {}; // what the page brings as JSON: its sentences, what the volume holds

function island(id) {
  if (!HELD[id]) HELD[id] = mapping(JSON.parse(document.getElementById(id).textContent));
  return HELD[id];
}

// A sentence of the page's language; "{n}" in it becomes values.n
function word(code, values) {
  const text = Object.hasOwn(island("words"), code) ? island("words")[code] : code;
  return text.replace(/\{([a-z]+)\}/g, (whole, name) => (values && name in values ? shownNumber(values[name]) : whole));
}

function shownNumber(value) {
  return typeof value === "number" ? value.toLocaleString(document.documentElement.lang) : String(value);
}

function byId(id) {
  return document.getElementById(`v-${id}`);
}

// An element with attributes ("class", "hidden", ...; functions are listeners) and children, texts or elements
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

function button(code, click, values) {
  return make("button", { type: "button", click }, word(code, values));
}

function own(text) {
  return make("bdi", null, text);
}

function say(id, text, warn) {
  const place = byId(id);
  place.textContent = text;
  place.classList.toggle("warn", Boolean(warn));
}

// What a Problem says; anything else is a fault of the program and must not pass for the person's
function sayProblem(id, error) {
  say(id, error instanceof Problem ? word(`problem-${error.code}`, error.values) : word("problem-fault"), true);
  if (!(error instanceof Problem)) throw error;
}

function shownDay(milliseconds) {
  if (milliseconds === null) return word("time-unknown");
  const format = { timeZone: "UTC", year: "numeric", month: "long", day: "numeric" };
  return new Date(milliseconds).toLocaleDateString(document.documentElement.lang, format);
}

function shownSize(bytes) {
  const step = bytes < 1000 ? 0 : bytes < 1000000 ? 1 : bytes < 1000000000 ? 2 : 3;
  const format = { style: "unit", unit: ["byte", "kilobyte", "megabyte", "gigabyte"][step], maximumFractionDigits: 1 };
  return (bytes / 1000 ** step).toLocaleString(document.documentElement.lang, format);
}

// The page draws and answers keys before it goes on
function breathe() {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

// Elements to be reached by the program only, such as a heading after a jump
function focusOn(element) {
  element.setAttribute("tabindex", "-1");
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block: "start" });
}
