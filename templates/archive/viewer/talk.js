// A room's events as a conversation: edits and reactions at what they are about, answers with what they answer.

// "items" as shown.js makes them, in the room's order -> {lines, byId}; a line is an item with "edits", "reactions"
function conversation(items) {
  const byId = new Map();
  for (const item of items) {
    item.edits = [];
    item.reactions = new Map();
    if (item.id && !byId.has(item.id)) byId.set(item.id, item);
  }
  const lines = items.filter((item) => !joinedTo(byId.get(item.target), item));
  lines.forEach((line, at) => {
    line.at = at;
    line.edits.sort((left, right) => left.t - right.t || left.n - right.n);
  });
  return { lines, byId };
}

// Whether the item went into the line that it is about
function joinedTo(line, item) {
  if (!line || line === item || line.kind === "edit" || line.kind === "reaction") return false;
  if (item.kind === "edit" && sameHand(line, item) && line.kind !== "redacted" && line.kind !== "encrypted") {
    line.edits.push(item);
    return true;
  }
  if (item.kind === "reaction" && item.name) {
    line.reactions.set(item.name, (line.reactions.get(item.name) || 0) + 1);
    return true;
  }
  return false;
}

// Nobody edits what another wrote; where all is the person's own, nobody is named
function sameHand(line, item) {
  return line.who === item.who || line.who === "" || item.who === "";
}

// What a line says now: the last edit's text, else its own
function saidNow(line) {
  return line.edits.length > 0 ? line.edits[line.edits.length - 1].text : line.text;
}

// Earlier texts, oldest first; none if it was never edited
function saidBefore(line) {
  return line.edits.length > 0 ? [line.text, ...line.edits.slice(0, -1).map((edit) => edit.text)] : [];
}
