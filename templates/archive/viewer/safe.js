// What comes from people, made harmless to show: the same rules as dpobot/archive/messages.py.

const MOST_TEXT = 20000;
const MOST_NAME = 200;
const UNSEEN =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function mapping(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : Object.create(null);
}

// At most "most" characters of a text, what must not be seen replaced; "" if it is no text
function safe(value, most) {
  if (typeof value !== "string") return "";
  return value.slice(0, most || MOST_NAME).replace(UNSEEN, "\ufffd");
}

// Milliseconds as a number that dates can have, else null; 0 stands for an unknown one
function moment(value) {
  return Number.isInteger(value) && value > 0 && value <= 253402300799000 ? value : null;
}

function dayOf(milliseconds) {
  return milliseconds === null ? "" : new Date(milliseconds).toISOString().slice(0, 10);
}

function timeOf(milliseconds) {
  return milliseconds === null ? "" : new Date(milliseconds).toISOString().slice(11, 16);
}
