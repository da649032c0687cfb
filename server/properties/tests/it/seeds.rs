//! The fuzzers' seeds: real frames, and the bad input of RELIABILITY §4.

use std::fs;
use std::path::{Path, PathBuf};

use caravana_properties::{frames, socket};

/// All seeds of one fuzzer, by name.
pub(crate) fn of(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let mut seeds: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    seeds.sort();
    assert!(seeds.len() > 20, "{target} has only {} seeds", seeds.len());
    seeds
}

/// The seeds that are texts.
pub(crate) fn texts() -> Vec<String> {
    of("frames").into_iter().map(|(_, seed)| String::from_utf8(seed).unwrap()).collect()
}

#[test]
fn every_seed_keeps_the_properties() {
    for text in texts() {
        frames::text(&text);
    }
    for (_, seed) in of("socket") {
        socket::input(&seed);
    }
}

#[test]
fn every_frame_of_the_contract_is_a_seed() {
    let texts = texts();
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../protocol/tests/snapshots");
    for snapshot in fs::read_dir(snapshots).unwrap() {
        let snapshot = fs::read_to_string(snapshot.unwrap().path()).unwrap();
        for frame in snapshot.lines().filter(|line| line.starts_with('{')) {
            assert!(texts.iter().any(|text| text == frame), "fuzz/seeds/frames lacks {frame}");
        }
    }
}
