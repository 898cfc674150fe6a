// From a password to a running client with Rust crypto, cross-signed as Element does it at the first login.
import { sdkLogger } from "./quiet.mjs";
import { ClientEvent, SyncState, createClient } from "matrix-js-sdk";
import {
    AllDevicesIsolationMode,
    OnlySignedDevicesIsolationMode,
    decodeRecoveryKey,
} from "matrix-js-sdk/lib/crypto-api/index.js";

const MODES = {
    all: () => new AllDevicesIsolationMode(false),
    signed: () => new OnlySignedDevicesIsolationMode(), // "exclude insecure devices", MSC4153
};

/** Answer the user-interactive authentication with the password (spec "User-Interactive Authentication API"). */
function withPassword(user, password) {
    return async (makeRequest) => {
        try {
            return await makeRequest(null);
        } catch (error) {
            if (error.httpStatus !== 401 || !error.data?.session) throw error;
            const identifier = { type: "m.id.user", user };
            return makeRequest({ type: "m.login.password", identifier, password, session: error.data.session });
        }
    };
}

async function logIn({ homeserver, user, password, deviceName = "interop" }) {
    const guest = createClient({ baseUrl: homeserver, logger: sdkLogger });
    return guest.loginRequest({
        type: "m.login.password",
        identifier: { type: "m.id.user", user },
        password,
        initial_device_display_name: deviceName,
    });
}

function untilSynced(client, seconds) {
    return new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error("the first sync took too long")), seconds * 1000);
        client.on(ClientEvent.Sync, (state) => {
            if (state !== SyncState.Prepared && state !== SyncState.Syncing) return;
            clearTimeout(late);
            resolve();
        });
    });
}

async function signOwnDevice(client, { user, password, crossSign = true, backup = false, recoveryKey }) {
    const crypto = client.getCrypto();
    await crypto.userHasCrossSigningKeys(); // asks the server: an identity that is not known can't be joined
    if (crossSign) await crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys: withPassword(user, password) });
    if (recoveryKey) {
        await crypto.loadSessionBackupPrivateKeyFromSecretStorage();
        await crypto.checkKeyBackupAndEnable();
    }
    if (!backup) return undefined;
    const created = await crypto.createRecoveryKeyFromPassphrase();
    await crypto.bootstrapSecretStorage({
        createSecretStorageKey: async () => created,
        setupNewSecretStorage: true,
        setupNewKeyBackup: true,
    });
    return created.encodedPrivateKey;
}

/**
 * Log in and start. `beforeSync(client)` is called before the first event can arrive.
 * `crossSign: false` leaves the device unsigned; `backup: true` makes secret storage and a key backup and returns the
 * recovery key; `recoveryKey` opens those of an earlier login.
 */
export async function start(options, beforeSync) {
    const secrets = new Map();
    const session = await logIn(options);
    const client = createClient({
        baseUrl: options.homeserver,
        accessToken: session.access_token,
        userId: session.user_id,
        deviceId: session.device_id,
        logger: sdkLogger,
        cryptoCallbacks: {
            getSecretStorageKey: async ({ keys }) => {
                const id = Object.keys(keys).find((known) => secrets.has(known)) ?? Object.keys(keys)[0];
                if (secrets.has(id)) return [id, secrets.get(id)];
                return options.recoveryKey ? [id, decodeRecoveryKey(options.recoveryKey)] : null;
            },
            cacheSecretStorageKey: (id, _description, key) => secrets.set(id, key),
        },
    });
    await client.initRustCrypto({ useIndexedDB: false });
    client.getCrypto().setDeviceIsolationMode(MODES[options.mode ?? "all"]());
    beforeSync(client);
    const synced = untilSynced(client, 60);
    await client.startClient({ initialSyncLimit: 100, threadSupport: true });
    await synced;
    const recoveryKey = await signOwnDevice(client, options);
    return { client, recoveryKey };
}
