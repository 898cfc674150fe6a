"""What the codes of the legal facts mean, in sentences that are translated where they are shown."""

from collections.abc import Mapping

from dpobot.text.language import translatable

# Art. 15(1)(g): where it comes from
SOURCES: Mapping[str, str] = {
    "person": translatable("You gave it yourself, or made it by what you did."),
    "apps": translatable("Your apps sent it while you used them."),
    "server": translatable("The server made it while it ran the service."),
    "others": translatable("Other people made it, or their servers sent it."),
    "staff": translatable("Those who run the service set it."),
    "provider": translatable("The service through which you log in told it."),
}

# Art. 15(1)(a): what for
PURPOSES: Mapping[str, str] = {
    "account": translatable("To run your account, and to let you and nobody else log in."),
    "answer": translatable("To see whether the answer to your request is complete."),
    "carry": translatable("To deliver what you write and send where you want it."),
    "count": translatable("To know how much the service is used."),
    "encrypt": translatable("So that you and others can write encrypted and recognise the devices of each other."),
    "found": translatable("So that others find and recognise you."),
    "moderate": translatable("So that moderators can act on reports."),
    "notify": translatable("To tell you what is new, as you wish it."),
    "online": translatable("To show people in your rooms whether you are there."),
    "operate": translatable("To run the software: its parts tell each other what has changed."),
    "prove": translatable("To prove what you agreed to."),
    "recognise": translatable("So that you recognise a login that is not yours."),
    "recover": translatable("To let you in again when you have forgotten your password, and to reach you."),
    "rooms_found": translatable("So that rooms can be found by their address."),
    "safety": translatable("To find faults and to stop misuse and theft of accounts."),
    "search": translatable("So that messages can be searched."),
    "settings": translatable("To keep your settings the same in all your apps."),
    "trial": translatable("To let your account try functions that not everybody has yet."),
    "unread": translatable("To count what you have not read, and to show others what you have, if you wish."),
}

# Art. 6(1)
GROUNDS: Mapping[str, str] = {
    "b": translatable("contract: it is needed to provide the service to you"),
    "c": translatable("legal obligation"),
    "f": translatable("legitimate interests: a service that is safe and works; you may object (write: object)"),
}

# Art. 15(1)(d): how long, or how that is decided. {log_days}: the operator's
RETENTIONS: Mapping[str, str] = {
    "account": translatable(
        "Until your account is erased; your user name stays for good, so that nobody can pose as you."
    ),
    "changed": translatable("Until you or your apps change or remove it, or your account is erased."),
    "connections": translatable(
        "The server removes it after some weeks (28 days, unless it is set otherwise); log "
        "files keep it at most {log_days} days."
    ),
    "delivered": translatable("Until your device has got it."),
    "derived": translatable("As long as the data that it is made from."),
    "device": translatable("Until you log the device out, or your account is deactivated."),
    "done": translatable("Until it is done, and a short time after that."),
    "existing": translatable("As long as the account exists."),
    "logs": translatable("At most {log_days} days."),
    "memberships": translatable(
        "As long as the room exists: events that hold a room together stay, emptied of what it "
        "can do without, also after an erasure."
    ),
    "messages": translatable(
        "Until you, or the settings of a room, remove it. After an erasure, what only you "
        "could read goes within 30 days; what others received stays in their copy."
    ),
    "moderators": translatable(
        "Until those who moderate the server have dealt with it and delete it; there is no fixed time."
    ),
    "not_stored": translatable("It is not kept: it was counted for this answer."),
    "notifications": translatable("Some days; mentions of you about a month."),
    "online": translatable("While you are online, and a short time after that."),
    "password": translatable("Until you change it, or your account is deactivated."),
    "replaced": translatable("Until the next one in the same room takes its place."),
    "sign_ins": translatable(
        "While you are logged in; after that the sign-in service keeps it as a record, with no fixed time."
    ),
    "staff": translatable("Until those who run the service take it back, or your account is erased."),
    "tokens": translatable("Until you log out, change your password, or it runs out."),
    "unlimited": translatable("No time is fixed: it stays as long as your account exists."),
}

# Art. 15(1)(c): kinds of recipients; those that can be named are named beside
RECIPIENTS: Mapping[str, str] = {
    "bridges": translatable("where a room is joined to another network: that network, through its bridge"),
    "contacts": translatable("people who write to you encrypted, and their servers"),
    "identity": translatable("the identity servers that you chose"),
    "moderators": translatable("those who moderate this server"),
    "provider": translatable("the service through which you log in"),
    "public": translatable("everybody who can look you or your rooms up on this or another server"),
    "push": translatable("the push services that your apps chose"),
    "rooms": translatable("the people in your rooms, and the servers that they use"),
}
