// A person with a Matrix client that nobody of this project wrote, driven by one JSON object a line:
// {"id": 1, "call": "send", ...} -> {"id": 1, "ok": ...} or {"id": 1, "error": {"code", "message", "status"}};
// every event that arrives is pushed as {"event": {...}}. Ends with the call "stop" or when standard input closes.
import "./node20.mjs";
import "./quiet.mjs";
import { createInterface } from "node:readline";
import { ClientEvent, RoomEvent, RoomStateEvent } from "matrix-js-sdk";
import { VerificationPhase, VerificationRequestEvent } from "matrix-js-sdk/lib/crypto-api/index.js";
import { start } from "./account.mjs";
import { downloadFile, encryptFile } from "./attachments.mjs";
import { exportKeys } from "./keys.mjs";
import { Timeline } from "./timeline.mjs";

const write = (object) => process.stdout.write(`${JSON.stringify(object)}\n`);
const ENCRYPTION = { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } };

let client;
let timeline;
let homeserver;

/** Resolve when `look()` finds something, trying again at each change that `subscribe` announces. */
function until(look, subscribe, timeout, what) {
    return new Promise((resolve, reject) => {
        const end = (settle, value) => {
            clearTimeout(late);
            unsubscribe();
            settle(value);
        };
        const attempt = () => {
            const found = look();
            if (found) end(resolve, found);
        };
        const gaveUp = Object.assign(new Error(`${what}: not within ${timeout} s`), { code: "TIMEOUT" });
        const late = setTimeout(() => end(reject, gaveUp), timeout * 1000);
        const unsubscribe = subscribe(attempt);
        attempt();
    });
}

const onMembers = (attempt) => {
    const events = [ClientEvent.Room, RoomEvent.MyMembership, RoomStateEvent.Members, RoomStateEvent.Events];
    events.forEach((name) => client.on(name, attempt));
    return () => events.forEach((name) => client.off(name, attempt));
};

async function rememberDirect(person, room) {
    const direct = client.getAccountData("m.direct")?.getContent() ?? {};
    await client.setAccountData("m.direct", { ...direct, [person]: [...(direct[person] ?? []), room] });
}

async function createDm({ person, encrypted = true, powerful = true, timeout = 30 }) {
    const { room_id: room } = await client.createRoom({
        is_direct: true,
        invite: [person],
        preset: powerful ? "trusted_private_chat" : "private_chat", // the first is what Element takes
        visibility: "private",
        initial_state: encrypted ? [ENCRYPTION] : [],
    });
    const known = () => client.getRoom(room)?.hasEncryptionStateEvent() === encrypted;
    await until(known, onMembers, timeout, "the new room's state");
    await rememberDirect(person, room);
    return room;
}

/** A room of several people; `powers` are the levels that some of them get. */
async function createRoom({ name, invite = [], powers = {}, encrypted = true, open = false, timeout = 30 }) {
    const { room_id: room } = await client.createRoom({
        name,
        invite,
        preset: open ? "public_chat" : "private_chat",
        visibility: "private",
        initial_state: encrypted ? [ENCRYPTION] : [],
        power_level_content_override: { users: powers }, // the creator stands above them since room version 12
    });
    await until(() => client.getRoom(room)?.hasEncryptionStateEvent() === encrypted, onMembers, timeout, "the new room");
    return room;
}

/** What the client knows of a room's power levels: user ID -> number, creators of room version 12 left out. */
function powerLevels({ room }) {
    const content = client.getRoom(room)?.currentState.getStateEvents("m.room.power_levels", "")?.getContent() ?? {};
    return content.users ?? {};
}

/** Send and return the event ID, also when the event comes back from the server before the answer to the request. */
async function sent(room, content) {
    const transaction = client.makeTxnId();
    try {
        return (await client.sendMessage(room, content, transaction)).event_id;
    } catch (error) {
        if (!/not a local echo/.test(error.message)) throw error; // the SDK's words for an echo that was faster
        const onEvents = (attempt) => {
            client.on(ClientEvent.Event, attempt);
            return () => client.off(ClientEvent.Event, attempt);
        };
        return until(() => timeline.sentAs(transaction), onEvents, 10, "the own event");
    }
}

const text = (body) => ({ msgtype: "m.text", body });

const edited = (event, body) => ({
    ...text(`* ${body}`),
    "m.new_content": text(body),
    "m.relates_to": { rel_type: "m.replace", event_id: event },
});

const inThread = (root) => ({
    "m.relates_to": {
        rel_type: "m.thread",
        event_id: root,
        is_falling_back: true,
        "m.in_reply_to": { event_id: root },
    },
});

const inReply = (event) => ({ "m.relates_to": { "m.in_reply_to": { event_id: event } } });

