//! Every bound of the wire, once. The server enforces them, `hello` announces those that a client needs, and the
//! client uses them before it asks. Sources: PROTOCOL "Limits" and RELIABILITY.

/// Characters of a message: Unicode scalar values after normalisation.
pub const MESSAGE_CHARACTERS: usize = 4_000;
/// Bytes of one WebSocket message from a client. A message of 4,000 four-byte characters, escaped, fits.
pub const FRAME_BYTES: usize = 64 * 1024;
/// Nesting of a client frame's JSON; real frames need three.
pub const FRAME_DEPTH: usize = 16;
/// Characters of a frame's `ref`.
pub const REF_CHARACTERS: usize = 64;
/// Frames that wait for one connection before it is closed as too slow.
pub const MAILBOX_FRAMES: usize = 256;
/// Bytes that wait for one connection before it is closed as too slow.
pub const MAILBOX_BYTES: usize = 1024 * 1024;
/// Events on one page of a replay.
pub const REPLAY_PAGE_EVENTS: usize = 500;
/// Bytes of the frames on one page of a replay; a page ends at the first of the two limits.
pub const REPLAY_PAGE_BYTES: usize = 1024 * 1024;
/// The same where the page goes into a mailbox: a quarter of what that holds.
pub const REPLAY_PIECE_BYTES: usize = MAILBOX_BYTES / 4;
/// Characters of a text in a row of another program that is shown whole. JSON may make six bytes of one, and still it fits into
/// a mailbox beside a piece of a replay; of a longer text the beginning is shown, as long as a message may be.
pub const EVENT_CHARACTERS: usize = 64 * 1024;
/// Bytes of the messages on one page of history, all of them as long as they may be; rows of other programs may be longer.
pub const HISTORY_PAGE_BYTES: usize = 4 * 1024 * 1024;
/// Users that `joined` names as online, and read marks that it tells: the own one, and those that are furthest.
pub const JOINED_USERS: usize = 1_000;
/// Sends of one connection that are under way. With so many its frames are read on when one of them is answered.
pub const SENDS_UNDER_WAY: usize = 64;
/// Frames of one connection in a second, sends that the rate allows not counted; with more its frames are read more slowly.
pub const FRAMES_PER_SECOND: u64 = 500;
/// Such frames at once.
pub const FRAMES_BURST: u64 = 1_000;
/// Missed events that are replayed; with one more the client is told to load the last page afresh.
pub const RESUME_DEPTH: u64 = 5_000;
/// Groups that one socket may follow.
pub const SUBSCRIPTIONS: usize = 200;
/// A typing frame is taken once in this time for one group and connection; more are dropped silently.
pub const TYPING_ACCEPT_MS: u64 = 2_000;
/// A client that goes on typing repeats its frame this often.
pub const TYPING_REPEAT_MS: u64 = 4_000;
/// Without a repetition a typing state ends after this time.
pub const TYPING_EXPIRY_MS: u64 = 6_000;
/// In larger groups nobody is told who types.
pub const TYPING_MEMBERS: usize = 100;
/// How often the server sends `heartbeat` and a WebSocket Ping.
pub const HEARTBEAT_MS: u64 = 25_000;
/// A peer that was silent for this long is gone: one heartbeat and ten seconds.
pub const SILENCE_MS: u64 = 35_000;
/// Characters of a person's display name.
pub const DISPLAY_NAME_CHARACTERS: usize = 60;
/// Characters of a group's name.
pub const GROUP_NAME_CHARACTERS: usize = 80;
/// Combining marks that may follow one character; real scripts need up to five.
pub const COMBINING_MARKS: usize = 8;
/// Messages on one page of history, at most.
pub const HISTORY_PAGE: usize = 200;
/// Messages on one page of history when nothing else is asked for.
pub const HISTORY_PAGE_DEFAULT: usize = 50;
/// Characters of an e-mail address: as many as the longest that mail can carry has bytes (RFC 5321).
pub const EMAIL_CHARACTERS: usize = 254;

/// What stands before the `@` of an e-mail address, in characters: RFC 5321 §4.5.3.1.1.
pub const EMAIL_LOCAL_CHARACTERS: usize = 64;

/// One part of a domain name, in characters: RFC 1035 §2.3.4.
pub const EMAIL_LABEL_CHARACTERS: usize = 63;
/// Characters of a password: the shortest.
pub const PASSWORD_MIN_CHARACTERS: usize = 12;
/// Characters of a password: the longest, so that hashing has a bounded cost.
pub const PASSWORD_MAX_CHARACTERS: usize = 128;
/// Groups that one user may be in.
pub const GROUPS_PER_USER: usize = 500;
/// Members that a group may have.
pub const MEMBERS_PER_GROUP: usize = 10_000;
/// Links into a group that live at once: those of members. Owner and admins can make one all the same.
pub const INVITES_PER_GROUP: usize = 1_000;
/// Links into a group that one person may have alive at once.
pub const INVITES_PER_MEMBER: usize = 200;
/// The subprotocol that a client offers and the server answers with.
pub const SUBPROTOCOL: &str = "caravana.v1";
