// An event -> what is shown and searched of it. Wrong-typed or missing fields never throw.

const FILES = new Set(["m.image", "m.video", "m.audio", "m.file"]);
const BODIES = new Map([["m.emote", "emote"], ["m.notice", "notice"], ["m.location", "location"]]);
const POLL = ["m.poll.start", "org.matrix.msc3381.poll.start"];

// What all of them have; "why" says why an encrypted one can't be read
function blank(line) {
  const event = mapping(line.e);
  return {
    n: Number.isInteger(line.n) ? line.n : 0,
    t: moment(line.t),
    id: safe(line.i || event.event_id, 255),
    kind: "other",
    text: "",
    cut: false,
    name: "",
    target: "",
    reply: "",
    thread: "",
    who: safe(line.u || event.sender, 255),
    page: typeof line.p === "string" ? line.p : "",
    file: null,
    type: "",
    why: "",
    opened: false,
  };
}

// A line of a room's data that the server could read
function plainShown(line) {
  const item = blank(line);
  item.kind = safe(line.k) || "other";
  item.text = safe(line.s, MOST_TEXT);
  item.target = safe(line.to, 255);
  if (item.kind === "reaction") item.name = item.text;
  return item;
}

// An encrypted line that could not be opened
function closedShown(line, why) {
  const item = blank(line);
  item.kind = "encrypted";
  item.why = why;
  return item;
}

// What an encrypted line turned out to be. Relations stand outside, where the server needs them
function openedShown(line, payload) {
  const item = blank(line);
  const content = mapping(payload.content);
  const outside = mapping(mapping(mapping(line.e).content)["m.relates_to"]);
  const inside = mapping(content["m.relates_to"]);
  item.opened = true;
  item.type = safe(payload.type);
  relate(item, typeof outside.rel_type === "string" || outside["m.in_reply_to"] ? outside : inside);
  if (item.type === "m.room.message") message(item, content);
  else if (item.type === "m.sticker") file(item, content);
  else if (item.type === "m.reaction") reaction(item, inside, outside);
  else if (POLL.includes(item.type)) poll(item, mapping(content[item.type]));
  return item;
}

function relate(item, relation) {
  const target = safe(relation.event_id, 255);
  if (relation.rel_type === "m.replace") {
    item.kind = "edit";
    item.target = target;
    return;
  }
  if (relation.rel_type === "m.thread") item.thread = target;
  if (!item.thread || relation.is_falling_back !== true) {
    item.reply = safe(mapping(relation["m.in_reply_to"]).event_id, 255);
  }
}

function message(item, content) {
  const edit = item.kind === "edit";
  const said = edit && typeof content["m.new_content"] === "object" ? mapping(content["m.new_content"]) : content;
  if (!edit && typeof content.msgtype === "string" && FILES.has(content.msgtype)) return file(item, content);
  if (!edit) item.kind = BODIES.get(content.msgtype) || "text";
  if (typeof said.body !== "string") {
    if (!edit) item.kind = "odd";
    return;
  }
  const body = item.reply ? withoutQuote(said.body) : said.body;
  item.text = safe(body, MOST_TEXT);
  item.cut = body.length > MOST_TEXT;
}

// Older clients put what they answer before the answer, as lines with ">" ("Fallbacks for rich replies")
function withoutQuote(body) {
  if (!body.startsWith("> ")) return body;
  const end = body.indexOf("\n\n");
  if (end < 0) return body;
  return body.slice(0, end).split("\n").every((line) => line.startsWith(">")) ? body.slice(end + 2) : body;
}

function file(item, content) {
  item.kind = "file";
  item.name = safe(content.filename) || safe(content.body);
  const caption = typeof content.filename === "string" ? safe(content.body, MOST_TEXT) : "";
  item.text = caption === item.name ? "" : caption;
  const info = mapping(content.info);
  const sealed = mapping(content.file);
  item.file = {
    url: safe(sealed.url || content.url, 512),
    type: safe(info.mimetype).split(";", 1)[0].trim().toLowerCase(),
    size: Number.isInteger(info.size) && info.size >= 0 ? info.size : null,
    sealed: typeof sealed.url === "string" ? sealed : null,
  };
}

function reaction(item, inside, outside) {
  const relation = typeof inside.key === "string" ? inside : outside;
  item.kind = "reaction";
  item.name = safe(relation.key);
  item.target = safe(relation.event_id, 255);
}

function poll(item, content) {
  const question = mapping(content.question);
  item.kind = "poll";
  item.text = safe(question.body || question["org.matrix.msc1767.text"], MOST_TEXT);
}