async function sendFile({ room, path, name, mimetype = "application/octet-stream", msgtype = "m.file", root }) {
    const { cipher, file, size, sha256 } = await encryptFile(path);
    const upload = await client.uploadContent(new Blob([cipher]), {
        type: "application/octet-stream",
        includeFilename: false,
    });
    const content = { msgtype, body: name, filename: name, info: { size, mimetype } };
    const relation = root ? inThread(root) : {};
    const event = await sent(room, { ...content, ...relation, file: { ...file, url: upload.content_uri } });
    return { event_id: event, url: upload.content_uri, size, sha256 };
}

async function requestVerification({ user, room, timeout = 30 }) {
    const request = await client.getCrypto().requestVerificationDM(user, room);
    const answered = () =>
        [VerificationPhase.Ready, VerificationPhase.Done, VerificationPhase.Cancelled].includes(request.phase) && {
            phase: VerificationPhase[request.phase].toLowerCase(),
            code: request.cancellationCode,
        };
    const onChange = (attempt) => {
        request.on(VerificationRequestEvent.Change, attempt);
        return () => request.off(VerificationRequestEvent.Change, attempt);
    };
    return until(answered, onChange, timeout, "an answer to the verification request");
}

const calls = {
    start: async (options) => {
        if (client) throw new Error("started already");
        homeserver = options.homeserver;
        const made = await start(options, (fresh) => {
            client = fresh;
            timeline = new Timeline(fresh, (event) => write({ event }));
        });
        const crypto = client.getCrypto();
        return {
            user_id: client.getUserId(),
            device_id: client.getDeviceId(),
            access_token: client.getAccessToken(),
            recovery_key: made.recoveryKey ?? null,
            cross_signed: await crypto.isCrossSigningReady(),
            version: crypto.getVersion(),
        };
    },
    createDm,
    createRoom,
    powerLevels,
    setPower: async ({ room, user, level }) => void (await client.setPowerLevel(room, user, level)),
    kick: async ({ room, user }) => void (await client.kick(room, user)),
    send: ({ room, text: body }) => sent(room, text(body)),
    edit: ({ room, event, text: body }) => sent(room, edited(event, body)),
    reply: ({ room, event, text: body }) => sent(room, { ...text(body), ...inReply(event) }),
    newSession: ({ room }) => client.getCrypto().forceDiscardSession(room),
    exportKeys: ({ path, passphrase }) => exportKeys(client, path, passphrase),
    thread: ({ room, root, text: body }) => sent(room, { ...text(body), ...inThread(root) }),
    react: async ({ room, event, key }) => {
        const relation = { rel_type: "m.annotation", event_id: event, key };
        return (await client.sendEvent(room, "m.reaction", { "m.relates_to": relation })).event_id;
    },
    redact: async ({ room, event }) => (await client.redactEvent(room, event)).event_id,
    sendFile,
    download: ({ file, path }) => downloadFile(homeserver, client.getAccessToken(), file, path),
    messages: ({ room }) => timeline.of(room),
    read: ({ room }) => timeline.read(room),
    waitShown: (wanted) => timeline.waitShown(wanted),
    waitFor: (wanted) => timeline.waitFor(wanted),
    waitMembership: ({ room, user, membership, timeout = 30 }) => {
        const there = () => client.getRoom(room)?.getMember(user)?.membership === membership;
        return until(there, onMembers, timeout, `${membership} of the other one`);
    },
    waitInvite: ({ sender, timeout = 30 }) => {
        const from = (room) => room.getMember(client.getUserId())?.events.member?.getSender();
        const invited = (room) => room.getMyMembership() === "invite" && from(room) === sender;
        return until(() => client.getRooms().find(invited)?.roomId, onMembers, timeout, "an invitation");
    },
    invite: async ({ room, user }) => void (await client.invite(room, user)),
    join: async ({ room }) => {
        await client.joinRoom(room);
        const joined = () => client.getRoom(room)?.getMyMembership() === "join";
        return until(joined, onMembers, 30, "the join");
    },
    leave: async ({ room }) => void (await client.leave(room)),
    requestVerification,
};

async function answer(line) {
    const { id, call, ...args } = JSON.parse(line);
    try {
        if (call !== "start" && !client) throw new Error("not started");
        if (!(call in calls)) throw Object.assign(new Error(`no such call: ${call}`), { code: "NO_SUCH_CALL" });
        write({ id, ok: (await calls[call](args)) ?? null });
    } catch (error) {
        const code = error.errcode ?? error.code ?? error.name;
        const status = error.httpStatus ?? error.status ?? null;
        write({ id, error: { code: String(code), message: String(error.message), status } });
    }
}

process.on("unhandledRejection", (error) => console.error("unhandled:", error));
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
    if (JSON.parse(line).call !== "stop") return void answer(line);
    client?.stopClient();
    process.stdout.write(`${JSON.stringify({ id: JSON.parse(line).id, ok: null })}\n`, () => process.exit(0));
});
lines.on("close", () => process.exit(0));
