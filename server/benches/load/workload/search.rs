//! The search in a million messages: frequent and rare words, in one large group and in all groups of a member.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use caravana_protocol::{GroupId, UserId};
use caravana_server::database::{DatabaseSettings, open};
use caravana_store::search::Query;
use caravana_store::{Search, SharedStore};

use super::{Figure, Outcome, Plan, SEARCH_P50, SEARCH_P95, milliseconds};
use crate::growth::fill::{Filler, Kind, id};
use crate::latency::Latencies;

/// Messages in all.
const MESSAGES: usize = 1_000_000;
/// The same in a quick run.
const QUICK: usize = 30_000;
/// Groups of the member. The first has six tenths of all messages.
const GROUPS: usize = 33;
/// Authors.
const PEOPLE: usize = 20;
/// Different words besides those that are searched for.
const VOCABULARY: usize = 30_000;
/// Searches of each kind in a repetition.
const QUESTIONS: usize = 40;
/// How long the server may take to index what another program has written.
const PATIENCE: Duration = Duration::from_mins(10);
/// The last word of the oldest message. Old messages are indexed last.
const OLDEST: &str = "zaguan";

/// The kinds of searches: their names, and what is searched for.
const KINDS: [(&str, &str); 7] = [
    ("in 3 of 10 messages", "hola"),
    ("the same, spelled otherwise", "holá"),
    ("in 1 of 100 messages", "manana"),
    ("two frequent words", "hola man"),
    ("two letters", "ho"),
    ("in 20 messages", "acantilado"),
    ("in none", "inexistente"),
];

/// Measures the adapter alone, called by this process, as the sweep does.
pub(crate) fn search(plan: &Plan, quick: bool) -> Result<Vec<Outcome>> {
    let folder =
        tempfile::Builder::new().prefix("bench-").tempdir_in(&plan.scratch).context("no folder for a database")?;
    let url = plan.database.create(folder.path())?;
    let database = DatabaseSettings::at(url.parse()?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let store = runtime.block_on(open(&database, false))?;
    fill(&url, if quick { QUICK } else { MESSAGES })?;
    runtime.block_on(async {
        indexed(&store).await?;
        let mut outcomes = Vec::new();
        for (place, group) in [("one group", Some(GroupId::new(id(Kind::Group, 0)))), ("33 groups", None)] {
            for (name, words) in KINDS {
                outcomes.extend(ask(&store, plan, &format!("{place}: {name}"), search_for(words, group, false)).await?);
            }
            let of_one = search_for("hola", group, true);
            outcomes.extend(ask(&store, plan, &format!("{place}: frequent, of 1 of 20 people"), of_one).await?);
        }
        store.close().await;
        Ok(outcomes)
    })
}

async fn ask(store: &SharedStore, plan: &Plan, case: &str, search: Search) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for _ in 0..plan.repetitions {
        let mut latencies = Latencies::default();
        for _ in 0..QUESTIONS {
            let begin = Instant::now();
            let page = store.search(UserId::new(id(Kind::User, 0)), &search).await?;
            latencies.record(begin.elapsed());
            ensure!(page.is_some(), "the member is none");
        }
        let figures = vec![
            Figure { name: SEARCH_P50, value: milliseconds(latencies.percentile(0.5)) },
            Figure { name: SEARCH_P95, value: milliseconds(latencies.percentile(0.95)) },
        ];
        outcomes.push(Outcome { case: format!("search, {}: {case}", plan.database.name()), figures });
    }
    Ok(outcomes)
}

fn search_for(words: &str, group: Option<GroupId>, of_one: bool) -> Search {
    let from = of_one.then(|| UserId::new(id(Kind::User, 7)));
    Search { query: Query::of(words), group, from, since: None, until: None, before: None, limit: 20 }
}

/// Waits until the oldest message is found.
async fn indexed(store: &SharedStore) -> Result<()> {
    let begin = Instant::now();
    let oldest = search_for(OLDEST, None, false);
    loop {
        let page = store.search(UserId::new(id(Kind::User, 0)), &oldest).await?.context("the member is none")?;
        if !page.hits.is_empty() {
            return Ok(());
        }
        ensure!(begin.elapsed() < PATIENCE, "the messages are not indexed");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn fill(url: &str, messages: usize) -> Result<()> {
    let mut filler = Filler::connect(url)?;
    filler.users(PEOPLE)?;
    filler.groups(GROUPS)?;
    let members =
        (0..GROUPS).flat_map(|group| (0..PEOPLE).map(move |user| (id(Kind::Group, group), id(Kind::User, user))));
    filler.members(members)?;
    let mut chance = Chance(7);
    filler.texts((0..messages).map(|number| {
        let group = if chance.below(10) < 6 { 0 } else { 1 + chance.below(GROUPS - 1) };
        let user = chance.below(PEOPLE);
        (id(Kind::Group, group), id(Kind::User, user), text(number, messages, &mut chance))
    }))?;
    filler.settle()
}

/// Three to eighteen words; low numbers are more frequent.
fn text(number: usize, messages: usize, chance: &mut Chance) -> String {
    let mut words = Vec::new();
    if chance.below(10) < 3 {
        words.push("Hola".to_owned());
    }
    for _ in 0..3 + chance.below(16) {
        let rank = VOCABULARY / (1 + chance.below(VOCABULARY));
        words.push(word(rank + chance.below(rank.max(3))));
    }
    if chance.below(100) == 0 {
        words.push("mañana".to_owned());
    }
    if number % (messages / 20).max(1) == 17 {
        words.push("acantilado".to_owned());
    }
    if number == 0 {
        words.push(OLDEST.to_owned());
    }
    words.join(" ")
}

/// The word with this number, of two or more syllables.
fn word(mut number: usize) -> String {
    const SYLLABLES: [&str; 16] =
        ["ca", "fé", "lo", "mi", "ra", "tor", "ven", "sal", "pu", "ñi", "go", "den", "ta", "ri", "cha", "lle"];
    let mut word = SYLLABLES[number % 16].to_owned();
    loop {
        number /= 16;
        word.push_str(SYLLABLES[number % 16]);
        if number < 16 {
            return word;
        }
    }
}

/// The same numbers in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % end
    }
}
