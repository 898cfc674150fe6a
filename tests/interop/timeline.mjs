// What the person sees: every event of every room, decrypted where that is possible, in the order of arrival.
import { ClientEvent, MatrixEventEvent } from "matrix-js-sdk";
import { EventShieldColour, EventShieldReason } from "matrix-js-sdk/lib/crypto-api/index.js";

const lower = (names, value) => (value === null ? null : names[value].toLowerCase());

export class Timeline {
    #client;
    #tell;
    #events = new Map(); // event ID -> MatrixEvent
    #order = new Map(); // event ID -> how many came before
    #redacted = new Set();
    #watchers = new Set();

    /** `tell(record)` is called for every event, and again when it could be decrypted later. */
    constructor(client, tell) {
        this.#client = client;
        this.#tell = tell;
        client.on(ClientEvent.Event, (event) => void this.#arrived(event));
        client.on(MatrixEventEvent.Replaced, (event) => void this.#changed(event));
    }

    async #changed(event) {
        if (this.#events.has(event.getId())) this.#inform(await this.describe(event));
    }

    async #arrived(event) {
        if (!event.getId() || !event.getRoomId() || this.#events.has(event.getId())) return;
        this.#order.set(event.getId(), this.#events.size);
        this.#events.set(event.getId(), event);
        const redacts = event.getAssociatedId();
        if (event.getType() === "m.room.redaction" && redacts) this.#redacted.add(redacts);
        event.on(MatrixEventEvent.Decrypted, () => void this.#announce(event));
        if (event.isEncrypted()) await this.#client.decryptEventIfNeeded(event);
        await this.#announce(event);
    }

    async #announce(event) {
        const record = await this.describe(event);
        this.#tell(record);
        this.#inform(record);
    }

    #inform(record) {
        for (const watcher of [...this.#watchers]) watcher(record);
    }

    async describe(event) {
        const content = event.getOriginalContent();
        const relation = event.getWireContent()["m.relates_to"] ?? content["m.relates_to"] ?? {};
        const replaces = relation.rel_type === "m.replace" ? relation.event_id : null;
        const shown = (replaces && content["m.new_content"]) || content;
        const sealed = event.isEncrypted() && !event.isRedacted(); // of a redacted one nothing is left to ask about
        const info = sealed ? await this.#client.getCrypto().getEncryptionInfoForEvent(event) : null;
        const failed = event.isDecryptionFailure();
        return {
            event_id: event.getId(),
            room_id: event.getRoomId(),
            sender: event.getSender(),
            type: event.getType(),
            state_key: event.getStateKey() ?? null,
            body: !failed && typeof shown.body === "string" ? shown.body : null,
            msgtype: failed ? null : (shown.msgtype ?? null),
            encrypted: event.isEncrypted(),
            content: failed ? {} : content,
            replaces,
            thread_root: relation.rel_type === "m.thread" ? relation.event_id : null,
            edited: false,
            redacts: event.getType() === "m.room.redaction" ? (event.getAssociatedId() ?? null) : null,
            redacted: this.#redacted.has(event.getId()) || event.isRedacted(),
            failure: failed ? (event.decryptionFailureReason ?? "UNKNOWN_ERROR") : null,
            shield: info && lower(EventShieldColour, info.shieldColour),
            shield_reason: info && lower(EventShieldReason, info.shieldReason),
        };
    }

    /** Return the ID of the event that was sent with a transaction ID, if it has come back. */
    sentAs(transaction) {
        const own = (event) => event.getUnsigned().transaction_id === transaction;
        return [...this.#events.values()].find(own)?.getId();
    }

    async of(room) {
        const found = [...this.#events.values()].filter((event) => event.getRoomId() === room);
        return Promise.all(found.map((event) => this.describe(event)));
    }

    /** What a reader sees in an event's place: the newest edit that the SDK accepts has been applied. */
    async shown(id) {
        const first = this.#events.get(id);
        if (!first) return null;
        const event = this.#client.getRoom(first.getRoomId())?.findEventById(id) ?? first; // threads make their own
        await this.#client.decryptEventIfNeeded(event);
        const record = await this.describe(event);
        if (record.failure || !event.replacingEvent()) return record;
        const content = event.getContent();
        return { ...record, content, body: content.body ?? null, msgtype: content.msgtype ?? null, edited: true };
    }

    /** Every message of a room as a reader sees it: edits applied, and left out themselves. */
    async read(room) {
        const records = (await this.of(room)).filter((record) => !record.replaces && record.state_key === null);
        return Promise.all(records.map((record) => this.shown(record.event_id)));
    }

    /** Return what a reader sees in the place of `event` as soon as it fits; waits for it, `timeout` seconds at most. */
    async waitShown({ event, timeout = 30, ...wanted }) {
        const fits = matcher(wanted);
        const end = Date.now() + timeout * 1000;
        for (;;) {
            const news = this.#news(end - Date.now()); // before looking, or a change could slip between the two
            const record = await this.shown(event);
            if (record && fits(record)) return record;
            if (!(await news)) throw late(timeout);
        }
    }

    /** Resolve to true at the next change, to false when the time is over. */
    #news(milliseconds) {
        return new Promise((resolve) => {
            const end = (value) => {
                clearTimeout(timer);
                this.#watchers.delete(watcher);
                resolve(value);
            };
            const watcher = () => end(true);
            const timer = setTimeout(() => end(false), milliseconds);
            this.#watchers.add(watcher);
        });
    }

    /** Return the first record that fits and came after the event `after`; waits for it, `timeout` seconds at most. */
    async waitFor({ room, timeout = 30, after, ...wanted }) {
        const fits = matcher(wanted);
        const good = (record) => record.room_id === room && this.#isAfter(record.event_id, after) && fits(record);
        let found;
        const later = new Promise((resolve) => (found = resolve));
        const watcher = (record) => good(record) && found(record);
        this.#watchers.add(watcher); // before looking back, or an event could slip between the two
        const timer = setTimeout(() => found(null), timeout * 1000);
        try {
            const now = (await this.of(room)).find(good);
            const record = now ?? (await later);
            if (record) return record;
        } finally {
            this.#watchers.delete(watcher);
            clearTimeout(timer);
        }
        throw late(timeout);
    }

    /** What was sent but has not come back from the server yet is before nothing. */
    #isAfter(id, other) {
        return !other || (this.#order.has(other) && this.#order.get(id) > this.#order.get(other));
    }
}

const late = (timeout) =>
    Object.assign(new Error(`nothing that fits came within ${timeout} s`), { code: "TIMEOUT" });

function matcher({ pattern, ...equal }) {
    const expression = pattern === undefined ? null : new RegExp(pattern, "su");
    return (record) =>
        Object.entries(equal).every(([name, value]) => record[name] === value) &&
        (expression === null || (record.body !== null && expression.test(record.body)));
}
