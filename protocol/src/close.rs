//! Why a socket was closed, and what a client does then. One table decides about reconnecting.

/// What a client does after a close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// Terminal: only a person can do something about it.
    Never,
    /// Reconnect at once, after fetching fresh credentials.
    Now,
    /// Reconnect after a wait with full jitter.
    Backoff,
}

macro_rules! close_reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $retry:ident, $text:literal;)*) => {
        /// The close codes of the protocol.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum CloseReason {
            $($(#[$doc])* $name,)*
            /// A code that this build does not know.
            Other(u16),
        }

        impl CloseReason {
            /// Every named reason, for tables in tests and docs.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code in the close frame.
            #[must_use]
            pub const fn code(self) -> u16 {
                match self { $(Self::$name => $code,)* Self::Other(code) => code }
            }

            /// The reason of that code.
            #[must_use]
            pub const fn from_code(code: u16) -> Self {
                match code { $($code => Self::$name,)* other => Self::Other(other) }
            }

            /// The text in the close frame, for people who read a network log.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* Self::Other(_) => "" }
            }

            /// What a client does then: it reconnects after 1xxx and 40xx; 44xx and 45xx are terminal.
            #[must_use]
            pub const fn retry(self) -> Retry {
                match self {
                    $(Self::$name => Retry::$retry,)*
                    Self::Other(4400..=4599) => Retry::Never,
                    Self::Other(_) => Retry::Backoff,
                }
            }
        }
    };
}

close_reasons! {
    /// The ordinary end, asked for by one side.
    Normal = 1000, Backoff, "bye";
    /// The page or the server goes away.
    GoingAway = 1001, Backoff, "going away";
    /// The peer broke RFC 6455.
    ProtocolError = 1002, Backoff, "protocol error";
    /// The peer sent a binary frame; only text frames are allowed.
    Unsupported = 1003, Backoff, "text frames only";
    /// No close frame came: the connection was lost.
    Abnormal = 1006, Backoff, "connection lost";
    /// Text that is no UTF-8.
    InvalidText = 1007, Backoff, "invalid UTF-8";
    /// Flooding with control frames or broken requests.
    Policy = 1008, Backoff, "policy violation";
    /// A message over the limit.
    TooBig = 1009, Backoff, "message too big";
    /// An unexpected error on the server.
    Internal = 1011, Backoff, "internal error";
    /// A planned restart.
    Restart = 1012, Backoff, "restarting";
    /// The server has too much work now.
    Overload = 1013, Backoff, "overloaded";
    /// The token has expired: refresh it and reconnect.
    TokenExpired = 4001, Now, "token expired";
    /// The client did not read fast enough: reconnect and resume.
    TooSlow = 4008, Backoff, "too slow";
    /// The server heard nothing from the client for too long.
    HeartbeatMissed = 4009, Backoff, "heartbeat missed";
    /// The user is no longer a member (on the endpoint of one group).
    NotAMember = 4403, Never, "no longer a member";
    /// The token is bad, or of another user: sign in.
    BadToken = 4500, Never, "bad token";
    /// No access.
    NoAccess = 4503, Never, "no access";
    /// The user has too many sockets.
    TooManyConnections = 4504, Never, "too many connections";
    /// The session was ended: sign in.
    SessionRevoked = 4505, Never, "session revoked";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_finds_its_reason_again() {
        for reason in CloseReason::ALL {
            assert_eq!(CloseReason::from_code(reason.code()), *reason);
        }
    }

    #[test]
    fn the_hundreds_decide_about_unknown_codes() {
        for (code, retry) in
            [(1014, Retry::Backoff), (4002, Retry::Backoff), (4499, Retry::Never), (4599, Retry::Never)]
        {
            assert_eq!(CloseReason::from_code(code).retry(), retry, "{code}");
        }
        for reason in CloseReason::ALL {
            assert_eq!(reason.retry() == Retry::Never, (4400..4600).contains(&reason.code()), "{reason:?}");
        }
    }
}
