//! A mail server that keeps the letters it receives.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::eventually;

/// A stub of an SMTP server on its own port.
pub(crate) struct PostOffice {
    address: SocketAddr,
    letters: Arc<Mutex<Vec<Received>>>,
    heard_in_the_open: Arc<Mutex<Vec<String>>>,
}

/// A received letter.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) to: String,
    pub(crate) headers: String,
    /// The decoded body.
    pub(crate) text: String,
}

impl PostOffice {
    pub(crate) async fn open() -> Self {
        Self::open_as(None).await
    }

    /// A server that accepts letters only after STARTTLS.
    pub(crate) async fn open_with_starttls(acceptor: TlsAcceptor) -> Self {
        Self::open_as(Some(acceptor)).await
    }

    async fn open_as(acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let office = Self {
            address: listener.local_addr().unwrap(),
            letters: Arc::default(),
            heard_in_the_open: Arc::default(),
        };
        let (kept, heard) = (Arc::clone(&office.letters), Arc::clone(&office.heard_in_the_open));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, heard, acceptor) = (Arc::clone(&kept), Arc::clone(&heard), acceptor.clone());
                tokio::spawn(async move {
                    let Some(acceptor) = acceptor else { return serve(BufReader::new(stream), GREETING, kept).await };
                    let mut stream = BufReader::new(stream);
                    if wait_for_starttls(&mut stream, &heard).await {
                        let stream = acceptor.accept(stream.into_inner()).await.unwrap();
                        serve(BufReader::new(stream), "", kept).await;
                    }
                });
            }
        });
        office
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What clients sent before STARTTLS.
    pub(crate) fn heard_in_the_open(&self) -> Vec<String> {
        self.heard_in_the_open.lock().unwrap().clone()
    }

    /// The flag that makes a server send its letters here.
    pub(crate) fn flag(&self) -> String {
        format!("--smtp-url=smtp://{}", self.address)
    }

    pub(crate) fn letters(&self) -> Vec<Received> {
        self.letters.lock().unwrap().clone()
    }

    /// Waits until `count` letters have arrived.
    pub(crate) async fn until(&self, count: usize) -> Vec<Received> {
        eventually("the letters have come", || async { Some(self.letters()).filter(|all| all.len() >= count) }).await
    }
}

const GREETING: &str = "220 stub ready\r\n";

/// Answers in plain text until the client sends STARTTLS. Returns whether it did.
async fn wait_for_starttls(stream: &mut BufReader<tokio::net::TcpStream>, heard: &Mutex<Vec<String>>) -> bool {
    stream.write_all(GREETING.as_bytes()).await.unwrap();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return false;
        }
        let word = line.split([' ', '\r']).next().unwrap().to_uppercase();
        heard.lock().unwrap().push(word.clone());
        let answer = match word.as_str() {
            "EHLO" => "250-stub\r\n250 STARTTLS\r\n",
            "STARTTLS" => "220 go ahead\r\n",
            _ => "530 not in the open\r\n",
        };
        stream.write_all(answer.as_bytes()).await.unwrap();
        if word == "STARTTLS" {
            return true;
        }
    }
}

async fn serve(
    mut stream: BufReader<impl AsyncRead + AsyncWrite + Unpin>,
    greeting: &str,
    kept: Arc<Mutex<Vec<Received>>>,
) {
    let mut to = String::new();
    let mut say = greeting;
    loop {
        stream.write_all(say.as_bytes()).await.unwrap();
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        say = match line.split([' ', ':', '\r']).next().unwrap().to_uppercase().as_str() {
            "RCPT" => {
                to = line.split(['<', '>']).nth(1).unwrap().to_owned();
                "250 ok\r\n"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.unwrap();
                let letter = letter(&mut stream, to.clone()).await;
                kept.lock().unwrap().push(letter);
                "250 taken\r\n"
            }
            "QUIT" => "221 bye\r\n",
            _ => "250 ok\r\n",
        };
    }
}

async fn letter(stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>, to: String) -> Received {
    let mut whole = String::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        if line == ".\r\n" {
            break;
        }
        whole.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
    let (headers, body) = whole.split_once("\r\n\r\n").unwrap();
    Received { to, headers: headers.to_owned(), text: decode(headers, body) }
}

/// Decodes the transfer encodings of letters.
fn decode(headers: &str, body: &str) -> String {
    use base64::Engine as _;
    let headers = headers.to_lowercase();
    if headers.contains("content-transfer-encoding: base64") {
        let bytes = base64::engine::general_purpose::STANDARD.decode(body.replace("\r\n", "")).unwrap();
        return String::from_utf8(bytes).unwrap();
    }
    if !headers.contains("content-transfer-encoding: quoted-printable") {
        return body.to_owned();
    }
    let (joined, mut bytes) = (body.replace("=\r\n", ""), Vec::new());
    let mut rest = joined.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'=' {
            let digits = std::str::from_utf8(&rest[..2]).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &rest[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).unwrap()
}
