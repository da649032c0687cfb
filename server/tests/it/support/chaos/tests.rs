//! Tests of the proxy: each knob has its effect.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{Chaos, Flow, How, KERNEL_BUFFER, WAITING, Way};
use crate::support::PATIENCE;

/// The two ends of a connection through a proxy.
async fn ends() -> (Chaos, TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Chaos::before(listener.local_addr().unwrap());
    let client = TcpStream::connect(proxy.address).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    (proxy, client, server)
}

async fn hears(stream: &mut TcpStream, expected: &[u8]) {
    let mut heard = vec![0; expected.len()];
    timeout(PATIENCE, stream.read_exact(&mut heard)).await.expect("nothing more came").unwrap();
    assert!(heard == expected, "other bytes came");
}

/// Reads to the end of the stream. Returns the bytes, and the error if the stream did not end normally.
async fn rest(stream: &mut TcpStream) -> (Vec<u8>, Option<ErrorKind>) {
    let mut rest = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("the stream does not end");
    (rest, read.err().map(|error| error.kind()))
}

const RESET: Option<ErrorKind> = Some(ErrorKind::ConnectionReset);

#[tokio::test]
async fn in_fair_weather_all_bytes_arrive_unchanged_in_both_directions() {
    let (_proxy, mut client, mut server) = ends().await;
    let much: Vec<u8> = (0..1_000_000_u32).map(|number| u8::try_from(number % 251).unwrap()).collect();
    let sent = much.clone();
    let writing = tokio::spawn(async move {
        client.write_all(&sent).await.unwrap();
        client
    });
    hears(&mut server, &much).await;
    let mut client = writing.await.unwrap();
    server.write_all(b"gracias").await.unwrap();
    drop(server);
    assert_eq!(rest(&mut client).await, (b"gracias".to_vec(), None));
}

#[tokio::test]
async fn a_delay_with_jitter_keeps_the_order() {
    let (proxy, mut client, mut server) = ends().await;
    proxy.set(Way::Up, |weather| {
        weather.delay = Duration::from_millis(50);
        weather.jitter = Duration::from_millis(30);
    });
    let since = Instant::now();
    for byte in 0..50 {
        client.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    hears(&mut server, &(0..50).collect::<Vec<_>>()).await;
    assert!(since.elapsed() >= Duration::from_millis(50), "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_rate_is_kept() {
    let (proxy, mut client, mut server) = ends().await;
    proxy.set(Way::Down, |weather| weather.rate = Some(2_000));
    let since = Instant::now();
    server.write_all(&[7; 1_000]).await.unwrap();
    hears(&mut client, &[7; 1_000]).await;
    assert!(since.elapsed() >= Duration::from_millis(450), "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_stall_makes_the_sender_wait_and_loses_nothing() {
    let (proxy, mut client, mut server) = ends().await;
    client.write_all(b"antes").await.unwrap();
    hears(&mut server, b"antes").await;
    proxy.set(Way::Up, |weather| weather.flow = Flow::Stall);
    let mut taken = 0;
    // The sender's kernel buffers some bytes, and may enlarge its buffer.
    while let Ok(written) = timeout(Duration::from_millis(200), client.write(&[1; 4_096])).await {
        taken += written.unwrap();
        assert!(taken < 64 * 1024 * 1024, "the sender never has to wait");
    }
    proxy.heal();
    hears(&mut server, &vec![1; taken]).await;
}

#[tokio::test]
async fn a_pulled_cable_tells_nobody() {
    let (proxy, mut client, mut server) = ends().await;
    proxy.black_hole();
    let more_than_waits = WAITING + 64 * usize::try_from(KERNEL_BUFFER).unwrap();
    timeout(PATIENCE, client.write_all(&vec![1; more_than_waits])).await.expect("the bytes are taken").unwrap();
    server.write_all(b"hola?").await.unwrap();
    drop(client);
    let heard = timeout(Duration::from_millis(200), server.read(&mut [0; 8])).await;
    assert!(heard.is_err(), "the other end heard {heard:?}");
}

#[tokio::test]
async fn a_cut_lets_exactly_so_many_bytes_through() {
    let (proxy, mut client, mut server) = ends().await;
    proxy.set(Way::Down, |weather| weather.end = Some((10_001, How::Reset)));
    let _ = server.write_all(&vec![3; 50_000]).await;
    hears(&mut client, &vec![3; 10_001]).await;
    assert_eq!(rest(&mut client).await, (Vec::new(), RESET));
    assert_eq!(rest(&mut server).await, (Vec::new(), RESET));
}

#[tokio::test]
async fn half_a_close_leaves_the_other_half() {
    let (proxy, mut client, mut server) = ends().await;
    client.write_all(b"antes").await.unwrap();
    hears(&mut server, b"antes").await;
    proxy.set(Way::Up, |weather| weather.end = Some((0, How::HalfClose)));
    assert_eq!(rest(&mut server).await, (Vec::new(), None));
    server.write_all(b"y sin embargo").await.unwrap();
    hears(&mut client, b"y sin embargo").await;
}

#[tokio::test]
async fn a_reset_ends_what_is_open_and_nothing_later() {
    let (proxy, mut client, mut server) = ends().await;
    client.write_all(b"antes").await.unwrap();
    hears(&mut server, b"antes").await;
    proxy.reset();
    assert_eq!(rest(&mut client).await, (Vec::new(), RESET));
    assert_eq!(rest(&mut server).await, (Vec::new(), RESET));
    let mut another = TcpStream::connect(proxy.address).await.unwrap();
    // The target of this test is gone. The test only checks that the proxy accepted the connection.
    let _ = another.write_all(b"x").await;
}

#[tokio::test]
async fn refusing_is_for_new_connections_only() {
    let (proxy, mut client, mut server) = ends().await;
    proxy.refuse();
    let refused = async {
        while TcpStream::connect(proxy.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, refused).await.expect("new connections are still taken");
    client.write_all(b"sigo").await.unwrap();
    hears(&mut server, b"sigo").await;
    proxy.heal();
    let taken = async {
        while TcpStream::connect(proxy.address).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, taken).await.expect("new connections are refused for ever");
}
