// The panel of index.html: its parts find each other here, and only here.

function start() {
  window.dpobot = receive;
  const archive = new Archive(island("contents"));
  const files = new Files(archive);
  const talk = new Talk(archive, files);
  const find = new Find(archive, talk);
  const rooms = archive.encryptedRooms(archive.own);
  byId("unlock").hidden = rooms.length === 0;
  byId("nothing-encrypted").hidden = rooms.length > 0;
  byId("search").hidden = archive.volumes.every((volume) => volume.of("events").length === 0);
  new Unlock(archive, () => {
    listRooms(archive, talk);
    files.turn(0);
    find.restart();
  });
  byId("viewer").hidden = false;
}

// The decrypted rooms, each with a button to read it
function listRooms(archive, talk) {
  const rooms = [...archive.rooms.values()].filter((room) => room.volume === archive.own);
  byId("rooms").replaceChildren(...rooms.map((room) => roomLine(archive, talk, room)));
  byId("opened").hidden = rooms.length === 0;
}

function roomLine(archive, talk, room) {
  const read = make("button", { type: "button", class: "way", click: (event) => talk.open(room, event.currentTarget) });
  read.append(own(archive.name(room.room)));
  return make("li", null, read, make("span", { class: "soft" }, ` ${word("room-count", { n: room.opened, all: room.sealed })}`));
}
