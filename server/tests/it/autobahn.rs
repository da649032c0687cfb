//! Our reader and writer of WebSockets against the published cases of Autobahn's Testsuite, sections 1 to 7, 9 and 10.
//!
//! The server's own loop ([`drive`]) serves an echo that only these tests have: it takes messages of 16 MiB and binary ones,
//! because the cases send both. What the product itself takes is asked at the end. Cases are named by their number, so that
//! what they ask can be read in the published list: each says some bytes and names what must come back. Sections 8, 11, 12
//! and 13 are empty or about compression, which is never agreed on here.
//!
//! A case passes or is informational (the RFC leaves open what happens). "Non-strict", which the list allows in some places,
//! is a failure here.

mod cases;
mod echo;
mod kosoku;
mod runner;

use caravana_protocol::limits::FRAME_BYTES;
use caravana_server::socket::decoder::Accepts;

use cases::{Case, closes, framing, limits, texts};
use runner::{Outcome, run};

/// What the cases need; the largest message is of 16 MiB.
const ALL: Accepts = Accepts { bytes: 16 * 1024 * 1024, binary: true };

/// Runs a section, one connection for each case. All failures are told at once.
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

/// What the product takes is less: texts of 64 KiB. What is larger or binary is refused by the codes of the RFC, and with the
/// first header that says so.
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
    // All binary ones, and of the texts all of section 9 but the first.
    assert_eq!(refused, 8 + 21 + 20);
}
