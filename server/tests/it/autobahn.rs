//! Our WebSocket reader and writer against the published cases of Autobahn's Testsuite, sections 1 to 7, 9 and 10.
//!
//! The server's own loop ([`drive`]) serves an echo that exists only in these tests. It accepts messages of 16 MiB and
//! binary messages, because the cases send both. The last test uses the product's own limits. Each case has its number
//! in the published list, sends some bytes and names the expected answer. Sections 8, 11, 12 and 13 are empty or about
//! compression, which this server never negotiates.
//!
//! A case must pass or be informational (the RFC leaves the behaviour open). "Non-strict", which the list allows in
//! some cases, counts as a failure here.

mod cases;
mod echo;
mod kosoku;
mod runner;

use caravana_protocol::limits::FRAME_BYTES;
use caravana_server::socket::decoder::Accepts;

use cases::{Case, closes, framing, limits, texts};
use runner::{Outcome, run};

/// What the cases need. The largest message has 16 MiB.
const ALL: Accepts = Accepts { bytes: 16 * 1024 * 1024, binary: true };

/// Runs a section with one connection for each case, and reports all failures together.
async fn section(cases: Vec<Case>, count: usize) {
    assert_eq!(cases.len(), count, "the published list has so many");
    let mut failures = Vec::new();
    for case in &cases {
        match run(case, ALL).await {
            Outcome::Passed | Outcome::Informational => {}
            Outcome::Failed(how) => failures.push(format!("{}: {how}", case.number)),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn section_1_framing() {
    section(framing::messages(), 16).await;
}

#[tokio::test]
async fn section_2_pings_and_pongs() {
    section(framing::pings(), 11).await;
}

#[tokio::test]
async fn section_3_reserved_bits() {
    section(framing::reserved_bits(), 7).await;
}

#[tokio::test]
async fn section_4_opcodes() {
    section(framing::opcodes(), 10).await;
}

#[tokio::test]
async fn section_5_fragmentation() {
    section(framing::fragments(), 20).await;
}

#[tokio::test]
async fn section_6_utf8() {
    section(texts::framed(), 13).await;
    section(texts::sequences(), 132).await;
}

#[tokio::test]
async fn section_7_closing() {
    section(closes::all(), 37).await;
}

#[tokio::test]
async fn section_9_limits() {
    section(limits::sizes(), 12).await;
    section(limits::fragments(), 18).await;
    section(limits::chops(), 12).await;
    section(limits::round_trips(), 12).await;
}

#[tokio::test]
async fn section_10_automatic_fragments() {
    section(limits::automatic_fragments(), 1).await;
}

/// The product accepts only texts up to 64 KiB. It refuses larger and binary messages with the codes of the RFC, as
/// soon as the frame header shows it.
#[tokio::test]
async fn the_products_limits_pass_too_and_end_with_1009_and_1003() {
    let product = Accepts::default();
    let mut refused = 0;
    for case in [framing::messages(), limits::sizes(), limits::fragments(), limits::chops()].into_iter().flatten() {
        let expected = match (case.is_binary(), case.largest() > FRAME_BYTES) {
            (true, _) => case.refused_with(1003),
            (false, true) => case.refused_with(1009),
            (false, false) => case,
        };
        refused += usize::from(expected.is_refused());
        match run(&expected, product).await {
            Outcome::Passed => {}
            outcome @ (Outcome::Informational | Outcome::Failed(_)) => panic!("{}: {outcome:?}", expected.number),
        }
    }
    // All binary cases, and all text cases of section 9 except the first.
    assert_eq!(refused, 8 + 21 + 20);
}
