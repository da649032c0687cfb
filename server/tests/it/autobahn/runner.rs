//! Runs a case: sends its bytes, reads the answers, and judges them.

use std::io;

use caravana_server::socket::decoder::Accepts;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use super::cases::{Case, End, Heard, Step, close};
use super::echo::connected;
use crate::support::PATIENCE;

/// The outcome of a case.
#[derive(Debug)]
pub(super) enum Outcome {
    Passed,
    /// The RFC leaves the behaviour open, and the connection ended.
    Informational,
    Failed(String),
}

/// Whether a close frame came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closed {
    NotYet,
    WithoutCode,
    With(u16),
}

struct Client {
    read: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
    heard: Vec<Heard>,
    closed: Closed,
}

/// Runs a case against its own echo.
pub(super) async fn run(case: &Case, accepts: Accepts) -> Outcome {
    let (read, write) = connected(accepts).await.into_split();
    let mut client = Client { read: BufReader::new(read), write, heard: Vec::new(), closed: Closed::NotYet };
    match timeout(PATIENCE, client.run(case)).await {
        Ok(Ok(())) => client.judge(case),
        Ok(Err(error)) => Outcome::Failed(format!("{error}, heard {}", shown(&client.heard))),
        Err(_) => Outcome::Failed(format!("it does not end, heard {}", shown(&client.heard))),
    }
}

impl Client {
    async fn run(&mut self, case: &Case) -> io::Result<()> {
        for step in &case.steps {
            match step {
                // After the server has closed, the client can not send more.
                Step::Say { bytes, chop } => {
                    if !self.say(bytes, *chop).await {
                        break;
                    }
                }
                Step::Hear(count) => self.hear(*count).await?,
            }
        }
        if case.end == End::Clean {
            self.hear(case.heard.len()).await?;
            let _ = self.write.write_all(&close(&1000_u16.to_be_bytes())).await;
        }
        while self.closed == Closed::NotYet && self.hear_one().await? {}
        // The server must end the connection: it sends nothing after its close frame, and does not wait for the
        // client's end.
        let mut rest = Vec::new();
        self.read.read_to_end(&mut rest).await?;
        if rest.is_empty() { Ok(()) } else { Err(io::Error::other("something came behind the close frame")) }
    }

    async fn say(&mut self, bytes: &[u8], chop: usize) -> bool {
        for piece in bytes.chunks(chop) {
            if self.write.write_all(piece).await.is_err() {
                return false;
            }
        }
        true
    }

    async fn hear(&mut self, count: usize) -> io::Result<()> {
        while self.heard.len() < count && self.closed == Closed::NotYet && self.hear_one().await? {}
        Ok(())
    }

    /// Reads the next frame. `false` at the end of the stream.
    async fn hear_one(&mut self) -> io::Result<bool> {
        let Ok(first) = self.read.read_u8().await else { return Ok(false) };
        let length = match self.read.read_u8().await? {
            126 => u64::from(self.read.read_u16().await?),
            127 => self.read.read_u64().await?,
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.read.read_exact(&mut payload).await?;
        match first {
            0x81 => self.heard.push(Heard::Text(payload)),
            0x82 => self.heard.push(Heard::Binary(payload)),
            0x8A => self.heard.push(Heard::Pong(payload)),
            0x88 => {
                let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                self.closed = code.map_or(Closed::WithoutCode, Closed::With);
            }
            other => return Err(io::Error::other(format!("a frame that begins with {other:#04x}"))),
        }
        Ok(true)
    }

    fn judge(&self, case: &Case) -> Outcome {
        let code = match self.closed {
            Closed::NotYet => return Outcome::Failed("it ended without a close frame".into()),
            Closed::WithoutCode => None,
            Closed::With(code) => Some(code),
        };
        let codes = match &case.end {
            End::Undefined => return Outcome::Informational,
            End::Clean => &[1000][..],
            End::With(codes) => codes,
        };
        if self.heard != case.heard {
            return Outcome::Failed(format!("heard {} and not {}", shown(&self.heard), shown(&case.heard)));
        }
        if code.is_none_or(|code| codes.contains(&code)) {
            return Outcome::Passed;
        }
        Outcome::Failed(format!("closed with {code:?} and not {codes:?}"))
    }
}

/// The beginning of each message, because there can be megabytes.
fn shown(heard: &[Heard]) -> String {
    let beginning = |kind, bytes: &[u8]| format!("{kind}({}: {:02x?})", bytes.len(), &bytes[..bytes.len().min(16)]);
    let one = |heard: &Heard| match heard {
        Heard::Text(bytes) => beginning("text", bytes),
        Heard::Binary(bytes) => beginning("binary", bytes),
        Heard::Pong(bytes) => beginning("pong", bytes),
    };
    format!("{:?}", heard.iter().map(one).collect::<Vec<_>>())
}
